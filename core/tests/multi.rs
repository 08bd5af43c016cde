//! Several databases behind one client, against real servers that are killed, stopped in their
//! tracks and started again.

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

/// Two servers with a client that prefers `east`, and looks often.
fn two() -> (Server, Server, MultiBuilder) {
    let server = || Server::builder().private().start().unwrap();
    let (east, west) = (server(), server());
    let builder = quick().database("east", east.url(), 1.0).database("west", west.url(), 0.5);
    (east, west, builder)
}

fn quick() -> MultiBuilder {
    Multi::builder()
        .health_interval(MOMENT)
        .health_probe_delay(Duration::from_millis(10))
        .health_timeout(Duration::from_millis(300))
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
    let client = builder.connect().await.unwrap();
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
    assert!(since.elapsed() < Duration::from_secs(3), "{:?}", since.elapsed());
    assert_eq!(next(&mut switches).await.1, some("west"));
    assert_eq!(client.incr("writes").await.unwrap(), 1);
    east.resume().unwrap();
    assert_eq!(west.command(&["GET", "writes"]).unwrap(), "1");
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

#[tokio::test]
async fn how_many_must_be_there_at_first() {
    let (mut east, west, _) = two();
    let (east_url, west_url) = (east.url(), west.url());
    east.stop().unwrap();
    let three = || {
        quick()
            .database("east", east_url.as_str(), 1.0)
            .database("west", west_url.as_str(), 0.5)
            .database("south", west_url.as_str(), 0.2)
    };
    let error = three().connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    assert!(error.message().contains("2 of 3") && error.message().contains("east: cannot"));
    for initial in [Quorum::Majority, Quorum::Any] {
        let client = three().initial(initial).connect().await.unwrap();
        assert_eq!(multi(&client).active(), some("west"));
        assert_eq!(multi(&client).databases()[0].circuit, Circuit::Open);
        assert!(multi(&client).client_of("east").is_err());
    }
    // It is used once it is there, and steady.
    let moment = Duration::from_millis(10);
    let client = three().initial(Quorum::Any).grace(moment).failback_after(moment);
    let client = client.connect().await.unwrap();
    let mut switches = multi(&client).switches();
    east.restart().unwrap();
    assert_eq!(next(&mut switches).await.1, some("east"));
    client.set("k", "v").await.unwrap();
    assert_eq!(east.command(&["GET", "k"]).unwrap(), "v");
}

#[tokio::test]
async fn the_program_decides_at_run_time() {
    let (east, mut west, builder) = two();
    let south = Server::builder().private().start().unwrap();
    let client = builder.connect().await.unwrap();
    let multi = multi(&client);
    let mut switches = multi.switches();

    multi.set_active("west").await.unwrap();
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Chosen));
    client.set("k", "v").await.unwrap();
    assert_eq!(west.command(&["GET", "k"]).unwrap(), "v");
    // A choice counts more than a weight.
    multi.set_weight("east", 5.0).unwrap();
    assert_eq!(multi.active(), some("west"));
    multi.set_active("east").await.unwrap();
    assert_eq!(next(&mut switches).await.1, some("east"));

    multi.add("south", south.url(), 9.0).await.unwrap();
    assert_eq!(multi.active(), some("east"), "chosen by the program");
    west.stop().unwrap();
    let error = multi.set_active("west").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    assert_eq!(multi.active(), some("east"));
    multi.remove("east").await.unwrap();
    assert_eq!(next(&mut switches).await, (some("east"), some("south"), SwitchReason::Removed));
    client.set("k", "south").await.unwrap();
    assert_eq!(south.command(&["GET", "k"]).unwrap(), "south");
    assert_eq!(east.command(&["DBSIZE"]).unwrap(), "0");
    let names: Vec<String> = multi.databases().into_iter().map(|status| status.name).collect();
    assert_eq!(names, ["west", "south"]);

    multi.add("north", east.url(), 99.0).await.unwrap();
    assert_eq!(next(&mut switches).await, (some("south"), some("north"), SwitchReason::Preferred));
    multi.set_weight("north", 0.1).unwrap();
    assert_eq!(next(&mut switches).await, (some("north"), some("south"), SwitchReason::Preferred));
    let north = multi.client_of("north").unwrap();
    north.set("k", "north").await.unwrap();
    assert_eq!(east.command(&["GET", "k"]).unwrap(), "north");

    for error in [
        multi.set_active("none").await.unwrap_err(),
        multi.set_weight("none", 1.0).unwrap_err(),
        multi.set_weight("south", f64::NAN).unwrap_err(),
        multi.remove("none").await.unwrap_err(),
        multi.add("south", south.url(), 1.0).await.unwrap_err(),
        multi.add("new", "redis://:6379:x", 1.0).await.unwrap_err(),
        multi.add("new", south.url(), -1.0).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    let error = multi.add("new", west.url(), 1.0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    multi.remove("west").await.unwrap();
    multi.remove("north").await.unwrap();
    let error = multi.remove("south").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "the last one");
    client.close().await;
    assert!(switches.next().await.is_none());
}

#[tokio::test]
async fn what_is_under_way_on_a_removed_one_is_answered() {
    let (_east, _west, builder) = two();
    let client = builder.connect().await.unwrap();
    let multi = multi(&client);
    let counts: Vec<_> = (0..500)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.incr("n").await })
        })
        .collect();
    tokio::task::yield_now().await;
    multi.remove("east").await.unwrap();
    for count in counts {
        count.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_go_along_and_say_so() {
    let (mut east, west, builder) = two();
    let client = builder.connect().await.unwrap();
    let multi = multi(&client);
    let mut news = client.subscribe(["news"]).await.unwrap();
    let sharded = client.ssubscribe(["orders"]).await.unwrap();
    let mut both = sharded.merge(client.psubscribe(["p*"]).await.unwrap()).unwrap();
    multi.set_active("west").await.unwrap();
    assert_eq!(news.next().await.unwrap().unwrap(), Delivery::Gap);
    west.command(&["PUBLISH", "news", "1"]).unwrap();
    assert_eq!(&news.next_message().await.unwrap().unwrap().payload[..], b"1");
    assert_eq!(both.next().await.unwrap().unwrap(), Delivery::Gap);
    assert_eq!(both.next().await.unwrap().unwrap(), Delivery::Gap);
    west.command(&["SPUBLISH", "orders", "2"]).unwrap();
    assert_eq!(both.next_message().await.unwrap().unwrap().channel, "orders");
    west.command(&["PUBLISH", "pop", "3"]).unwrap();
    let message = both.next_message().await.unwrap().unwrap();
    assert_eq!(message.pattern.as_deref(), Some("p*"));

    multi.set_active("east").await.unwrap();
    assert_eq!(news.next().await.unwrap().unwrap(), Delivery::Gap);
    east.pause().unwrap();
    let gap = loop {
        // It may fail before it is connected again.
        match tokio::time::timeout(Duration::from_secs(20), news.next()).await.unwrap().unwrap() {
            Ok(delivery) => break delivery,
            Err(error) => assert_ne!(error.kind(), ErrorKind::Closed, "{error}"),
        }
    };
    assert_eq!(gap, Delivery::Gap);
    west.command(&["PUBLISH", "news", "4"]).unwrap();
    assert_eq!(&news.next_message().await.unwrap().unwrap().payload[..], b"4");
    east.resume().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_waits_on_the_server_ends_with_a_switch() {
    let (east, west, builder) = two();
    let client = builder.connect().await.unwrap();
    let pop = tokio::spawn({
        let client = client.clone();
        async move { client.command::<Vec<String>>("BLPOP").key("list").arg(0).await }
    });
    until("it waits on the server", || {
        east.command(&["INFO", "clients"]).unwrap().contains("blocked_clients:1")
    })
    .await;
    multi(&client).set_active("west").await.unwrap();
    let error = pop.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown), "{error}");
    until("nobody waits", || {
        east.command(&["INFO", "clients"]).unwrap().contains("blocked_clients:0")
    })
    .await;
    // The next one waits where the client is now.
    west.command(&["LPUSH", "list", "x"]).unwrap();
    let popped: Vec<String> = client.command("BLPOP").key("list").arg(0).await.unwrap();
    assert_eq!(popped, ["list", "x"]);
}

/// A cluster of one node.
async fn cluster() -> (Server, String) {
    let server = Server::builder().private().arg("--cluster-enabled", "yes").start().unwrap();
    server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    until("the cluster works", || {
        server.command(&["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok")
    })
    .await;
    let url = format!("redis+cluster://127.0.0.1:{}", server.port().unwrap());
    (server, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_are_databases_as_any_other() {
    let ((mut east, east_url), (west, west_url)) = (cluster().await, cluster().await);
    let single = Server::builder().private().start().unwrap();
    let builder = quick().database("east", east_url, 1.0).database("west", west_url, 0.5);
    let client = builder.database("single", single.url(), 0.1).connect().await.unwrap();
    let multi = multi(&client);
    let mut switches = multi.switches();
    assert!(client.is_cluster());
    client.pipeline((set("a", "east"), set("b", "east"))).await.unwrap();
    let mut orders = client.ssubscribe(["o:1", "o:2"]).await.unwrap();
    let mut expired = client.psubscribe_primaries(["__keyevent@0__:*"]).await.unwrap();

    east.pause().unwrap();
    let (pipelined, written, split) = tokio::join!(
        async { client.pipeline((get::<Option<String>>("a"), get::<Option<String>>("b"))).await },
        async { client.incr("writes").await },
        async { client.mget::<Option<String>>(["a", "b"]).await },
    );
    assert_eq!(pipelined.unwrap(), (None, None));
    assert_eq!(split.unwrap(), [None, None]);
    assert_eq!(written.unwrap_err().sent(), Sent::Unknown);
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Failed));
    let gap = async |subscription: &mut alizarin_core::Subscription| {
        loop {
            match subscription.next().await.unwrap() {
                Ok(delivery) => break delivery,
                Err(error) => assert_ne!(error.kind(), ErrorKind::Closed, "{error}"),
            }
        }
    };
    assert_eq!(gap(&mut orders).await, Delivery::Gap);
    assert_eq!(gap(&mut expired).await, Delivery::Gap);
    client.transaction((set("{k}1", "v"), set("{k}2", "v"))).await.unwrap();
    assert_eq!(west.command(&["DBSIZE"]).unwrap(), "2");
    west.command(&["SPUBLISH", "o:2", "paid"]).unwrap();
    assert_eq!(orders.next_message().await.unwrap().unwrap().channel, "o:2");

    // What is under way when it resumes is nobody's any more.
    east.resume().unwrap();
    multi.set_active("east").await.unwrap();
    let values: Vec<Option<String>> = client.mget(["a", "b"]).await.unwrap();
    assert_eq!(values, [some("east"), some("east")]);
    multi.set_active("single").await.unwrap();
    assert!(!client.is_cluster());
    client.pipeline((set("a", "single"), set("b", "single"))).await.unwrap();
    assert_eq!(single.command(&["DBSIZE"]).unwrap(), "2");
}

#[tokio::test]
async fn a_check_of_ones_own_decides() {
    let (_east, _west, builder) = two();
    let client = builder
        .health_check(|client: Client| async move {
            match client.get::<Option<String>>("closed").await? {
                None => Ok(()),
                Some(why) => Err(Error::new(ErrorKind::Connect, why)),
            }
        })
        .connect()
        .await
        .unwrap();
    let mut switches = multi(&client).switches();
    client.set("closed", "for maintenance").await.unwrap();
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Failed));
    assert_eq!(multi(&client).databases()[0].error.as_deref(), Some("for maintenance"));
}

#[tokio::test]
async fn failing_requests_alone_decide_as_well() {
    let (mut east, _west, builder) = two();
    let told = Arc::new(AtomicBool::new(false));
    let client = builder
        // It finds everything well.
        .health_check(|_| async { Ok(()) })
        .failure_detector(FailureDetector::new().failures(3).rate(0.01))
        .on_switch({
            let told = Arc::clone(&told);
            move |switch| told.store(switch.to.as_deref() == Some("west"), Ordering::SeqCst)
        })
        .connect()
        .await
        .unwrap();
    east.stop().unwrap();
    // Refused over and over, until that is once too often.
    assert_eq!(client.incr("n").await.unwrap_or(1), 1);
    assert_eq!(client.get::<Option<u64>>("none").await.unwrap(), None);
    assert_eq!(multi(&client).active(), some("west"));
    assert!(told.load(Ordering::SeqCst));
    let error = multi(&client).databases()[0].error.clone().unwrap();
    assert!(error.starts_with("too many requests failed"), "{error}");
}

#[tokio::test]
async fn wrong_options_are_refused_by_name() {
    let url = "redis://127.0.0.1:1";
    let one = || Multi::builder().database("a", url, 1.0);
    for (builder, name) in [
        (Multi::builder(), "database"),
        (one().database("a", url, 1.0), "`a`"),
        (one().database("", url, 1.0), "name"),
        (one().database("b", url, 0.0), "weight of the database `b`"),
        (one().database("b", "http://x", 1.0), "`b`"),
        (one().health_interval(Duration::ZERO), "health_interval"),
        (one().health_timeout(Duration::ZERO), "health_timeout"),
        (one().health_probes(0), "health_probes"),
        (one().failure_detector(FailureDetector::new().rate(2.0)), "rate"),
    ] {
        let error = builder.connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.message().contains(name), "{error}");
    }
    let secret = Multi::builder().database("a", "redis://u:hunter2@h", 1.0);
    assert!(!format!("{secret:?}").contains("hunter2"));
}

#[test]
fn blocking_clients_switch_too() {
    let (mut east, west, builder) = two();
    let client = builder.connect_blocking().unwrap();
    assert!(client.is_blocking());
    let multi = multi(&client);
    let mut switches = multi.switches();
    client.set("k", "v").run().unwrap();
    let (k, n) = client.pipeline((get::<String>("k"), incr("n"))).run().unwrap();
    assert_eq!((k.as_str(), n), ("v", 1));
    let mut news = client.subscribe(["news"]).run().unwrap();
    east.stop().unwrap();
    assert_eq!(client.get::<Option<String>>("k").run().unwrap(), None);
    let switch = switches.iter().next().unwrap().unwrap();
    assert_eq!((switch.to.as_deref(), switch.reason), (Some("west"), SwitchReason::Failed));
    client.incr("n").run().unwrap();
    assert_eq!(west.command(&["GET", "n"]).unwrap(), "1");
    let gap = news.iter().find_map(|delivery| delivery.ok()).unwrap();
    assert_eq!(gap, Delivery::Gap);
    client.publish("news", "here").run().unwrap();
    assert!(matches!(news.iter().next(), Some(Ok(Delivery::Message(_)))));

    east.restart().unwrap();
    multi.set_active("east").run().unwrap();
    client.incr("n").run().unwrap();
    assert_eq!(east.command(&["GET", "n"]).unwrap(), "1");
    multi.remove("west").run().unwrap();
    client.close_and_refuse();
}

/// Closing on a blocking client.
trait Closing {
    fn close_and_refuse(&self);
}

impl Closing for Client {
    fn close_and_refuse(&self) {
        async { Ok(self.close().await) }.run().unwrap();
        let error = self.ping().run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
}
