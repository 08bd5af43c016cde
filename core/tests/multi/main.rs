//! Several databases behind one client, against real servers that are killed, stopped in their
//! tracks and started again.

mod cached;
mod control;
mod health;
mod kinds;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin_core::commands::{Script, get, incr, set};
use alizarin_core::multi::{
    Circuit, FailureDetector, Multi, MultiBuilder, Quorum, SwitchReason, Switches,
};
use alizarin_core::{Client, Delivery, Error, ErrorKind, IntoCommand, Run, Sent, Streamed};
use alizarin_testkit::Server;

const MOMENT: Duration = Duration::from_millis(50);

/// How long a server may be silent where one is stopped in its tracks.
const SHORT: Duration = Duration::from_millis(300);

/// Two servers with a client that prefers `east`, and looks often.
fn two() -> (Server, Server, MultiBuilder) {
    let server = || Server::builder().private().start().unwrap();
    let (east, west) = (server(), server());
    let builder = quick().database("east", east.url(), 1.0).database("west", west.url(), 0.5);
    (east, west, builder)
}

fn quick() -> MultiBuilder {
    Multi::builder().health_interval(MOMENT).health_probe_delay(Duration::from_millis(10))
}

fn multi(client: &Client) -> Multi {
    client.multi().expect("a client of several databases")
}

async fn next(switches: &mut Switches) -> (Option<String>, Option<String>, SwitchReason) {
    let waited = tokio::time::timeout(Duration::from_secs(20), switches.next()).await;
    let switch = waited.expect("a switch in time").expect("no end").expect("none missed");
    (switch.from, switch.to, switch.reason)
}

fn some(name: &str) -> Option<String> {
    Some(name.to_owned())
}

/// Asks until it is so.
async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is() {
        assert!(Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn everything_works_on_it() {
    let (east, west, builder) = two();
    let client = builder.connect().await.unwrap();
    assert!(client.set("k", 1).await.unwrap());
    assert_eq!(client.incr("k").await.unwrap(), 2);
    let (k, n) = client.pipeline((get::<u64>("k"), incr("n"))).await.unwrap();
    assert_eq!((k, n), (2, 1));
    let (stored, n) = client.transaction((set("t", "v"), incr("n"))).await.unwrap();
    assert!(stored && n == 2);
    static ADD: Script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    let sum: i64 = ADD.invoke().key("n").arg(5).run(&client).await.unwrap();
    assert_eq!(sum, 7);
    let mut news = client.subscribe(["news"]).await.unwrap();
    client.publish("news", "hello").await.unwrap();
    assert_eq!(&news.next_message().await.unwrap().unwrap().payload[..], b"hello");
    let popped: Option<(String, String)> =
        client.command("BLPOP").key("none").arg(0.01).await.unwrap();
    assert_eq!(popped, None);
    client.fire(set("fired", "yes").into_command());
    assert_eq!(client.get::<String>("fired").await.unwrap(), "yes");
    let wrong = client.command("INCR").key("t").exec().await.unwrap_err();
    assert_eq!((wrong.command(), wrong.sent()), (Some("INCR"), Sent::Yes));
    let refused = client.command("SELECT").arg(1).exec().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);

    assert!(!client.is_cluster() && !client.is_blocking());
    assert!(client.server().at_least(7, 0));
    assert!(format!("{client:?}").contains(&east.port().unwrap().to_string()));
    assert_eq!(east.command(&["GET", "n"]).unwrap(), "7");
    assert_eq!(west.command(&["DBSIZE"]).unwrap(), "0");
    let status = multi(&client).databases();
    assert_eq!((status[0].name.as_str(), status[0].is_active), ("east", true));
    assert_eq!((status[1].circuit, status[1].is_active), (Circuit::Closed, false));

    client.close().await;
    let error = client.ping().await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Closed, Sent::No));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_is_killed_the_other_takes_over() {
    let (mut east, west, builder) = two();
    let client = builder.connect().await.unwrap();
    let mut switches = multi(&client).switches();
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut acknowledged, mut unknown) = (0u64, 0u64);
                while !stop.load(Ordering::Relaxed) {
                    // Reads never fail.
                    client.get::<Option<u64>>("count").await.unwrap();
                    match client.incr(format!("count:{task}")).await {
                        Ok(_) => acknowledged += 1,
                        Err(error) => {
                            assert_eq!(error.sent(), Sent::Unknown, "{error}");
                            unknown += 1;
                        }
                    }
                }
                (acknowledged, unknown)
            })
        })
        .collect();
    until("all count", || east.command(&["DBSIZE"]).unwrap().parse::<u64>().unwrap() == 8).await;
    let killed = Instant::now();
    east.stop().unwrap();
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Failed));
    println!("switched {:?} after the kill", killed.elapsed());
    until("the other one counts", || {
        west.command(&["DBSIZE"]).unwrap().parse::<u64>().unwrap() == 8
    })
    .await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        let (acknowledged, unknown) = task.await.unwrap();
        assert!(acknowledged > 0 && unknown <= 2, "{acknowledged} {unknown}");
    }
    let status = multi(&client).databases();
    assert_eq!(status[0].circuit, Circuit::Open);
    assert!(status[0].error.is_some() && status[1].is_active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_hangs_is_left_and_what_may_have_run_says_so() {
    let (mut east, west, builder) = two();
    let client = builder.health_timeout(SHORT).connect().await.unwrap();
    client.set("where", "east").await.unwrap();
    west.command(&["SET", "where", "west"]).unwrap();
    let mut switches = multi(&client).switches();
    east.pause().unwrap();
    let since = Instant::now();
    let (read, written) = tokio::join!(async { client.get::<String>("where").await }, async {
        client.incr("writes").await
    },);
    assert_eq!(read.unwrap(), "west");
    let error = written.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown), "{error}");
    assert!(error.to_string().contains("the database `east` failed"), "{error}");
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    assert_eq!(next(&mut switches).await.1, some("west"));
    assert_eq!(client.incr("writes").await.unwrap(), 1);
    east.resume().unwrap();
    assert_eq!(west.command(&["GET", "writes"]).unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_write_is_repeated_that_may_have_been_executed() {
    let (mut east, west, builder) = two();
    let client = builder.health_timeout(SHORT).connect().await.unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let (mut acknowledged, mut unknown) = (0u64, 0u64);
                while !stop.load(Ordering::Relaxed) {
                    // Alone, and as a part of something.
                    match client.incr("count").await {
                        Ok(_) => acknowledged += 1,
                        Err(error) if error.sent() == Sent::Unknown => unknown += 1,
                        Err(error) => panic!("{error}"),
                    }
                    match client.transaction((incr("count"), incr("count"))).await {
                        Ok(_) => acknowledged += 2,
                        Err(error) if error.sent() == Sent::Unknown => unknown += 2,
                        Err(error) => panic!("{error}"),
                    }
                }
                (acknowledged, unknown)
            })
        })
        .collect();
    let count = |server: &Server| -> u64 {
        server.command(&["GET", "count"]).unwrap().parse().unwrap_or(0)
    };
    until("all count", || count(&east) > 1_000).await;
    east.pause().unwrap();
    until("the other one counts", || count(&west) > 1_000).await;
    stop.store(true, Ordering::Relaxed);
    let (mut acknowledged, mut unknown) = (0, 0);
    for task in tasks {
        let (own_acknowledged, own_unknown) = task.await.unwrap();
        acknowledged += own_acknowledged;
        unknown += own_unknown;
    }
    // It executes now what reached it before.
    east.resume().unwrap();
    let total = count(&east) + count(&west);
    println!("{total} counted, {acknowledged} acknowledged, {unknown} unknown");
    assert!((1..=64 * 3).contains(&unknown));
    assert!(total >= acknowledged && total <= acknowledged + unknown);
}

#[tokio::test]
async fn a_restarted_one_is_preferred_again_after_a_while() {
    let (mut east, west, builder) = two();
    let grace = Duration::from_millis(200);
    let client = builder.grace(grace).failback_after(grace).connect().await.unwrap();
    let mut switches = multi(&client).switches();
    east.stop().unwrap();
    assert_eq!(next(&mut switches).await.1, some("west"));
    let failed = Instant::now();
    client.set("k", "west").await.unwrap();
    east.restart().unwrap();
    assert_eq!(next(&mut switches).await, (some("west"), some("east"), SwitchReason::Preferred));
    assert!(failed.elapsed() >= 2 * grace, "{:?}", failed.elapsed());
    client.set("k", "east").await.unwrap();
    assert_eq!(east.command(&["GET", "k"]).unwrap(), "east");
    assert_eq!(west.command(&["GET", "k"]).unwrap(), "west");
}

#[tokio::test]
async fn without_any_requests_wait_for_one_but_not_for_ever() {
    let (mut east, mut west, builder) = two();
    let client = builder.failover_timeout(Duration::from_secs(1)).connect().await.unwrap();
    let mut switches = multi(&client).switches();
    east.stop().unwrap();
    west.stop().unwrap();
    until("none", || multi(&client).active().is_none()).await;
    let since = Instant::now();
    let error = client.incr("n").await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NoDatabase, Sent::No), "{error}");
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(text.starts_with("INCR: ") && text.contains("; east: ") && text.contains("; west: "));
    let waited = since.elapsed();
    assert!((900..5_000).contains(&waited.as_millis()), "{waited:?}");
    while next(&mut switches).await.1.is_some() {}

    // One of lower weight comes back: the grace time of a minute is not waited for.
    west.restart().unwrap();
    assert_eq!(next(&mut switches).await, (None, some("west"), SwitchReason::Recovered));
    assert_eq!(client.incr("n").await.unwrap(), 1);
}

#[tokio::test]
async fn a_request_that_waits_runs_once_one_is_back() {
    let (mut east, mut west, builder) = two();
    let client = builder.connect().await.unwrap();
    east.stop().unwrap();
    west.stop().unwrap();
    until("none", || multi(&client).active().is_none()).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.incr("n").await }
    });
    west.restart().unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 1);
}
