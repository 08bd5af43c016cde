//! What a started server has.

use std::{fs, time::Instant};

use alizarin_testkit::{Server, Version, unique};

#[test]
fn every_module_answers() {
    let server = Server::start().unwrap();
    let name = |tail: &str| format!("{}{tail}", server.namespace());
    let (index, prefix) = (name("films"), name("film:"));
    let schema = ["FT.CREATE", &index, "ON", "JSON", "PREFIX", "1", &prefix, "SCHEMA"];
    let fields = ["$.title", "AS", "title", "TEXT"];
    assert_eq!(server.command(&[&schema[..], &fields].concat()).unwrap(), "OK");
    let film = name("film:1");
    assert_eq!(server.command(&["JSON.SET", &film, "$", r#"{"title":"Alien"}"#]).unwrap(), "OK");
    let found = server.command(&["FT.SEARCH", &index, "alien"]).unwrap();
    assert!(found.starts_with(&format!("1\n{film}\n")), "{found}");
    let series = name("series");
    assert_eq!(server.command(&["TS.ADD", &series, "1000", "3.5"]).unwrap(), "1000");
    let vectors = name("vectors");
    assert_eq!(server.command(&["VADD", &vectors, "VALUES", "2", "1", "0", "a"]).unwrap(), "1");
    assert_eq!(server.command(&["BF.ADD", &name("seen"), "a"]).unwrap(), "1");
    for module in ["json", "ReJSON", "search", "timeseries", "bloom", "bf", "vectorset"] {
        assert!(server.has_module(module), "{module}");
    }
    assert!(server.version() >= Version::new(8, 0, 0));
}

#[test]
fn a_bare_server_has_no_modules() {
    let server = Server::builder().modules(false).start().unwrap();
    assert!(!server.has_module("json"));
    assert!(server.command(&["JSON.GET", "a"]).unwrap_err().is_reply());
}

#[test]
fn a_password_is_wanted() {
    let server = Server::builder().password("p@ss word").start().unwrap();
    let port = server.port().unwrap();
    assert_eq!(server.url(), format!("redis://:p%40ss%20word@127.0.0.1:{port}"));
    assert_eq!(server.command(&["PING"]).unwrap(), "PONG");
    assert!(!format!("{server:?} {:?}", Server::builder().password("p@ss")).contains("p@ss"));
}

#[test]
fn debug_commands_are_on() {
    let server = Server::builder().private().start().unwrap();
    let began = Instant::now();
    server.command(&["DEBUG", "SLEEP", "0.1"]).unwrap();
    assert!(began.elapsed().as_millis() >= 100);
}

#[test]
fn drop_ends_the_server_and_removes_its_folder() {
    let server = Server::builder().private().start().unwrap();
    let folder = server.socket().and_then(|socket| socket.parent()).map(ToOwned::to_owned);
    let port = server.port().unwrap();
    drop(server);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    assert!(folder.is_none_or(|folder| fs::metadata(folder).is_err()));
}

#[test]
fn a_refused_setting_is_an_error_that_shows_the_log() {
    let began = Instant::now();
    let error = Server::builder().arg("--maxmemory", "much").start().unwrap_err();
    assert!(error.to_string().contains("maxmemory"), "{error}");
    assert!(began.elapsed().as_secs() < 5, "the end of the server is seen, not waited out");
}

#[test]
fn many_start_together() {
    let threads: Vec<_> = (0..8)
        .map(|_| std::thread::spawn(|| Server::builder().private().start().unwrap()))
        .collect();
    let servers: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    for (number, server) in servers.iter().enumerate() {
        assert_eq!(
            server.command(&["INCRBY", "n", &number.to_string()]).unwrap(),
            number.to_string()
        );
    }
}

#[test]
fn shared_is_one() {
    let (first, second) = (Server::shared().unwrap(), Server::shared().unwrap());
    assert!(std::ptr::eq(first, second));
    let key = format!("{}{}", first.namespace(), unique("key"));
    assert_eq!(second.command(&["INCR", &key]).unwrap(), "1");
}
