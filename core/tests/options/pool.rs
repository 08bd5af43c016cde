//! The connections for one caller at a time.

use std::time::{Duration, Instant};

use alizarin_core::{Client, Command, ErrorKind, PoolConfig, ReadFrom, Sent};
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::login::{close, none_of_ours};
use crate::table::Row;
use crate::topology::{Topology, connections, until};

pub(crate) const ROWS: &[Row] = &[
    Row::new(&["pool.max", "pool.wait"], so_many_and_no_more),
    Row::new(&["pool.min_idle"], some_are_ready),
    Row::new(&["pool.idle_timeout", "pool.lifetime"], old_ones_are_replaced),
    Row::new(&["pool.check_after"], idle_ones_are_asked),
];

const SHORT: Duration = Duration::from_millis(100);

fn so_many_and_no_more(runtime: &Runtime, topology: &mut Topology) {
    let config = topology.config.clone().pool(PoolConfig::new().max(2).wait(SHORT));
    for client in clients(runtime, &config) {
        let take = || run(runtime, &client, client.exclusive_for("key"));
        let held = [take().unwrap(), take().unwrap()];
        let begun = Instant::now();
        let error = take().unwrap_err();
        let took = begun.elapsed();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::No));
        // Unless set, it is five seconds.
        let in_time = took >= SHORT && took < Duration::from_secs(4);
        assert!(in_time, "{:?}: {took:?}", topology.kind);
        drop(held);
        take().unwrap();
    }
}

/// At each server: beside the connection that all share, where there is one.
fn some_are_ready(runtime: &Runtime, topology: &mut Topology) {
    let config = topology.config.clone().pool(PoolConfig::new().min_idle(3));
    for client in clients(runtime, &config.read_from(ReadFrom::Replica)) {
        let wanted = if client.is_blocking() { 3 } else { 4 };
        until("some are ready everywhere", || {
            topology.servers().iter().all(|server| connections(server).len() >= wanted)
        });
        close(runtime, topology, client);
    }
}

/// The number of the connection that the pool gives at the moment.
fn id(runtime: &Runtime, client: &Client) -> u64 {
    let mut own = run(runtime, client, client.exclusive_for("key")).unwrap();
    run(runtime, client, own.run(Command::new("CLIENT").arg("ID"))).unwrap()
}

fn old_ones_are_replaced(runtime: &Runtime, topology: &mut Topology) {
    let pool = PoolConfig::new().idle_timeout(None).lifetime(None);
    for (pool, busy, changes) in [
        (pool.clone().lifetime(Some(SHORT)), true, true),
        (pool.clone().idle_timeout(Some(SHORT)), false, true),
        (pool, false, false),
    ] {
        for client in clients(runtime, &topology.config.clone().pool(pool.clone())) {
            let first = id(runtime, &client);
            if busy {
                until("it is replaced", || id(runtime, &client) != first);
                continue;
            }
            // What is looked at is not idle.
            std::thread::sleep(SHORT * 3);
            assert_eq!(id(runtime, &client) != first, changes, "{:?}: {pool:?}", topology.kind);
        }
    }
}

/// How many commands the servers had by all connections of ours.
fn commands(topology: &Topology) -> i64 {
    let count = |line: &String| {
        let count = line.split(' ').find_map(|word| word.strip_prefix("tot-cmds="));
        count.unwrap().parse::<i64>().unwrap()
    };
    let of_one = |server| connections(server).iter().map(count).sum::<i64>();
    topology.primaries().into_iter().map(of_one).sum()
}

fn idle_ones_are_asked(runtime: &Runtime, topology: &mut Topology) {
    none_of_ours(topology);
    for (after, asked) in [(Duration::ZERO, true), (Duration::from_secs(60), false)] {
        let config = topology.config.clone().pool(PoolConfig::new().check_after(after));
        for client in clients(runtime, &config.heartbeat(None)) {
            id(runtime, &client);
            let before = commands(topology);
            for _ in 0..3 {
                id(runtime, &client);
            }
            // All commands of a blocking client go by its pool.
            let plain = if client.is_blocking() { 3 } else { 0 };
            for n in 0..plain {
                run(runtime, &client, client.incr_by("{key}number", n)).unwrap();
            }
            // Each after a question, where it is asked.
            let expected = (3 + plain) * if asked { 2 } else { 1 };
            let more = commands(topology) - before;
            assert_eq!(more, expected, "{:?}: {after:?}", topology.kind);
            close(runtime, topology, client);
        }
    }
}
