//! Many keys, many who read and write them at once.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_storm_of_writes_nothing_old_is_left() {
    const KEYS: usize = 300;
    for config in ways().into_iter().chain([CacheConfig::new().max_entries(KEYS / 3)]) {
        let (server, client, cache) = start(config).await;
        let name = |at: usize| format!("key:{at}");
        let done = Arc::new(AtomicBool::new(false));
        let readers: Vec<_> = (0..6)
            .map(|seed| {
                let (cache, done) = (cache.clone(), Arc::clone(&done));
                tokio::spawn(async move {
                    let (mut at, mut last) = (seed * 17, vec![0_u64; KEYS]);
                    while !done.load(Ordering::Relaxed) {
                        at = (at * 31 + 7) % KEYS;
                        let read = cache.get::<Option<u64>>(format!("key:{at}"));
                        if seed == 0 && at.is_multiple_of(3) {
                            // One who leaves while it is asked for.
                            let _ = tokio::time::timeout(Duration::ZERO, read).await;
                            continue;
                        }
                        let now = read.await.unwrap().unwrap_or(0);
                        assert!(now >= last[at], "{now} after {}", last[at]);
                        last[at] = now;
                    }
                })
            })
            .collect();
        let writers: Vec<_> = (0..3)
            .map(|seed| {
                let url = server.url();
                tokio::spawn(async move {
                    let client = Client::connect(url.as_str()).await.unwrap();
                    for n in 0..3_000 {
                        let at = (n * 7 + seed * 101) % KEYS;
                        client.incr(format!("key:{at}")).await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        // What is told comes in order: whoever has heard of this has heard of all before.
        client.set("end", 1).await.unwrap();
        eventually("the end", || async {
            cache.get::<Option<u64>>("end").await.unwrap().is_some()
        })
        .await;
        client.set("end", 2).await.unwrap();
        eventually("the end", || async { cache.get::<u64>("end").await.unwrap() == 2 }).await;
        for at in 0..KEYS {
            let (kept, there) =
                tokio::join!(async { cache.get::<Option<u64>>(name(at)).await.unwrap() }, async {
                    client.get::<Option<u64>>(name(at)).await.unwrap()
                },);
            assert_eq!(kept, there, "{at}");
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.await.unwrap();
        }
        assert!(cache.metrics().invalidations > 1_000, "{:?}", cache.metrics());
    }
}
