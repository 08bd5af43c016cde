//! A server that has paused its clients, as a primary does that hands over to its replica: who waits
//! on it waits, but not on one that hangs. However many wait, it is asked as often as for one.

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

/// So many connections wait at once.
const MANY: usize = 12;

#[tokio::test]
async fn many_that_are_silent_ask_as_one() {
    let (server, config) = start();
    let limit = SHORT * 2;
    let config = config.response_timeout(limit);
    let client = Client::connect(&config).await.unwrap();
    let blocking = Client::connect_blocking(&config).unwrap();
    let mut writes = Vec::new();
    let since = Instant::now();
    hold_writes(&server, SHORT * 12);
    for at in 0..MANY {
        let (client, blocking) = (client.clone(), blocking.clone());
        writes.push(match at % 2 {
            0 => tokio::spawn(async move {
                let mut own = client.exclusive().await?;
                own.run(incr("n")).await
            }),
            _ => tokio::task::spawn_blocking(move || blocking.incr("n").run()),
        });
    }
    for write in writes {
        write.await.unwrap().unwrap();
    }
    let took = since.elapsed();
    assert!(took > SHORT * 11, "{took:?}: they were not held up");
    let most = took.as_secs_f64() / (limit / 8).as_secs_f64() + 1.0;
    let asked = f64::from(questions(&server));
    assert!((1.0..=most).contains(&asked), "{asked} questions, at most {most}");
    let n: usize = client.get("n").await.unwrap();
    assert_eq!(n, MANY);
}

#[tokio::test]
async fn many_that_wait_on_a_server_ask_as_one_whether_it_lives() {
    let (server, config) = start();
    let beat = SHORT;
    let client = Client::connect(config.heartbeat(beat)).await.unwrap();
    let pop = |list: usize| {
        let client = client.clone();
        tokio::spawn(async move {
            client.command::<(String, i64)>("BLPOP").key(format!("list:{list}")).arg(0).await
        })
    };
    let pops: Vec<_> = (0..MANY).map(pop).collect();
    let blocked = format!("blocked_clients:{MANY}");
    while !server.command(&["INFO", "clients"]).unwrap().contains(&blocked) {
        tokio::task::yield_now().await;
    }
    let connections = || {
        let stats = server.command(&["INFO", "stats"]).unwrap();
        let line = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().parse::<u32>().unwrap()
    };
    let (since, before) = (Instant::now(), connections());
    // Looking is a connection too.
    let mut looks = 1;
    while connections() - before < looks + 4 {
        looks += 1;
        assert!(since.elapsed() < beat * 40, "it was not asked");
        tokio::time::sleep(beat / 4).await;
    }
    let asked = f64::from(connections() - before - looks - 1);
    let most = since.elapsed().as_secs_f64() / (beat / 2).as_secs_f64() + 1.0;
    assert!(asked <= most, "{asked} questions, at most {most}");
    for list in 0..MANY {
        client.rpush(format!("list:{list}"), 1).await.unwrap();
    }
    for pop in pops {
        assert_eq!(pop.await.unwrap().unwrap().1, 1);
    }
}
