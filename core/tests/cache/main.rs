//! The cache on real servers: it follows whoever writes.

mod cluster;
mod storm;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin_core::commands::{Script, get, hgetall, mget};
use alizarin_core::{
    Cache, CacheConfig, CacheMetrics, Client, Command, Config, ErrorKind, Result, Run as _,
};
use alizarin_testkit::Server;

/// A private server, a client that writes, and a cache.
async fn start(config: CacheConfig) -> (Server, Client, Cache) {
    let server = Server::builder().private().start().unwrap();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let cache = Client::connect(server.url().as_str()).await.unwrap().cache(config).await.unwrap();
    (server, client, cache)
}

/// Every way for the server to tell of changes.
fn ways() -> [CacheConfig; 4] {
    let new = CacheConfig::new;
    [new(), new().opt_in(), new().broadcast([""; 0]), new().no_loop().key_expiry(false)]
}

/// Asks until it is so; after ten seconds the test fails.
async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let end = Instant::now() + Duration::from_secs(10);
    while !check().await {
        assert!(Instant::now() < end, "ten seconds went by without this: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn text(cache: &Cache, key: &str) -> Option<String> {
    cache.get(key).await.unwrap()
}

/// How often the server has run a command.
async fn calls(client: &Client, name: &str) -> u64 {
    let info: String = client.command("INFO").arg("commandstats").await.unwrap();
    let start = format!("cmdstat_{name}:calls=");
    let line = info.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cache_follows_every_kind_of_write() {
    static WRITE: Script = Script::new("return redis.call('SET', KEYS[1], ARGV[1])");
    for config in ways() {
        let (_server, client, cache) = start(config.clone()).await;
        client.set("other", "scripted").await.unwrap();
        client.set("k", "first").await.unwrap();
        assert_eq!(text(&cache, "k").await.as_deref(), Some("first"));
        assert_eq!(text(&cache, "none").await, None);
        let follows = async |expected: Option<&str>| {
            eventually(&format!("{expected:?} with {config:?}"), || async {
                text(&cache, "k").await.as_deref() == expected
            })
            .await;
        };
        client.set("k", "second").await.unwrap();
        follows(Some("second")).await;
        client.append("k", "+").await.unwrap();
        follows(Some("second+")).await;
        let _: String = WRITE.invoke().key("k").arg("scripted").run(&client).await.unwrap();
        follows(Some("scripted")).await;
        client.command("RENAME").key(["k", "away"]).exec().await.unwrap();
        follows(None).await;
        client.command("RENAME").key(["away", "k"]).exec().await.unwrap();
        follows(Some("scripted")).await;
        client.command("PEXPIRE").key("k").arg(20).exec().await.unwrap();
        follows(None).await;
        client.set("k", "third").await.unwrap();
        follows(Some("third")).await;
        client.command("FLUSHALL").exec().await.unwrap();
        follows(None).await;
        client.set("k", "fourth").await.unwrap();
        follows(Some("fourth")).await;
        client.command("FLUSHDB").arg("ASYNC").exec().await.unwrap();
        follows(None).await;
        let metrics = cache.metrics();
        assert!(metrics.hits > 0 && metrics.invalidations >= 8, "{metrics:?}");
    }
}

#[tokio::test]
async fn commands_of_several_keys_follow_each() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    let read = async || cache.run(mget::<Option<u64>>(["a", "b", "a"])).await.unwrap();
    assert_eq!(read().await, [None, None, None]);
    client.set("b", 2).await.unwrap();
    eventually("b", || async { read().await == [None, Some(2), None] }).await;
    client.set("a", 1).await.unwrap();
    eventually("a", || async { read().await == [Some(1), Some(2), Some(1)] }).await;
    assert_eq!(cache.metrics().entries, 1);
    cache.forget("b");
    assert_eq!((cache.metrics().entries, cache.metrics().bytes), (0, 0));
    // Each key counts: it is found by each.
    let keys: Vec<String> = (0..1_000).map(|n| format!("many:{n}")).collect();
    let values: Vec<Option<u64>> = cache.run(mget(keys)).await.unwrap();
    assert_eq!(values.len(), 1_000);
    assert!(cache.metrics().bytes > 1_000 * 150, "{:?}", cache.metrics());
}

#[tokio::test]
async fn an_expired_key_is_not_answered_from_the_cache() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    // So that the server itself removes nothing, and tells of nothing.
    client.command("DEBUG").arg(("SET-ACTIVE-EXPIRE", 0)).exec().await.unwrap();
    client.set("k", "v").px(Duration::from_millis(30)).await.unwrap();
    assert_eq!(text(&cache, "k").await.as_deref(), Some("v"));
    eventually("its end", || async { text(&cache, "k").await.is_none() }).await;
}

#[tokio::test]
async fn an_entry_lives_no_longer_than_allowed() {
    let (_server, client, cache) = start(CacheConfig::new().ttl(Duration::from_millis(20))).await;
    client.set("k", "v").await.unwrap();
    eventually("asked again", || async {
        text(&cache, "k").await;
        cache.metrics().misses >= 3
    })
    .await;
    assert_eq!(cache.metrics().invalidations, 0);
}

#[tokio::test]
async fn the_bounds_hold_and_what_is_used_stays() {
    let config = CacheConfig::new().max_entries(100).max_bytes(64 << 10);
    let (_server, client, cache) = start(config).await;
    client.set("hot", "h").await.unwrap();
    for n in 0..1_000 {
        text(&cache, &format!("key:{n}")).await;
        assert_eq!(text(&cache, "hot").await.as_deref(), Some("h"));
        let metrics = cache.metrics();
        assert!(metrics.entries <= 100 && metrics.bytes <= 64 << 10, "{metrics:?}");
    }
    let metrics = cache.metrics();
    assert!(metrics.evictions >= 900 && metrics.hits >= 990, "{metrics:?}");
    // Bytes bound it too, and what is larger than all is not kept.
    client.set("large", "x".repeat(20 << 10)).await.unwrap();
    client.set("huge", "x".repeat(70 << 10)).await.unwrap();
    for key in ["large", "huge"] {
        text(&cache, key).await;
        assert!(cache.metrics().bytes <= 64 << 10);
    }
    let before = cache.metrics();
    text(&cache, "large").await;
    text(&cache, "huge").await;
    let after = cache.metrics();
    assert_eq!((after.hits - before.hits, after.misses - before.misses), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_tasks_ask_once() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    client.set("k", "v").await.unwrap();
    let before = calls(&client, "get").await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move { text(&cache, "k").await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().as_deref(), Some("v"));
    }
    assert_eq!(calls(&client, "get").await - before, 1);
    let CacheMetrics { hits, misses, joined, .. } = cache.metrics();
    assert_eq!((misses, hits + joined), (1, 63));
}

#[tokio::test]
async fn a_killed_connection_empties_the_cache_which_then_works_again() {
    for config in ways() {
        let (_server, client, cache) = start(config).await;
        client.set("k", "v").await.unwrap();
        // The write may be told of later than the read is answered.
        eventually("kept", || async {
            let hits = cache.metrics().hits;
            text(&cache, "k").await;
            cache.metrics().hits > hits
        })
        .await;
        let id: u64 = cache.client().command("CLIENT").arg("ID").await.unwrap();
        client.command("CLIENT").arg(("KILL", "ID", id)).exec().await.unwrap();
        eventually("empty", || async { cache.metrics().entries == 0 }).await;
        text(&cache, "k").await;
        eventually("kept", || async {
            let hits = cache.metrics().hits;
            text(&cache, "k").await;
            cache.metrics().hits > hits
        })
        .await;
        client.set("k", "w").await.unwrap();
        eventually("followed", || async { text(&cache, "k").await.as_deref() == Some("w") }).await;
    }
}

#[tokio::test]
async fn a_server_that_starts_anew_is_followed() {
    let (mut server, client, cache) = start(CacheConfig::new()).await;
    client.set("k", "v").await.unwrap();
    text(&cache, "k").await;
    server.restart().unwrap();
    eventually("empty", || async { cache.metrics().entries == 0 }).await;
    eventually("written", || async { client.set("k", "w").await.is_ok() }).await;
    eventually("read", || async { text(&cache, "k").await.as_deref() == Some("w") }).await;
}

#[tokio::test]
async fn who_writes_over_the_caches_connection_forgets_by_itself() {
    let (_server, client, cache) = start(CacheConfig::new().no_loop()).await;
    client.set("k", "v").await.unwrap();
    text(&cache, "k").await;
    cache.client().set("k", "w").await.unwrap();
    cache.client().ping().await.unwrap();
    assert_eq!(text(&cache, "k").await.as_deref(), Some("v"));
    cache.forget("k");
    assert_eq!(text(&cache, "k").await.as_deref(), Some("w"));
}

#[tokio::test]
async fn own_writes_are_seen_after_forgetting() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    for n in 0..200 {
        client.set("k", n).await.unwrap();
        cache.forget("k");
        assert_eq!(cache.get::<i32>("k").await.unwrap(), n);
    }
}

#[tokio::test]
async fn modules_and_any_type_are_followed() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    client.command("HSET").key("h").arg(("f", 1)).exec().await.unwrap();
    let fields = cache.run(hgetall::<Vec<(String, u32)>>("h")).await.unwrap();
    assert_eq!(fields, [("f".to_owned(), 1)]);
    let keys = ["j", "t", "d", "z", "s", "v", "x", "g"];
    for words in ["TS.CREATE c", "TS.CREATE d", "TS.CREATERULE c d AGGREGATION sum 10"] {
        let mut words = words.split(' ');
        let command = client.command::<String>(words.next().unwrap());
        assert_eq!(command.arg(words.collect::<Vec<_>>()).await.unwrap(), "OK");
    }
    for (key, read, write) in [
        ("j", "JSON.GET j $.a", "JSON.SET j $ {\"a\":1}"),
        ("j", "JSON.GET j $.a", "JSON.NUMINCRBY j $.a 2"),
        ("t", "TS.RANGE t - +", "TS.ADD t 1000 5"),
        ("t", "TS.RANGE t - +", "TS.ADD t 2000 6"),
        // A series that is made from another one.
        ("d", "TS.RANGE d - +", "TS.MADD c 1000 5 c 2000 6"),
        ("d", "TS.GET d", "TS.ADD c 3000 7"),
        ("z", "ZRANGE z 0 -1", "ZADD z 1 one"),
        ("s", "SMEMBERS s", "SADD s one"),
        ("v", "VCARD v", "VADD v VALUES 2 1 1 one"),
        ("v", "VCARD v", "VADD v VALUES 2 1 2 two"),
        ("x", "XLEN x", "XADD x * f v"),
        ("g", "GEOPOS g one", "GEOADD g 1 1 one"),
    ] {
        assert!(keys.contains(&key));
        let command = || {
            let mut words = read.split(' ');
            let command = Command::<Result<alizarin_core::Value>>::new(words.next().unwrap());
            command.key(words.next().unwrap()).arg(words.collect::<Vec<_>>())
        };
        // Where there is nothing yet, some answer with an error.
        let before = cache.run(command()).await.unwrap();
        let mut words = write.split(' ');
        let changed = client.command::<alizarin_core::Value>(words.next().unwrap());
        changed.arg(words.collect::<Vec<_>>()).await.unwrap();
        eventually(write, || async {
            match (&before, cache.run(command()).await.unwrap()) {
                (Ok(before), Ok(after)) => *before != after,
                (Err(_), after) => after.is_ok(),
                _ => false,
            }
        })
        .await;
    }
}

#[tokio::test]
async fn fields_that_the_server_removes_are_followed() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    client.command("HSET").key("h").arg(("a", 1, "b", 2)).exec().await.unwrap();
    let read = async || cache.run(hgetall::<Vec<(String, u32)>>("h")).await.unwrap().len();
    assert_eq!(read().await, 2);
    client.command("HPEXPIRE").key("h").arg((20, "FIELDS", 1, "a")).exec().await.unwrap();
    eventually("one field", || async { read().await == 1 }).await;
}

#[tokio::test]
async fn what_the_server_evicts_is_forgotten() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    client.set("k", "v").await.unwrap();
    text(&cache, "k").await;
    client
        .command("CONFIG")
        .arg(("SET", "maxmemory-policy", "allkeys-random"))
        .exec()
        .await
        .unwrap();
    client.command("CONFIG").arg(("SET", "maxmemory", 1)).exec().await.unwrap();
    eventually("evicted", || async {
        let _ = client.set("other", "v").await;
        cache.metrics().invalidations > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_beside_a_writer_never_go_back_and_end_at_the_last_value() {
    for config in ways() {
        let (_server, client, cache) = start(config).await;
        client.set("k", 0).await.unwrap();
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let (cache, done) = (cache.clone(), Arc::clone(&done));
                tokio::spawn(async move {
                    let (mut last, mut reads) = (0, 0_u64);
                    while !done.load(Ordering::Relaxed) {
                        let now: u64 = cache.get("k").await.unwrap();
                        assert!(now >= last, "{now} after {last}");
                        last = now;
                        reads += 1;
                        if reads.is_multiple_of(64) {
                            tokio::task::yield_now().await;
                        }
                    }
                    reads
                })
            })
            .collect();
        for _ in 0..2_000 {
            client.incr("k").await.unwrap();
        }
        eventually("the last value", || async { cache.get::<u64>("k").await.unwrap() == 2_000 })
            .await;
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.await.unwrap() > 0);
        }
    }
}

#[tokio::test]
async fn a_loop_of_hits_lets_the_runtime_hear_of_changes() {
    let (_server, client, cache) = start(CacheConfig::new()).await;
    client.set("k", 1).await.unwrap();
    assert_eq!(cache.get::<u64>("k").await.unwrap(), 1);
    client.set("k", 2).await.unwrap();
    // Nothing else yields here, and the runtime has one thread.
    let end = Instant::now() + Duration::from_secs(10);
    while cache.get::<u64>("k").await.unwrap() != 2 {
        assert!(Instant::now() < end, "no change was heard of");
    }
}

#[tokio::test]
async fn a_server_that_may_not_be_asked_is_refused() {
    let server = Server::builder().private().start().unwrap();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let user = ("SETUSER", "app", "on", ">pw", "~*", "+@all", "-client|tracking");
    client.command("ACL").arg(user).exec().await.unwrap();
    let config = client.config().clone().login("app", "pw");
    let app = Client::connect(config).await.unwrap();
    let error = app.cache(CacheConfig::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("permission"), "{error}");
    let old = format!("{}?protocol=2", server.url());
    let old = Client::connect(old.as_str()).await.unwrap();
    let error = old.cache(CacheConfig::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("RESP2"), "{error}");
}

#[test]
fn a_blocking_client_has_a_cache_too() {
    for config in ways() {
        let server = Server::builder().private().start().unwrap();
        let client = Client::connect_blocking(server.url().as_str()).unwrap();
        let cache = client.cache(config).run().unwrap();
        for n in 0..200_u64 {
            client.set("k", n).run().unwrap();
            // The server has told before it answered the write, or soon after.
            let end = Instant::now() + Duration::from_secs(10);
            while cache.get::<u64>("k").run().unwrap() != n {
                assert!(Instant::now() < end);
            }
            assert_eq!(*cache.shared(get::<u64>("k")).run().unwrap(), n);
        }
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let cache = cache.clone();
                std::thread::spawn(move || {
                    (0..500).map(|_| cache.get::<u64>("k").run().unwrap()).max()
                })
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), Some(199));
        }
        let metrics = cache.metrics();
        assert!(metrics.hits >= 1_900 && metrics.entries == 2, "{metrics:?}");
    }
}

#[test]
fn a_blocking_cache_notices_a_lost_connection_before_it_answers() {
    let mut server = Server::builder().private().start().unwrap();
    let client = Client::connect_blocking(server.url().as_str()).unwrap();
    let cache = client.cache(CacheConfig::new()).run().unwrap();
    client.set("k", "v").run().unwrap();
    assert_eq!(cache.get::<String>("k").run().unwrap(), "v");
    client.command("CLIENT").arg(("KILL", "TYPE", "normal", "SKIPME", "yes")).exec().run().unwrap();
    assert_eq!(cache.get::<String>("k").run().unwrap(), "v");
    assert_eq!((cache.metrics().misses, cache.metrics().hits), (2, 0));
    server.stop().unwrap();
    let error = cache.get::<String>("k").run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert_eq!(cache.metrics().entries, 0);
    server.restart().unwrap();
    let client = Client::connect_blocking(server.url().as_str()).unwrap();
    client.set("k", "w").run().unwrap();
    assert_eq!(cache.get::<String>("k").run().unwrap(), "w");
}

#[tokio::test]
async fn on_a_cluster_the_cache_follows_too() {
    let server = Server::builder().private().modules(false).arg("--cluster-enabled", "yes");
    // The bus is of no use to one node alone, but wants a port that exists.
    let bus = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = server.arg("--cluster-port", &bus.to_string()).start().unwrap();
    server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    let config = Config::new().cluster([("127.0.0.1", server.port().unwrap())]);
    eventually("the cluster", || async {
        server.command(&["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok")
    })
    .await;
    let client = Client::connect(config).await.unwrap();
    for config in ways() {
        let cache = client.cache(config).await.unwrap();
        let hits = cache.metrics().hits;
        client.set("k", "v").await.unwrap();
        eventually("kept", || async {
            text(&cache, "k").await.as_deref() == Some("v") && cache.metrics().hits > hits
        })
        .await;
        client.set("k", "w").await.unwrap();
        eventually("followed", || async { text(&cache, "k").await.as_deref() == Some("w") }).await;
        client.command("FLUSHALL").exec().await.unwrap();
        eventually("flushed", || async { text(&cache, "k").await.is_none() }).await;
    }
}
