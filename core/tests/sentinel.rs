//! Deployments under Redis Sentinel: finding the primary, and following it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use alizarin_core::commands::{get, set};
use alizarin_core::{
    CacheConfig, Client, Config, Delivery, Error, ErrorKind, Exclusive, Run, Sent,
};
use alizarin_testkit::Sentinel;

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future.into_future()).await.expect("hangs")
}

#[tokio::test]
async fn the_primary_is_found_though_a_sentinel_is_down() {
    let mut deployment = Sentinel::start().unwrap();
    for _ in 0..2 {
        let client = within(Client::connect(deployment.url().as_str())).await.unwrap();
        within(client.set("k", 1)).await.unwrap();
        let role: Vec<alizarin_core::Value> = within(client.command("ROLE")).await.unwrap();
        assert_eq!(role[0].as_str(), Some("master"));
        deployment.sentinel_mut(0).stop().unwrap();
    }
}

#[tokio::test]
async fn passwords_of_servers_and_sentinels_are_told_apart() {
    let deployment =
        Sentinel::builder().password("hunter2").sentinel_password("hunter3").start().unwrap();
    let url = deployment.url();
    let client = within(Client::connect(url.as_str())).await.unwrap();
    within(client.set("k", 1)).await.unwrap();
    let wrong = url.replace("hunter3", "wrong");
    let error = within(Client::connect(wrong.as_str())).await.unwrap_err();
    assert!(error.to_string().contains("sentinel"), "{error}");
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
    assert!(!format!("{client:?} {:?}", client.config()).contains("hunter"));
}

#[tokio::test]
async fn what_each_sentinel_said_is_told() {
    let deployment = Sentinel::start().unwrap();
    let url = deployment.url().replace("/mymaster", "/other");
    let error = within(Client::connect(url.as_str())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("knows no primary named `other`"), "{error}");
    let url = format!("{}?min_other_sentinels=7", deployment.url());
    let error = within(Client::connect(url.as_str())).await.unwrap_err();
    assert!(error.to_string().contains("too few other sentinels"), "{error}");
    for (url, part) in [
        ("redis+sentinel://127.0.0.1:1", "name"),
        ("redis+sentinel://127.0.0.1:x/mymaster", "port"),
        ("redis+sentinel://127.0.0.1/mymaster/x", "database"),
        ("redis+sentinel://127.0.0.1/mymaster?min_other_sentinels=x", "min_other_sentinels"),
    ] {
        let error = url.parse::<Config>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_planned_failover_loses_nothing() {
    let deployment = Sentinel::start().unwrap();
    let client = within(Client::connect(deployment.url().as_str())).await.unwrap();
    let mut news = within(client.subscribe(["news"])).await.unwrap();
    within(client.set("counter", 0)).await.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (client, over) = (client.clone(), Arc::clone(&over));
        async move {
            let (mut acknowledged, mut unknown) = (0u64, 0u64);
            while !over.load(Ordering::Relaxed) {
                match client.incr("counter").await {
                    Ok(_) => acknowledged += 1,
                    Err(_) => unknown += 1,
                }
            }
            (acknowledged, unknown)
        }
    });
    let deployment = tokio::task::spawn_blocking(move || {
        let heir = deployment.failover().unwrap();
        // Since it follows nobody any more, it counts only what it is sent.
        let counted = || deployment.server(heir).command(&["GET", "counter"]).unwrap();
        let counted = || counted().parse::<u64>().unwrap();
        let (first, deadline) = (counted(), Instant::now() + Duration::from_secs(30));
        while counted() < first + 100 {
            assert!(Instant::now() < deadline, "the client does not go over");
            std::thread::yield_now();
        }
        deployment
    });
    let _deployment = deployment.await.unwrap();
    over.store(true, Ordering::Relaxed);
    let (acknowledged, unknown) = within(writer).await.unwrap();
    let stored: u64 = within(client.get("counter")).await.unwrap();
    assert!(acknowledged > 100);
    // What Redis itself loses when a primary is deposed under load is bounded by what it had not
    // replicated; nothing is counted twice.
    assert!(stored <= acknowledged + unknown, "{stored} of {acknowledged} and {unknown}");
    // The subscription was on the old primary or has gone over; it works either way.
    within(async {
        loop {
            let _: u64 = client.publish("news", "hello").await.unwrap();
            match tokio::time::timeout(Duration::from_millis(100), news.next()).await {
                Ok(Some(Ok(Delivery::Message(message)))) => {
                    assert_eq!(&message.payload[..], b"hello");
                    break;
                }
                Ok(Some(_)) | Err(_) => {}
                Ok(None) => panic!("a stream without end"),
            }
        }
    })
    .await;
}

/// Where the server of a connection listens.
async fn port(connection: &mut Exclusive) -> u16 {
    let info: String = within(connection.command("INFO").arg("server")).await.unwrap();
    let port = info.lines().find_map(|line| line.strip_prefix("tcp_port:"));
    port.unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposed_primary_is_left_before_it_knows() {
    let deployment = Sentinel::start().unwrap();
    let client = within(Client::connect(deployment.url().as_str())).await.unwrap();
    let before = deployment.primary().unwrap();
    let mut news = within(client.subscribe(["news"])).await.unwrap();
    let told = async |subscription: &mut alizarin_core::Subscription| {
        within(async {
            while let Some(delivery) = subscription.next().await {
                match delivery {
                    Ok(Delivery::Gap) => return,
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => {}
                }
            }
        })
        .await;
    };
    let cache = within(client.cache(CacheConfig::new())).await.unwrap();
    within(client.set("k", 1)).await.unwrap();
    assert_eq!(within(cache.get::<u32>("k")).await.unwrap(), 1);
    // A connection that has spoken to the server, and one that has not.
    let mut used = within(client.exclusive()).await.unwrap();
    within(used.run(set("begun", 1))).await.unwrap();
    let mut unused = within(client.exclusive()).await.unwrap();
    // And a transaction that has read, but not written.
    let (attempts, gate) = (Arc::new(AtomicU32::new(0)), Arc::new(tokio::sync::Notify::new()));
    let transaction = tokio::spawn({
        let (client, attempts, gate) = (client.clone(), Arc::clone(&attempts), Arc::clone(&gate));
        async move {
            client
                .transaction_with("sum", async |tx| {
                    let sum: Option<u32> = tx.run(get("sum")).await?;
                    if attempts.fetch_add(1, Ordering::Relaxed) == 0 {
                        gate.notified().await;
                    }
                    Ok((set("sum", sum.unwrap_or(0) + 1),))
                })
                .await
        }
    });
    within(async {
        while attempts.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    drop(within(client.exclusive()).await.unwrap());
    let closed = client.pool_metrics().closed.old;
    let deployment = tokio::task::spawn_blocking(move || {
        let heir = deployment.failover().unwrap();
        (deployment, heir)
    });
    told(&mut news).await;
    let (deployment, heir) = within(deployment).await.unwrap();
    let heir = deployment.server(heir);
    let knows_nothing =
        || deployment.server(before).command(&["ROLE"]).unwrap().starts_with("master");
    assert!(knows_nothing());
    assert_eq!(heir.command(&["PUBSUB", "NUMSUB", "news"]).unwrap(), "news\n1");
    heir.command(&["PUBLISH", "news", "hello"]).unwrap();
    let message = within(news.next_message()).await.unwrap().unwrap();
    assert_eq!(&message.payload[..], b"hello");
    heir.command(&["SET", "k", "2"]).unwrap();
    within(async { while cache.get::<u32>("k").await.unwrap() != 2 {} }).await;
    within(client.set("k", 3)).await.unwrap();
    assert_eq!(heir.command(&["GET", "k"]).unwrap(), "3");
    assert!(client.pool_metrics().closed.old > closed);
    assert_eq!(Some(port(&mut unused).await), heir.port());
    assert_eq!(Some(port(&mut within(client.exclusive()).await.unwrap()).await), heir.port());
    let error = within(used.run(set("begun", 2))).await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::No), "{error}");
    gate.notify_one();
    within(transaction).await.unwrap().unwrap();
    assert_eq!(attempts.load(Ordering::Relaxed), 2);
    assert_eq!(heir.command(&["GET", "sum"]).unwrap(), "1");
    assert!(knows_nothing());
}

#[test]
fn a_blocking_client_follows_too() {
    let mut deployment = Sentinel::start().unwrap();
    let client = Client::connect_blocking(deployment.url().as_str()).unwrap();
    client.set("k", 1).run().unwrap();
    let before = deployment.primary().unwrap();
    deployment.server_mut(before).stop().unwrap();
    deployment.wait_for_primary(|primary| primary != before).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.set("k", 2).run().is_err() {
        assert!(Instant::now() < deadline);
    }
    let value: u32 = client.get("k").run().unwrap();
    assert_eq!(value, 2);
}

/// How many `GET`s the servers have answered: the primary, and the others.
fn gets(deployment: &Sentinel) -> (u64, Vec<u64>) {
    let primary = deployment.primary().unwrap();
    let asked = |at: usize| {
        let stats = deployment.server(at).command(&["INFO", "commandstats"]).unwrap_or_default();
        let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_get:calls="));
        line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0)
    };
    let others = (0..deployment.servers()).filter(|at| *at != primary).map(asked).collect();
    (asked(primary), others)
}

/// Reads through a client until both replicas answer, and no longer the primary.
fn reads_at_replicas(deployment: &Sentinel, read: impl Fn() -> String) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let (primary, others) = gets(deployment);
        for _ in 0..10 {
            assert_eq!(read(), "value");
        }
        let (primary_after, after) = gets(deployment);
        if primary_after == primary && after.iter().zip(&others).all(|(now, then)| now > then) {
            return;
        }
        assert!(Instant::now() < deadline, "{primary} {others:?}, {primary_after} {after:?}");
    }
}

/// Waits until all servers have the key.
fn everybody_has_it(deployment: &Sentinel) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let has = |at| deployment.server(at).command(&["EXISTS", "key"]).unwrap() == "1";
    while !(0..deployment.servers()).all(has) {
        assert!(Instant::now() < deadline);
    }
}

#[test]
fn replicas_answer_what_only_reads() {
    let mut deployment = Sentinel::start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = format!("{}?read_from=replica", deployment.url());
    let client = runtime.block_on(within(Client::connect(url.as_str()))).unwrap();
    runtime.block_on(within(client.set("key", "value"))).unwrap();
    everybody_has_it(&deployment);
    let read = || runtime.block_on(within(client.get::<String>("key"))).unwrap();
    reads_at_replicas(&deployment, read);
    // A lost replica is not missed: the others answer, and the primary where there is none.
    let primary = deployment.primary().unwrap();
    for at in (0..deployment.servers()).filter(|at| *at != primary) {
        deployment.server_mut(at).stop().unwrap();
        for _ in 0..20 {
            assert_eq!(read(), "value");
        }
    }
    for at in (0..deployment.servers()).filter(|at| *at != primary) {
        deployment.server_mut(at).restart().unwrap();
    }
    deployment.wait_whole().unwrap();
    reads_at_replicas(&deployment, read);
    // The new primary was a replica, and the old one becomes one.
    deployment.failover().unwrap();
    deployment.wait_whole().unwrap();
    reads_at_replicas(&deployment, read);
    runtime.block_on(within(client.close()));
    let error = runtime.block_on(within(client.get::<String>("key"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn a_cursor_means_something_to_the_server_that_gave_it() {
    let deployment = Sentinel::start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let url = format!("{}?read_from=replica", deployment.url());
    let client = runtime.block_on(within(Client::connect(url.as_str()))).unwrap();
    let fields: Vec<(String, u32)> = (0..5_000).map(|n| (format!("field-{n}"), n)).collect();
    runtime.block_on(async {
        within(client.command::<u64>("HSET").key("hash").arg(&fields)).await.unwrap();
        within(client.set("key", "value")).await.unwrap();
    });
    everybody_has_it(&deployment);
    reads_at_replicas(&deployment, || runtime.block_on(within(client.get("key"))).unwrap());
    let (mut cursor, mut seen) = (0, std::collections::HashSet::new());
    loop {
        let page = client.command("HSCAN").key("hash").arg(cursor);
        let (next, page): (u64, Vec<(String, u32)>) = runtime.block_on(within(page)).unwrap();
        seen.extend(page);
        cursor = next;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 5_000);
}

#[test]
fn replicas_answer_a_blocking_client_too() {
    let mut deployment = Sentinel::start().unwrap();
    let url = format!("{}?read_from=replica&topology_interval=1s", deployment.url());
    let client = Client::connect_blocking(url.as_str()).unwrap();
    client.set("key", "value").run().unwrap();
    everybody_has_it(&deployment);
    let read = || client.get::<String>("key").run().unwrap();
    reads_at_replicas(&deployment, read);
    let primary = deployment.primary().unwrap();
    let lost = (0..deployment.servers()).find(|at| *at != primary).unwrap();
    deployment.server_mut(lost).stop().unwrap();
    for _ in 0..20 {
        assert_eq!(read(), "value");
    }
    deployment.server_mut(lost).restart().unwrap();
    deployment.wait_whole().unwrap();
    reads_at_replicas(&deployment, read);
}

#[tokio::test]
async fn a_cache_follows_a_failover() {
    let deployment = Sentinel::start().unwrap();
    let url = deployment.url();
    let client = within(Client::connect(url.as_str())).await.unwrap();
    let cache = within(client.cache(CacheConfig::new())).await.unwrap();
    let blocking = tokio::task::spawn_blocking(move || {
        let client = Client::connect_blocking(url.as_str()).unwrap();
        client.cache(CacheConfig::new()).run().unwrap()
    });
    let blocking = blocking.await.unwrap();
    let here = || {
        let blocking = blocking.clone();
        tokio::task::spawn_blocking(move || blocking.get::<Option<u64>>("k").run())
    };
    let mut n = 0;
    for _ in 0..2 {
        for _ in 0..20 {
            n += 1;
            let end = Instant::now() + Duration::from_secs(20);
            // Never what was there before the last one that was seen, and soon this.
            while within(cache.get::<u64>("k")).await.ok() != Some(n) {
                assert!(Instant::now() < end, "{n} was not heard of");
                // What the deposed primary took in while the heir was promoted is lost with it.
                if within(client.get::<Option<u64>>("k")).await.ok() != Some(Some(n)) {
                    let written = within(client.set("k", n)).await;
                    let lost = |error: &Error| error.kind() == ErrorKind::Disconnected;
                    assert!(written.as_ref().err().is_none_or(lost), "{written:?}");
                }
            }
            while !matches!(here().await.unwrap(), Ok(Some(seen)) if seen == n) {
                assert!(Instant::now() < end, "{n} was not heard of by the blocking one");
            }
        }
        let primary = deployment.failover().unwrap();
        deployment.wait_for_primary(|at| at == primary).unwrap();
    }
}
