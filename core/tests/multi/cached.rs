//! The cache of a client of several databases: it gives what the one in use has.

use alizarin_core::commands::{hgetall, mget};
use alizarin_core::{Cache, CacheConfig};

use super::*;

async fn read(cache: &Cache, key: &str) -> Option<String> {
    cache.get(key).await.unwrap()
}

/// Waits until a key is read as this, and from memory.
async fn kept(cache: &Cache, key: &str, value: Option<&str>) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let hits = cache.metrics().hits;
        if read(cache, key).await.as_deref() == value && cache.metrics().hits > hits {
            return;
        }
        assert!(Instant::now() < deadline, "{key} is not kept as {value:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_cache_gives_what_the_database_in_use_has() {
    let (east, west, builder) = two();
    let client = builder.connect().await.unwrap();
    for (server, value) in [(&east, "of east"), (&west, "of west")] {
        server.command(&["SET", "k", value]).unwrap();
    }
    let cache = client.cache(CacheConfig::new()).await.unwrap();
    kept(&cache, "k", Some("of east")).await;
    multi(&client).set_active("west").await.unwrap();
    // The very next read.
    assert_eq!(read(&cache, "k").await.as_deref(), Some("of west"));
    kept(&cache, "k", Some("of west")).await;
    west.command(&["SET", "k", "new"]).unwrap();
    kept(&cache, "k", Some("new")).await;
    // What changes where nobody reads at the moment is not read later from memory.
    east.command(&["SET", "k", "changed"]).unwrap();
    multi(&client).set_active("east").await.unwrap();
    assert_eq!(read(&cache, "k").await.as_deref(), Some("changed"));
    kept(&cache, "k", Some("changed")).await;
    client.set("k", "written").await.unwrap();
    cache.forget("k");
    assert_eq!(read(&cache, "k").await.as_deref(), Some("written"));
    let fields = cache.shared(hgetall::<Vec<(String, u32)>>("none")).await.unwrap();
    assert!(fields.is_empty());
}

#[tokio::test]
async fn a_cache_reads_on_when_a_database_dies_or_hangs() {
    for hangs in [false, true] {
        let (mut east, west, builder) = two();
        let client = builder.health_timeout(SHORT).connect().await.unwrap();
        for (server, value) in [(&east, "of east"), (&west, "of west")] {
            server.command(&["SET", "k", value]).unwrap();
        }
        let cache = client.cache(CacheConfig::new()).await.unwrap();
        kept(&cache, "k", Some("of east")).await;
        let begun = Instant::now();
        match hangs {
            true => east.pause().unwrap(),
            false => east.stop().unwrap(),
        }
        // Each of them is asked for; none fails.
        let mut n = 0;
        while multi(&client).active() != some("west") || n < 50 {
            n += 1;
            assert_eq!(read(&cache, &format!("none:{n}")).await, None);
        }
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        assert_eq!(read(&cache, "k").await.as_deref(), Some("of west"));
        kept(&cache, "k", Some("of west")).await;
        if hangs {
            east.resume().unwrap();
        }
    }
}

#[tokio::test]
async fn a_cache_reads_a_cluster_and_a_server_alike() {
    let (server, url) = super::kinds::cluster().await;
    let single = Server::builder().private().start().unwrap();
    let client = quick()
        .database("cluster", url, 1.0)
        .database("server", single.url(), 0.5)
        .connect()
        .await
        .unwrap();
    server.command(&["SET", "k", "of the cluster"]).unwrap();
    single.command(&["SET", "k", "of the server"]).unwrap();
    let cache = client.cache(CacheConfig::new()).await.unwrap();
    for (active, value) in [("cluster", "of the cluster"), ("server", "of the server")] {
        multi(&client).set_active(active).await.unwrap();
        kept(&cache, "k", Some(value)).await;
        let hits = cache.metrics().hits;
        for _ in 0..2 {
            let values: Vec<Option<String>> = cache.run(mget(["k"])).await.unwrap();
            assert_eq!(values, [some(value)]);
        }
        assert!(cache.metrics().hits > hits);
    }
}

#[test]
fn a_blocking_cache_gives_what_the_database_in_use_has() {
    let (mut east, west, builder) = two();
    let client = builder.connect_blocking().unwrap();
    for (server, value) in [(&east, "of east"), (&west, "of west")] {
        server.command(&["SET", "k", value]).unwrap();
    }
    let cache = client.cache(CacheConfig::new()).run().unwrap();
    let read = || cache.get::<Option<String>>("k").run().unwrap();
    assert_eq!((read(), read()), (some("of east"), some("of east")));
    assert_eq!(cache.metrics().hits, 1);
    multi(&client).set_active("west").run().unwrap();
    assert_eq!((read(), read()), (some("of west"), some("of west")));
    assert_eq!(cache.metrics().hits, 2);
    multi(&client).set_active("east").run().unwrap();
    // The other one's has taken its place.
    assert_eq!((read(), cache.metrics().hits), (some("of east"), 2));
    east.stop().unwrap();
    assert_eq!(read(), some("of west"));
    let deadline = Instant::now() + Duration::from_secs(20);
    let hits = cache.metrics().hits;
    while cache.metrics().hits == hits {
        assert_eq!(read(), some("of west"));
        assert!(Instant::now() < deadline);
    }
}
