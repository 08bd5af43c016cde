//! The cache of a blocking client of a cluster: it follows writes, slots and primaries.

use std::time::{Duration, Instant};

use alizarin_core::commands::mget;
use alizarin_core::{Cache, CacheConfig, Client, Run as _};
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
