//! Servers that go away and come back.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

use alizarin_testkit::Server;

#[test]
fn a_restart_keeps_the_address_and_loses_the_data() {
    let mut server = Server::builder().private().start().unwrap();
    let (url, socket) = (server.url(), server.unix_url());
    server.command(&["SET", "a", "1"]).unwrap();
    for _ in 0..3 {
        server.restart().unwrap();
        assert_eq!((server.url(), server.unix_url()), (url.clone(), socket.clone()));
        assert_eq!(server.command(&["EXISTS", "a"]).unwrap(), "0");
        assert!(server.has_module("search"));
        server.command(&["SET", "a", "1"]).unwrap();
    }
}

#[test]
fn a_restart_keeps_what_an_append_only_file_has() {
    let builder = Server::builder().arg("--appendonly", "yes").arg("--appendfsync", "always");
    let mut server = builder.start().unwrap();
    server.command(&["SET", "a", "1"]).unwrap();
    server.restart().unwrap();
    assert_eq!(server.command(&["GET", "a"]).unwrap(), "1");
}

#[test]
fn a_stop_closes_connections() {
    let mut server = Server::builder().private().start().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port().unwrap())).unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 7);
    server.stop().unwrap();
    assert!(matches!(stream.read(&mut [0; 16]), Ok(0) | Err(_)));
    assert!(server.command(&["PING"]).unwrap_err().is_connection());
    assert!(server.pause().unwrap_err().is_connection());
    server.stop().unwrap();
    server.restart().unwrap();
    assert_eq!(server.command(&["PING"]).unwrap(), "PONG");
}

#[test]
fn a_restart_follows_a_shutdown() {
    let mut server = Server::builder().private().start().unwrap();
    assert!(server.command(&["SHUTDOWN", "NOSAVE"]).unwrap_err().is_connection());
    server.restart().unwrap();
    assert_eq!(server.command(&["PING"]).unwrap(), "PONG");
}

#[test]
fn a_paused_server_keeps_connections_and_is_silent() {
    let mut server = Server::builder().private().start().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", server.port().unwrap())).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    server.pause().unwrap();
    stream.write_all(b"PING\r\n").unwrap();
    let silence = stream.read(&mut [0; 16]).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    server.resume().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    assert_eq!(stream.read(&mut [0; 16]).unwrap(), 7);
}

#[test]
fn a_paused_server_ends_on_drop() {
    let mut server = Server::builder().private().start().unwrap();
    let port = server.port().unwrap();
    server.pause().unwrap();
    drop(server);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
