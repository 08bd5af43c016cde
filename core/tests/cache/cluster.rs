//! The caches of clients of a cluster: they follow writes, slots and primaries.

use std::time::{Duration, Instant};

use alizarin_core::commands::mget;
use alizarin_core::{Cache, CacheConfig, Client, Config, ReadFrom, Run as _};
use alizarin_testkit::Cluster;

/// A key of each of the three shards.
const KEYS: [&str; 3] = ["{b}k", "{c}k", "{a}k"];

/// Asks until it is so; after half a minute the test fails.
fn eventually(what: &str, mut check: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !check() {
        assert!(Instant::now() < end, "half a minute went by without this: {what}");
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn read(cache: &Cache, key: &str) -> Option<u64> {
    cache.get(key).run().unwrap()
}

/// Writes, and waits until the cache has heard of it and keeps what is there now.
fn follows(client: &Client, cache: &Cache, key: &str, value: u64) {
    client.set(key, value).run().unwrap();
    eventually("followed", || read(cache, key) == Some(value));
    let hits = cache.metrics().hits;
    eventually("kept", || read(cache, key) == Some(value) && cache.metrics().hits > hits);
}

#[test]
fn a_blocking_cache_follows_a_cluster() {
    let cluster = Cluster::start().unwrap();
    let client = Client::connect_blocking(cluster.url().as_str()).unwrap();
    let new = CacheConfig::new;
    for config in [new(), new().opt_in(), new().broadcast([""; 0]), new().no_loop()] {
        let cache = client.cache(config).run().unwrap();
        for (value, key) in (1..).zip(KEYS) {
            follows(&client, &cache, key, value);
            follows(&client, &cache, key, value * 10);
        }
        let sum = |cache: &Cache| {
            let values: Vec<Option<u64>> = cache.run(mget(KEYS)).run().unwrap();
            values.into_iter().flatten().sum::<u64>()
        };
        // Keys of several primaries are answered, and not kept.
        let entries = cache.metrics().entries;
        assert_eq!((sum(&cache), cache.metrics().entries), (60, entries));
        let same: Vec<Option<u64>> = cache.run(mget([KEYS[0], "{b}none"])).run().unwrap();
        assert_eq!((same, cache.metrics().entries), (vec![Some(10), None], entries + 1));
        client.command("FLUSHALL").exec().run().unwrap();
        eventually("flushed", || KEYS.iter().all(|key| read(&cache, key).is_none()));
    }
}

/// How often a node has said that a slot is elsewhere.
fn redirections(cluster: &Cluster) -> u64 {
    let of = |at: usize| {
        let stats = cluster.node(at).command(&["INFO", "errorstats"]).unwrap();
        let count = stats.lines().find_map(|line| line.strip_prefix("errorstat_MOVED:count="));
        count.map_or(0, |count| count.trim().parse::<u64>().unwrap())
    };
    (0..cluster.len()).map(of).sum()
}

#[test]
fn a_blocking_client_learns_of_a_primary_that_hands_over() {
    let cluster = Cluster::start().unwrap();
    let client = Client::connect_blocking(cluster.url().as_str()).unwrap();
    client.set(KEYS[0], 1).run().unwrap();
    cluster.failover("{b}").unwrap();
    client.set(KEYS[0], 2).run().unwrap();
    eventually("learned", || {
        let before = redirections(&cluster);
        client.set(KEYS[0], 3).run().unwrap();
        redirections(&cluster) == before
    });
    let before = redirections(&cluster);
    for n in 0..100 {
        client.set(KEYS[0], n).run().unwrap();
    }
    assert_eq!(redirections(&cluster), before);
}

#[test]
fn a_blocking_cache_follows_slots_and_primaries() {
    let mut cluster = Cluster::start().unwrap();
    let client = Client::connect_blocking(cluster.url().as_str()).unwrap();
    let cache = client.cache(CacheConfig::new()).run().unwrap();
    for key in KEYS {
        follows(&client, &cache, key, 1);
    }
    cluster.failover("{b}").unwrap();
    follows(&client, &cache, KEYS[0], 2);
    let slot = client.command("CLUSTER").arg(("KEYSLOT", KEYS[1])).run().unwrap();
    let (from, to) = (cluster.primary_of("{c}").unwrap(), cluster.primary_of("{a}").unwrap());
    cluster.move_slot(slot, from, to).unwrap();
    follows(&client, &cache, KEYS[1], 3);
    let victim = cluster.primary_of("{a}").unwrap();
    cluster.node_mut(victim).stop().unwrap();
    // What was kept is dropped as soon as it is looked for; the replica answers.
    eventually("elected", || cache.get::<Option<u64>>(KEYS[2]).run().is_ok());
    follows(&client, &cache, KEYS[2], 4);
}

#[test]
fn a_key_that_was_missing_is_found_at_its_slots_next_node() {
    let cluster = Cluster::start().unwrap();
    let client = Client::connect_blocking(cluster.url().as_str()).unwrap();
    let cache = client.cache(CacheConfig::new()).run().unwrap();
    let other = Client::connect_blocking(cluster.url().as_str()).unwrap();
    assert_eq!((read(&cache, KEYS[1]), read(&cache, KEYS[1])), (None, None));
    assert_eq!(cache.metrics().hits, 1);
    let slot = other.command("CLUSTER").arg(("KEYSLOT", KEYS[1])).run().unwrap();
    let (from, to) = (cluster.primary_of("{c}").unwrap(), cluster.primary_of("{a}").unwrap());
    cluster.move_slot(slot, from, to).unwrap();
    // Of this no node tells who told of the key before.
    other.set(KEYS[1], 7).run().unwrap();
    let written = Instant::now();
    eventually("found", || read(&cache, KEYS[1]) == Some(7));
    assert!(written.elapsed() < Duration::from_secs(8), "{:?}", written.elapsed());
}

/// An async client's cache and the client that writes.
async fn start(cluster: &Cluster, config: CacheConfig) -> (Client, Cache) {
    let client = Client::connect(cluster.url().as_str()).await.unwrap();
    // It reads from primaries all the same.
    let reader: Config = cluster.url().parse().unwrap();
    let reader = Client::connect(reader.read_from(ReadFrom::Replica)).await.unwrap();
    let cache = reader.cache(config).await.unwrap();
    (client, cache)
}

async fn eventually_async(what: &str, mut check: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !check().await {
        assert!(Instant::now() < end, "half a minute went by without this: {what}");
        tokio::task::yield_now().await;
    }
}

async fn follows_async(client: &Client, cache: &Cache, key: &str, value: u64) {
    client.set(key, value).await.unwrap();
    let read = async || cache.get::<Option<u64>>(key).await.unwrap();
    eventually_async("followed", async || read().await == Some(value)).await;
    let hits = cache.metrics().hits;
    let kept = async || read().await == Some(value) && cache.metrics().hits > hits;
    eventually_async("kept", kept).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cache_follows_slots_and_primaries_in_every_way_of_being_told() {
    let cluster = Cluster::start().unwrap();
    let new = CacheConfig::new;
    let mut caches = Vec::new();
    for config in [new(), new().opt_in(), new().broadcast(["{a}", "{b}", "{c}"])] {
        caches.push(start(&cluster, config).await);
    }
    let mut value = 0;
    let mut follow = async || {
        for (client, cache) in &caches {
            for key in KEYS {
                value += 1;
                follows_async(client, cache, key, value).await;
            }
        }
    };
    follow().await;
    cluster.failover("{b}").unwrap();
    follow().await;
    let (client, cache) = &caches[0];
    let slot: u16 = client.command("CLUSTER").arg(("KEYSLOT", KEYS[1])).await.unwrap();
    // A key that is missing, and one that is written while its slot goes away.
    let missing = "{c}missing";
    assert_eq!(cache.get::<Option<u64>>(missing).await.unwrap(), None);
    let (from, to) = (cluster.primary_of("{c}").unwrap(), cluster.primary_of("{a}").unwrap());
    cluster.move_slot(slot, from, to).unwrap();
    client.set(missing, 1).await.unwrap();
    let written = Instant::now();
    let found = async || cache.get::<Option<u64>>(missing).await.unwrap() == Some(1);
    eventually_async("found", found).await;
    assert!(written.elapsed() < Duration::from_secs(8), "{:?}", written.elapsed());
    follow().await;
}

#[tokio::test]
async fn several_keys_of_one_slot_are_kept_together() {
    let cluster = Cluster::shared().unwrap();
    let (client, cache) = start(cluster, CacheConfig::new()).await;
    let keys = ["{same}:cache:1", "{same}:cache:2", "{same}:cache:3"];
    let read = async || cache.run(mget::<Option<u64>>(keys)).await.unwrap();
    assert_eq!(read().await, [None; 3]);
    assert_eq!((read().await, cache.metrics().hits), (vec![None; 3], 1));
    client.set(keys[2], 5).await.unwrap();
    eventually_async("followed", async || read().await == [None, None, Some(5)]).await;
    client.del(keys[2]).await.unwrap();
}
