//! A server that is away for a moment: whoever calls meanwhile waits for it, in every way there is to
//! call.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use alizarin_core::commands::{get, incr, set};
use alizarin_core::{Client, Config, ErrorKind, Run as _, Sent};
use alizarin_testkit::Server;
use tokio::runtime::Runtime;

#[test]
fn whoever_calls_meanwhile_waits() {
    let mut server = Server::builder().private().modules(false).start().unwrap();
    let runtime = Runtime::new().unwrap();
    let config = server.url().parse::<Config>().unwrap().connect_timeout(Duration::from_secs(30));
    let shared = runtime.block_on(Client::connect(&config)).unwrap();
    let blocking = Client::connect_blocking(&config).unwrap();
    server.stop().unwrap();
    // A read waits too, so that the loss of the shared connection is known: what was written to it would
    // be lost.
    let read = shared.get::<Option<u32>>("n").into_future();
    let moment = Duration::from_millis(50);
    assert!(runtime.block_on(async { tokio::time::timeout(moment, read).await }).is_err());
    let done = Arc::new(AtomicUsize::new(0));
    let mut calls = Vec::new();
    for client in [shared, blocking] {
        for sort in 0..5 {
            let (client, done, handle) =
                (client.clone(), Arc::clone(&done), runtime.handle().clone());
            calls.push(thread::spawn(move || {
                let call = async {
                    match sort {
                        0 => client.incr("n").await.map(drop),
                        1 => client.pipeline((set("k", 1), incr("n"))).await.map(drop),
                        2 => {
                            let pop = client.command::<Option<(String, String)>>("BLPOP");
                            pop.key("list").arg(0.01).await.map(drop)
                        }
                        3 => client.exclusive().await?.run(incr("n")).await.map(drop),
                        _ => {
                            let watched = client.transaction_with("n", async |tx| {
                                let _: Option<u32> = tx.run(get("n")).await?;
                                Ok((set("k", 2),))
                            });
                            watched.await.map(drop)
                        }
                    }
                };
                let outcome = match client.is_blocking() {
                    true => call.run(),
                    false => handle.block_on(call),
                };
                done.fetch_add(1, Ordering::SeqCst);
                (sort, outcome)
            }));
        }
    }
    // Long enough for each to have tried.
    thread::park_timeout(Duration::from_millis(300));
    assert_eq!(done.load(Ordering::SeqCst), 0, "somebody did not wait");
    server.restart().unwrap();
    for call in calls {
        let (sort, outcome) = call.join().unwrap();
        outcome.unwrap_or_else(|error| panic!("{sort}: {error}"));
    }
}

#[test]
fn nobody_waits_longer_than_is_set() {
    let mut server = Server::builder().private().modules(false).start().unwrap();
    let runtime = Runtime::new().unwrap();
    let config = server.url().parse::<Config>().unwrap();
    let patient = config.clone().connect_timeout(Duration::from_millis(300));
    let hasty = config.connect_timeout(Duration::from_secs(60)).fail_fast(true);
    let clients = [patient, hasty].map(|config| {
        let shared = runtime.block_on(Client::connect(&config)).unwrap();
        [shared, Client::connect_blocking(&config).unwrap()]
    });
    server.stop().unwrap();
    let [patient, hasty] = &clients;
    let all = patient.iter().map(|one| (true, one)).chain(hasty.iter().map(|one| (false, one)));
    for (waits, client) in all {
        let start = Instant::now();
        let exclusive = async { client.exclusive().await.map(drop) };
        let error = match client.is_blocking() {
            true => exclusive.run().unwrap_err(),
            false => runtime.block_on(exclusive).unwrap_err(),
        };
        let took = start.elapsed();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No), "{error}");
        assert!(took < Duration::from_secs(20), "{took:?}");
        assert!(!waits || took >= Duration::from_millis(300), "{took:?}");
    }
}
