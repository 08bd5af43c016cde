//! A server that has paused its clients, as a primary does that hands over to its replica: who waits
//! on it waits, but not on one that hangs.

use std::time::{Duration, Instant};

use alizarin_core::commands::incr;
use alizarin_core::{Client, Config, Error, ErrorKind, Protocol, Run as _, Sent};
use alizarin_testkit::Server;

const SHORT: Duration = Duration::from_millis(200);

fn start() -> (Server, Config) {
    let server = Server::builder().modules(false).private().start().unwrap();
    let config: Config = server.url().parse().unwrap();
    (server, config.response_timeout(SHORT))
}

fn hold_writes(server: &Server, time: Duration) {
    let time = time.as_millis().to_string();
    server.command(&["CLIENT", "PAUSE", &time, "WRITE"]).unwrap();
}

/// How often it was asked whether it holds somebody up.
fn questions(server: &Server) -> u32 {
    let stats = server.command(&["INFO", "commandstats"]).unwrap();
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_client|list:calls="));
    line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
}

/// A write by the shared connection, by one of the pool, and by a blocking client.
async fn write(config: &Config, client: &Client) -> [Result<i64, Error>; 3] {
    let blocking = Client::connect_blocking(config).unwrap();
    let there = tokio::task::spawn_blocking(move || blocking.incr("n").run());
    let mut own = client.exclusive().await.unwrap();
    let pooled = async { own.run(incr("n")).await };
    let (shared, pooled, there) = tokio::join!(client.incr("n").into_future(), pooled, there);
    [shared, pooled, there.unwrap()]
}

#[tokio::test]
async fn writes_wait_while_a_server_holds_them_up() {
    let (server, config) = start();
    let client = Client::connect(&config).await.unwrap();
    let since = Instant::now();
    hold_writes(&server, SHORT * 6);
    let mut counts: Vec<i64> =
        write(&config, &client).await.into_iter().map(Result::unwrap).collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2, 3]);
    assert!(since.elapsed() > SHORT * 5, "{:?}: it was not held up", since.elapsed());
    // The connections are the ones they were.
    assert_eq!(client.pool_metrics().created, 1);
}

#[tokio::test]
async fn a_server_that_hangs_meanwhile_is_noticed() {
    let (mut server, config) = start();
    let client = Client::connect(&config).await.unwrap();
    let since = Instant::now();
    hold_writes(&server, Duration::from_secs(60));
    let writing = tokio::spawn(async move { write(&config, &client).await });
    // Each has waited for longer than an answer may take, and has asked again meanwhile.
    while since.elapsed() < SHORT * 2 || questions(&server) < 6 {
        assert!(since.elapsed() < SHORT * 10, "{} questions", questions(&server));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!writing.is_finished(), "cut short");
    server.pause().unwrap();
    for outcome in writing.await.unwrap() {
        let error = outcome.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Unknown));
    }
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    server.resume().unwrap();
}

#[tokio::test]
async fn no_server_holds_writes_up_for_ever() {
    let (server, config) = start();
    let config = config.relaxed_timeout(SHORT * 4);
    for (config, least) in [
        (config.clone(), SHORT * 4),
        // There a client does not know its number, and cannot ask.
        (config.protocol(Protocol::Resp2), SHORT),
    ] {
        let client = Client::connect(&config).await.unwrap();
        hold_writes(&server, Duration::from_secs(60));
        let since = Instant::now();
        for outcome in write(&config, &client).await {
            let error = outcome.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Unknown));
        }
        let took = since.elapsed();
        assert!(took >= least && took < least + Duration::from_secs(4), "{took:?}");
        server.command(&["CLIENT", "UNPAUSE"]).unwrap();
    }
}
