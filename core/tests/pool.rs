//! Connections for one caller at a time: whose turn it is, and what comes back to the pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use alizarin_core::commands::{get, incr, set};
use alizarin_core::{Client, Config, ErrorKind, PoolConfig, Run as _, Sent};
use alizarin_testkit::{Cluster, Sentinel, Server};

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future.into_future()).await.expect("hangs")
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::task::yield_now().await;
    }
}

fn server() -> Server {
    Server::builder().private().modules(false).start().unwrap()
}

async fn client(server: &Server, pool: PoolConfig) -> Client {
    Client::connect(server.url().parse::<Config>().unwrap().pool(pool)).await.unwrap()
}

#[tokio::test]
async fn commands_that_wait_use_the_same_connection_one_after_the_other() {
    let server = server();
    let client = client(&server, PoolConfig::new()).await;
    for _ in 0..5 {
        let pop = client.command::<Option<(String, String)>>("BLPOP").key("list").arg(0.01);
        assert_eq!(within(pop).await.unwrap(), None);
    }
    let metrics = client.pool_metrics();
    assert_eq!((metrics.created, metrics.idle, metrics.in_use), (1, 1, 0));
    // One that waits holds up nobody else.
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.command::<(String, u32)>("BLPOP").key("list").arg(0).await.unwrap() }
    });
    until("it waits", || client.pool_metrics().in_use == 1).await;
    let _: u32 = within(client.command("RPUSH").key("list").arg(7)).await.unwrap();
    assert_eq!(within(waiting).await.unwrap(), ("list".to_owned(), 7));
    assert_eq!(client.pool_metrics().created, 1);
}

#[tokio::test]
async fn who_waits_comes_in_order_and_not_for_ever() {
    let server = server();
    let pool = PoolConfig::new().max(1).wait(Duration::from_secs(20));
    let client = client(&server, pool).await;
    let held = within(client.exclusive()).await.unwrap();
    let turn = Arc::new(AtomicU32::new(0));
    let mut waiting = Vec::new();
    for number in 0..20 {
        let (client, turn) = (client.clone(), Arc::clone(&turn));
        waiting.push(tokio::spawn(async move {
            let _held = client.exclusive().await.unwrap();
            assert_eq!(turn.fetch_add(1, Ordering::SeqCst), number);
        }));
    }
    until("all wait", || client.pool_metrics().waiting == 20).await;
    drop(held);
    for one in waiting {
        within(one).await.unwrap();
    }
    let hasty: Config = server.url().parse().unwrap();
    let hasty = hasty.pool(PoolConfig::new().max(1).wait(Duration::from_millis(30)));
    let client = Client::connect(hasty).await.unwrap();
    let _held = within(client.exclusive()).await.unwrap();
    let error = within(client.exclusive()).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::No));
    assert!(error.to_string().contains("`pool_max`"), "{error}");
    assert_eq!(client.pool_metrics().timeouts, 1);
}

#[tokio::test]
async fn what_is_not_clean_does_not_come_back() {
    let server = server();
    let client = client(&server, PoolConfig::new().max(1)).await;
    let mut dirty = 0;
    for words in [&["MULTI"][..], &["WATCH", "k"], &["SELECT", "1"], &["CLIENT", "NO-EVICT", "on"]]
    {
        let mut connection = within(client.exclusive()).await.unwrap();
        within(connection.command(words[0]).arg(&words[1..]).exec()).await.unwrap();
        drop(connection);
        dirty += 1;
        assert_eq!(client.pool_metrics().closed.dirty, dirty, "{words:?}");
    }
    // A future that is dropped on its way leaves a reply behind.
    let mut connection = within(client.exclusive()).await.unwrap();
    let late = connection.command::<Option<(String, String)>>("BLPOP").key("none").arg(0);
    assert!(tokio::time::timeout(Duration::from_millis(20), late).await.is_err());
    let error = within(connection.run(get::<Option<u32>>("k"))).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::No));
    drop(connection);
    assert_eq!(client.pool_metrics().closed.dirty, dirty + 1);
    // What is undone is clean.
    let mut connection = within(client.exclusive()).await.unwrap();
    for words in [&["MULTI"][..], &["DISCARD"], &["WATCH", "k"], &["UNWATCH"]] {
        within(connection.command(words[0]).arg(&words[1..]).exec()).await.unwrap();
    }
    for word in ["SUBSCRIBE", "MONITOR"] {
        let error = within(connection.command(word).arg("x").exec()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
    let error =
        within(connection.command("CLIENT").arg(["REPLY", "OFF"]).exec()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    drop(connection);
    let metrics = client.pool_metrics();
    assert_eq!((metrics.idle, metrics.closed.dirty), (1, dirty + 1));
    // Nobody finds what others left.
    let pop = client.command::<Option<(String, String)>>("BLPOP").key("list").arg(0.01);
    assert_eq!(within(pop).await.unwrap(), None);
}

#[tokio::test]
async fn dead_connections_are_found_before_they_are_used() {
    let server = server();
    let client = client(&server, PoolConfig::new()).await;
    let held =
        [within(client.exclusive()).await.unwrap(), within(client.exclusive()).await.unwrap()];
    drop(held);
    assert_eq!(client.pool_metrics().idle, 2);
    server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).unwrap();
    let mut connection = within(client.exclusive()).await.unwrap();
    within(connection.run(set("k", 1))).await.unwrap();
    let metrics = client.pool_metrics();
    // Those that the client itself noticed with its shared connection count as old.
    assert_eq!(metrics.closed.unhealthy + metrics.closed.old, 2, "{metrics:?}");
}

#[tokio::test]
async fn idle_ones_are_kept_ready_and_replaced() {
    let server = server();
    let short = Some(Duration::from_millis(60));
    let kept = client(&server, PoolConfig::new().min_idle(2).idle_timeout(short)).await;
    until("two are ready", || kept.pool_metrics().idle == 2).await;
    let held: Vec<_> = [kept.exclusive(), kept.exclusive(), kept.exclusive()].into();
    let mut three = Vec::new();
    for one in held {
        three.push(within(one).await.unwrap());
    }
    drop(three);
    until("one is closed", || kept.pool_metrics().closed.idle == 1).await;
    assert_eq!(kept.pool_metrics().idle, 2);
    let young = client(&server, PoolConfig::new().lifetime(short)).await;
    drop(within(young.exclusive()).await.unwrap());
    until("it is closed", || young.pool_metrics().closed.old == 1).await;
    kept.close().await;
    assert_eq!(within(kept.exclusive()).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn blocking_clients_share_connections_too() {
    let server = server();
    let config: Config = server.url().parse().unwrap();
    let wait = Duration::from_secs(20);
    let client =
        Client::connect_blocking(config.pool(PoolConfig::new().max(2).wait(wait))).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    client.incr("n").run().unwrap();
                }
            });
        }
    });
    assert_eq!(client.get::<u32>("n").run().unwrap(), 800);
    assert!(client.pool_metrics().created <= 2);
    let mut connection = client.exclusive().run().unwrap();
    connection.command("SELECT").arg(1).exec().run().unwrap();
    connection.run(set("k", "elsewhere")).run().unwrap();
    drop(connection);
    assert_eq!(client.get::<Option<String>>("k").run().unwrap(), None);
    assert_eq!(client.pool_metrics().closed.dirty, 1);
}

/// Adds one by reading and writing, `rounds` times in each of some tasks.
async fn count(client: &Client, key: &str, tasks: u32, rounds: u32) {
    let tasks = (0..tasks).map(|_| {
        let (client, key) = (client.clone(), key.to_owned());
        tokio::spawn(async move {
            let mut done = 0;
            while done < rounds {
                let key = key.as_str();
                let added = client.transaction_with(key, async |tx| {
                    let n: Option<u32> = tx.run(get(key)).await?;
                    Ok((set(key, n.unwrap_or(0) + 1),))
                });
                match added.await {
                    Ok(_) => done += 1,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        within(task).await.unwrap();
    }
}

#[tokio::test]
async fn no_counted_change_is_lost() {
    let server = server();
    let client = client(&server, PoolConfig::new()).await;
    count(&client, "n", 10, 20).await;
    assert_eq!(within(client.get::<u32>("n")).await.unwrap(), 200);
    assert_eq!(client.pool_metrics().closed.dirty, 0);
    let cluster = Cluster::shared().unwrap();
    let client = Client::connect(cluster.url().as_str()).await.unwrap();
    let key = format!("{{{}}}n", alizarin_testkit::unique("count"));
    count(&client, &key, 10, 10).await;
    assert_eq!(within(client.get::<u32>(&key)).await.unwrap(), 100);
    let error =
        client.transaction_with(["{a}", "{b}"], async |_| Ok((set("{a}", 1),))).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Usage, Sent::No));
    let error = within(client.exclusive()).await.unwrap_err();
    assert!(error.to_string().contains("exclusive_for"), "{error}");
}

#[tokio::test]
async fn who_always_comes_late_is_told_so() {
    let server = server();
    let client = client(&server, PoolConfig::new()).await;
    let tries = AtomicU32::new(0);
    let outcome = client.transaction_with("k", async |_| {
        tries.fetch_add(1, Ordering::Relaxed);
        client.incr("k").await?;
        Ok((set("k", "never"),))
    });
    let error = within(outcome).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let tries = tries.into_inner();
    assert!(tries > 3);
    assert_eq!(client.get::<u32>("k").await.unwrap(), tries);
    // One's own error ends it, and nothing is written.
    let outcome = client.transaction_with("k", async |_| {
        Err::<(alizarin_core::commands::Set,), _>(alizarin_core::Error::new(ErrorKind::Value, "no"))
    });
    assert_eq!(within(outcome).await.unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(client.get::<u32>("k").await.unwrap(), tries);
    assert_eq!(client.pool_metrics().closed.dirty, 0);
}

#[test]
fn blocking_transactions_watch_too() {
    let server = server();
    let client = Client::connect_blocking(server.url()).unwrap();
    let sold = client
        .transaction_with("stock", async |tx| {
            let stock: Option<u32> = tx.run(get("stock")).await?;
            Ok((set("stock", stock.unwrap_or(5) - 1), incr("sold")))
        })
        .run()
        .unwrap()
        .1;
    assert_eq!((sold, client.get::<u32>("stock").run().unwrap()), (1, 4));
}

#[test]
fn replicas_confirm_writes_or_it_is_told() {
    let mut deployment = Sentinel::builder().down_after(60_000).start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(deployment.url().as_str())).unwrap();
    let blocking = Client::connect_blocking(deployment.url().as_str()).unwrap();
    let second = Duration::from_secs(5);
    runtime.block_on(async {
        within(client.set("k", 1).confirmed_by(2, second)).await.unwrap();
        let pipeline = client.pipeline((set("a", 1), incr("n")));
        assert_eq!(within(pipeline.confirmed_by(1, second)).await.unwrap().1, 1);
    });
    assert_eq!(blocking.incr("n").confirmed_by(2, second).run().unwrap(), 2);
    let primary = deployment.primary().unwrap();
    let lost = (0..3).find(|at| *at != primary).unwrap();
    deployment.server_mut(lost).stop().unwrap();
    let soon = Duration::from_millis(50);
    let errors = [
        runtime.block_on(within(client.incr("n").confirmed_by(2, soon))).unwrap_err(),
        blocking.incr("n").confirmed_by(2, soon).run().unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Unconfirmed, Sent::Yes), "{error}");
    }
    assert_eq!(blocking.get::<u32>("n").run().unwrap(), 4);
    let cluster = Cluster::shared().unwrap();
    let client = runtime.block_on(Client::connect(cluster.url().as_str())).unwrap();
    runtime.block_on(async {
        for n in 0..20 {
            let key = alizarin_testkit::unique(&format!("confirmed{n}"));
            within(client.set(&key, n).confirmed_by(1, second)).await.unwrap();
        }
        let split = client.pipeline((set("{a}", 1), set("{b}", 1))).confirmed_by(1, second);
        assert_eq!(within(split).await.unwrap_err().kind(), ErrorKind::Usage);
    });
}
