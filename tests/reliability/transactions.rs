//! Transactions whose connections are cut, whose slots move, and whose replies are lost: done once or
//! not at all, and told which where that is known.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use alizarin::commands::{mget, set};
use alizarin::prelude::*;
use alizarin::{Backoff, Command, Config, Sent};
use alizarin_core::commands::incr;
use alizarin_testkit::Server;

use crate::lost::{PAUSE, lose_replies};
use crate::pool::cut;
use crate::tier::{cluster, connect, report, rounds, server, together};

#[test]
fn transactions_that_watch() {
    let (_turn, (server, cluster)) = together(|| (server(), cluster()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(server.url().as_str())).unwrap();
    storm("one server", &runtime, &client, &[&server]);
    let client = runtime.block_on(connect(&cluster));
    let nodes: Vec<&Server> = (0..cluster.len()).map(|at| cluster.node(at)).collect();
    storm("cluster", &runtime, &client, &nodes);
}

/// Many writers of the same two keys, whose connections are cut.
fn storm(place: &str, runtime: &tokio::runtime::Runtime, client: &Client, servers: &[&Server]) {
    let stop = Arc::new(AtomicBool::new(false));
    let cutter = cut(servers, Duration::from_millis(10), &stop);
    let writers: Vec<_> = (0..16)
        .map(|_| {
            let client = client.clone();
            let rounds = rounds(50, 5_000);
            runtime.spawn(async move {
                let (mut done, mut unknown, mut refused) = (0_u64, 0_u64, 0_u64);
                for _ in 0..rounds {
                    let added = client.transaction_with(["{t}a", "{t}b"], async |tx| {
                        let now: Vec<Option<u64>> = tx.run(mget(["{t}a", "{t}b"])).await?;
                        let next = now[0].unwrap_or(0) + 1;
                        assert_eq!(now[0], now[1], "half of a transaction");
                        Ok((set("{t}a", next), set("{t}b", next)))
                    });
                    match added.await {
                        Ok(_) => done += 1,
                        Err(error) if error.sent() == Sent::Unknown => unknown += 1,
                        Err(_) => refused += 1,
                    }
                }
                (done, unknown, refused)
            })
        })
        .collect();
    let (mut done, mut unknown, mut refused) = (0, 0, 0);
    for writer in writers {
        let (a, b, c) = runtime.block_on(writer).unwrap();
        (done, unknown, refused) = (done + a, unknown + b, refused + c);
    }
    stop.store(true, Ordering::Relaxed);
    let cuts = cutter.join().unwrap();
    let get = || runtime.block_on(client.mget::<Option<u64>>(["{t}a", "{t}b"]).into_future());
    let values = get().or_else(|_| get()).unwrap();
    let value = values[0].unwrap_or(0);
    report(
        "R25 transactions that watch",
        &format!(
            "{place}: {done} done, {unknown} unknown, {refused} given up, {cuts} cuts: counted {value}; floor 0"
        ),
    );
    assert_eq!(values[0], values[1]);
    assert!(done > 0 && (done..=done + unknown).contains(&value), "{done} {unknown} {value}");
}

#[test]
fn transactions_whose_slot_moves() {
    let (_turn, cluster) = together(cluster);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let slot = cluster.node(0).command(&["CLUSTER", "KEYSLOT", "{b}"]).unwrap();
    let slot: u16 = slot.trim().parse().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            runtime.spawn(async move {
                let (mut done, mut unknown, mut refused) = (0_u64, 0_u64, 0_u64);
                while !stop.load(Ordering::Relaxed) {
                    match client.transaction((incr("{b}one"), incr("{b}two"))).await {
                        Ok((one, two)) => {
                            assert_eq!(one, two, "half of a transaction");
                            done += 1;
                        }
                        Err(error) if error.sent() == Sent::Unknown => unknown += 1,
                        Err(_) => refused += 1,
                    }
                }
                (done, unknown, refused)
            })
        })
        .collect();
    let home = cluster.primary_of("{b}").unwrap();
    let away = cluster.primary_of("{c}").unwrap();
    let moves = rounds(6, 60);
    for round in 0..moves {
        let (from, to) = if round % 2 == 0 { (home, away) } else { (away, home) };
        cluster.move_slot(slot, from, to).unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    let (mut done, mut unknown, mut refused) = (0, 0, 0);
    for writer in writers {
        let (a, b, c) = runtime.block_on(writer).unwrap();
        (done, unknown, refused) = (done + a, unknown + b, refused + c);
    }
    let values = client.mget::<u64>(["{b}one", "{b}two"]).into_future();
    let values = runtime.block_on(values).unwrap();
    report(
        "R25 transactions whose slot moves",
        &format!(
            "{moves} moves: {done} done, {unknown} unknown, {refused} refused whole, counted {}; floor 0",
            values[0]
        ),
    );
    assert_eq!(values[0], values[1]);
    assert!(
        done > 0 && (done..=done + unknown).contains(&values[0]),
        "{done} {unknown} {values:?}"
    );
}

#[test]
fn transactions_whose_reply_is_lost_or_that_the_server_refuses() {
    let (_turn, server) = together(server);
    let lost = Arc::new(AtomicU64::new(0));
    let port = lose_replies(&server, "EXEC", Arc::clone(&lost));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let count = rounds(100, 2_000) as u64;
    let (unknown, aborted) = runtime.block_on(async {
        let config = Config::new().tcp("127.0.0.1", port);
        let client = Client::connect(config.backoff(Backoff::constant(PAUSE))).await.unwrap();
        let mut unknown = 0;
        for _ in 0..count {
            let error = client.transaction((incr("one"), incr("two"))).await.unwrap_err();
            unknown += u64::from(error.sent() == Sent::Unknown);
        }
        let client = Client::connect(server.url().as_str()).await.unwrap();
        let mut aborted = 0;
        for _ in 0..count {
            let wrong = Command::<String>::new("GET").arg(("too", "many"));
            let error = client.transaction((incr("aborted"), wrong)).await.unwrap_err();
            aborted += u64::from(error.sent() == Sent::Yes);
        }
        (unknown, aborted)
    });
    let read = |key| server.command(&["GET", key]).unwrap();
    report(
        "R25 transactions cut between EXEC and its reply",
        &format!(
            "{count}: {unknown} told as unknown, {} and {} executed; {aborted} of {count} with a wrong \
             command aborted whole; floor 0",
            read("one"),
            read("two")
        ),
    );
    assert_eq!((unknown, aborted, lost.load(Ordering::SeqCst)), (count, count, count));
    assert_eq!((read("one"), read("two")), (count.to_string(), count.to_string()));
    assert_eq!(server.command(&["EXISTS", "aborted"]).unwrap(), "0");
}
