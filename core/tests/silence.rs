//! Real servers that hang, and peers that never come to an end: noticed in time.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use alizarin_core::{Client, Command, Config, ErrorKind, Run as _, Sent};
use alizarin_testkit::Server;

/// At default settings, with room for a busy machine.
const NOTICED: std::ops::Range<f64> = 1.4..3.5;

#[tokio::test]
async fn a_hung_server_is_noticed_and_its_late_answers_go_to_nobody() {
    let mut server = Server::builder().modules(false).private().start().unwrap();
    let client = Client::connect(server.url()).await.unwrap();
    let blocking = Client::connect_blocking(server.url()).unwrap();
    client.set("k", "v").await.unwrap();
    server.pause().unwrap();
    let since = Instant::now();
    let waiting = tokio::task::spawn_blocking({
        let blocking = blocking.clone();
        move || blocking.incr("n").run()
    });
    let (shared, waiting) = tokio::join!(client.incr("n").into_future(), waiting);
    for outcome in [shared, waiting.unwrap()] {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Unknown));
    }
    let took = since.elapsed().as_secs_f64();
    assert!(NOTICED.contains(&took), "{took} s");
    server.resume().unwrap();
    let text: String = client.command("ECHO").arg("mine").await.unwrap();
    assert_eq!(text, "mine");
    let text: String =
        tokio::task::spawn_blocking(move || blocking.get("k").run().unwrap()).await.unwrap();
    assert_eq!(text, "v");
}

fn pop<'c>(client: &'c Client, list: &str) -> Command<(String, String), &'c Client> {
    client.command("BLPOP").key(list).arg(0)
}

#[tokio::test]
async fn a_command_that_waits_ends_when_its_server_does() {
    let mut server = Server::builder().modules(false).private().start().unwrap();
    let config = server.url().parse::<Config>().unwrap();
    let short = Duration::from_millis(200);
    let config = config.heartbeat(short).response_timeout(short);
    let client = Client::connect(&config).await.unwrap();
    let blocking = Client::connect_blocking(&config).unwrap();
    for hangs in [false, true] {
        let there = tokio::task::spawn_blocking({
            let blocking = blocking.clone();
            move || pop(&blocking, "theirs").run()
        });
        let here = tokio::spawn({
            let client = client.clone();
            async move { pop(&client, "ours").await }
        });
        let since = Instant::now();
        let waiting = |count: &str| server.command(&["INFO", "clients"]).unwrap().contains(count);
        while !waiting("blocked_clients:2") {
            tokio::task::yield_now().await;
        }
        // For longer than any answer may take, and than the server may be silent.
        tokio::time::sleep(short * 5).await;
        assert!(!here.is_finished() && !there.is_finished(), "cut short");
        if hangs {
            server.pause().unwrap();
        } else {
            client.rpush("ours", "x").await.unwrap();
            client.rpush("theirs", "x").await.unwrap();
        }
        for outcome in [here.await.unwrap(), there.await.unwrap()] {
            match outcome {
                Ok((_, value)) => assert!(!hangs && value == "x"),
                Err(error) => {
                    assert!(hangs, "{error}");
                    assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Unknown));
                    assert!(error.to_string().contains("no sign of life"), "{error}");
                }
            }
        }
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    }
    server.resume().unwrap();
}

#[test]
fn a_login_that_never_ends_has_its_time_all_the_same() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Each byte comes in time; all of them never do.
    let peer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let _ = stream.write_all(b"+");
        let mut room = [0; 1000];
        loop {
            match stream.read(&mut room) {
                Ok(0) => return,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
                Ok(_) => {}
            }
            if stream.write_all(b"x").is_err() {
                return;
            }
        }
    });
    let config = Config::new().tcp("127.0.0.1", port).connect_timeout(Duration::from_millis(300));
    let since = Instant::now();
    let error = Client::connect_blocking(config).unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No));
    assert!(error.to_string().contains("no answer to the login within 300ms"), "{error}");
    let took = since.elapsed().as_secs_f64();
    assert!((0.29..5.0).contains(&took), "{took} s");
    peer.join().unwrap();
}
