//! Slots move while their keys are used: no error reaches a caller, and every value is exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin_core::command::each;
use alizarin_core::commands::{get, incr};
use alizarin_testkit::Cluster;

use crate::tier::{alone, connect, report, rounds};

/// What a writer has done: increments a key, and pushes to a list, and the slowest call.
struct Done {
    calls: u64,
    rounds: u64,
    slow: Vec<Duration>,
    errors: Vec<Error>,
}

/// Counts up, pushes, reads many keys at once, until it is told to stop.
async fn work(client: Client, writer: usize, stop: Arc<AtomicBool>) -> Done {
    let mut done = Done { calls: 0, rounds: 0, slow: Vec::new(), errors: Vec::new() };
    let keys: Vec<String> = (0..30).map(|n| format!("count:{writer}:{n}")).collect();
    while !stop.load(Ordering::Relaxed) {
        for key in &keys {
            let start = Instant::now();
            if let Err(error) = client.incr(key).await {
                done.errors.push(error);
            }
            done.slow.push(start.elapsed());
        }
        let pushed: Result<u64> =
            client.command("RPUSH").key(format!("list:{writer}")).arg(done.rounds).await;
        done.errors.extend(pushed.err());
        let counts: Result<Vec<i64>> = client.pipeline(each(keys.iter().map(incr))).await;
        match counts {
            Ok(counts) => assert!(counts.iter().all(|count| *count == counts[0])),
            Err(error) => done.errors.push(error),
        }
        let all: Result<Vec<i64>> = client.command("MGET").key(&keys).await;
        match all {
            Ok(all) => assert_eq!(all.len(), keys.len()),
            Err(error) => done.errors.push(error),
        }
        done.calls += 63;
        done.rounds += 1;
    }
    done
}

#[test]
fn slots_that_move_under_load() {
    const WRITERS: usize = 8;
    let _turn = alone();
    let cluster = Cluster::start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| runtime.spawn(work(client.clone(), writer, Arc::clone(&stop))))
        .collect();
    let count = rounds(300, 3_000) as u16;
    for slot in 0..count {
        cluster.move_slot(slot, 0, 1).unwrap();
    }
    for slot in 0..count / 3 {
        cluster.move_slot(slot, 1, 2).unwrap();
    }
    let at_once = cluster.migrate(6_000, 6_999, 2).unwrap();
    stop.store(true, Ordering::Relaxed);
    let (mut calls, mut errors, mut slow) = (0, Vec::new(), Vec::new());
    for (writer, done) in writers.into_iter().enumerate() {
        let done = runtime.block_on(done).unwrap();
        runtime.block_on(async {
            let keys = (0..30).map(|n| format!("count:{writer}:{n}"));
            let counts: Vec<u64> = client.pipeline(each(keys.map(get))).await.unwrap();
            assert!(counts.iter().all(|count| *count == done.rounds * 2), "{counts:?}");
            let list: Vec<u64> =
                client.command("LRANGE").key(format!("list:{writer}")).arg((0, -1)).await.unwrap();
            assert_eq!(list, (0..done.rounds).collect::<Vec<_>>());
        });
        calls += done.calls;
        errors.extend(done.errors);
        slow.extend(done.slow);
    }
    slow.sort();
    let p99 = slow[slow.len() * 99 / 100];
    let atomic =
        if at_once { "and 1000 at once" } else { "(the server cannot move slots at once)" };
    report(
        "R9 slots that move",
        &format!(
            "{} slots {atomic}, {calls} calls: {} errors, contents exact, p99 {p99:?}, slowest {:?}",
            count + count / 3,
            errors.len(),
            slow.last().copied().unwrap_or_default()
        ),
    );
    assert!(errors.is_empty(), "{:?}", errors.first());
}

#[test]
fn futures_dropped_at_any_moment() {
    let _turn = alone();
    let cluster = Cluster::start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let cancels = rounds(100_000, 1_000_000);
    let tasks = 16;
    let before = runtime.metrics().num_alive_tasks();
    let checked: usize = runtime.block_on(async {
        let keys: Vec<String> = (0..200).map(|n| format!("value:{n}")).collect();
        for key in &keys {
            client.set(key, key).await.unwrap();
        }
        let keys = Arc::new(keys);
        let mut running = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let (client, keys) = (client.clone(), Arc::clone(&keys));
            running.spawn(async move {
                let mut seed = 0x9e37_79b9_7f4a_7c15u64 ^ (task as u64) << 17;
                let mut dice = move |of: u64| {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    seed % of
                };
                let mut checked = 0;
                for _ in 0..cancels / tasks {
                    let key = &keys[dice(200) as usize];
                    let polls = dice(6);
                    // Polled so often, then dropped.
                    match dice(3) {
                        0 => {
                            let dropped = give_up(client.get::<String>(key).into_future(), polls);
                            if let Some(value) = dropped.await {
                                assert_eq!(&value.unwrap(), key);
                                checked += 1;
                            }
                        }
                        1 => {
                            let other = &keys[dice(200) as usize];
                            let both = client.pipeline((get::<String>(key), get::<String>(other)));
                            if let Some(values) = give_up(both, polls).await {
                                assert_eq!(values.unwrap(), (key.clone(), other.clone()));
                                checked += 1;
                            }
                        }
                        _ => {
                            let value: String = client.get(key).await.unwrap();
                            assert_eq!(&value, key);
                            checked += 1;
                        }
                    }
                }
                checked
            });
        }
        let mut checked = 0;
        while let Some(one) = running.join_next().await {
            checked += one.unwrap();
        }
        checked
    });
    crate::tier::until("no task is left", || runtime.metrics().num_alive_tasks() <= before);
    report(
        "R14 dropped futures on a cluster",
        &format!(
            "{cancels} calls, most of them given up, {checked} replies checked: all their own"
        ),
    );
    assert!(checked > cancels / 4);
}

/// Polls a future so often; `None` when it was not ready by then and is dropped.
async fn give_up<F: Future + Unpin>(mut future: F, polls: u64) -> Option<F::Output> {
    let mut left = polls;
    std::future::poll_fn(move |cx| match std::pin::Pin::new(&mut future).poll(cx) {
        std::task::Poll::Ready(value) => std::task::Poll::Ready(Some(value)),
        std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(None),
        std::task::Poll::Pending => {
            left -= 1;
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }
    })
    .await
}
