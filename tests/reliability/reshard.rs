//! Slots move while their keys are used: no error reaches a caller, and every value is exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin_core::command::each;
use alizarin_core::commands::{get, incr};

use crate::tier::{alone, cluster, connect, report, rounds};

/// What a writer has done: increments a key, and pushes to a list, and the slowest call.
#[derive(Default)]
struct Done {
    calls: u64,
    rounds: u64,
    /// What each call took, before and after the slots began to move.
    still: Vec<Duration>,
    slow: Vec<Duration>,
    errors: Vec<Error>,
}

/// Counts up, pushes, reads many keys at once, until it is told to stop.
async fn work(
    client: Client,
    writer: usize,
    stop: Arc<AtomicBool>,
    marker: Arc<AtomicBool>,
) -> Done {
    let mut done = Done::default();
    let keys: Vec<String> = (0..30).map(|n| format!("count:{writer}:{n}")).collect();
    while !stop.load(Ordering::Relaxed) {
        for key in &keys {
            let start = Instant::now();
            if let Err(error) = client.incr(key).await {
                done.errors.push(error);
            }
            match marker.load(Ordering::Relaxed) {
                true => done.slow.push(start.elapsed()),
                false => done.still.push(start.elapsed()),
            }
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
    let (_turn, cluster) = alone(cluster);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let (stop, marker) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            runtime.spawn(work(client.clone(), writer, Arc::clone(&stop), Arc::clone(&marker)))
        })
        .collect();
    // What the calls take before anything moves.
    std::thread::park_timeout(Duration::from_millis(500));
    marker.store(true, Ordering::Relaxed);
    let count = rounds(300, 3_000) as u16;
    for slot in 0..count {
        cluster.move_slot(slot, 0, 1).unwrap();
    }
    for slot in 0..count / 3 {
        cluster.move_slot(slot, 1, 2).unwrap();
    }
    let at_once = cluster.migrate(6_000, 6_999, 2).unwrap();
    stop.store(true, Ordering::Relaxed);
    let (mut calls, mut errors) = (0, Vec::new());
    let (mut slow, mut still) = (Vec::new(), Vec::new());
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
        still.extend(done.still);
    }
    slow.sort();
    still.sort();
    let p99 = slow[slow.len() * 99 / 100];
    let still = still[still.len() * 99 / 100];
    let atomic =
        if at_once { "and 1000 at once" } else { "(the server cannot move slots at once)" };
    report(
        "R9 slots that move",
        &format!(
            "{} slots {atomic}, {calls} calls: {} errors, contents exact, p99 {p99:?}, slowest {:?}; floor: p99 {still:?} before the moves",
            count + count / 3,
            errors.len(),
            slow.last().copied().unwrap_or_default()
        ),
    );
    assert!(errors.is_empty(), "{:?}", errors.first());
    // What the servers' own work on the moves takes from two cores is in it.
    let bar = Duration::from_millis(if crate::tier::is_full() { 3 } else { 10 });
    assert!(p99 <= bar + still, "{p99:?}, {still:?} before the moves");
}
