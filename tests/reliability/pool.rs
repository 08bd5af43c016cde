//! Connections for one caller at a time, while they are cut: no turn leaks, no transaction is half
//! done or done twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alizarin::commands::{mget, set};
use alizarin::prelude::*;
use alizarin::{Config, PoolConfig, Sent};
use alizarin_testkit::{Cluster, Server};

use crate::tier::{alone, connect, report, rounds};

/// Cuts all connections to some servers, again and again, until it is told to stop.
fn cut(servers: &[&Server], pause: Duration, stop: &Arc<AtomicBool>) -> JoinHandle<u32> {
    let stop = Arc::clone(stop);
    let ports: Vec<u16> = servers.iter().filter_map(|server| server.port()).collect();
    std::thread::spawn(move || {
        let (start, mut cuts) = (Instant::now(), 0);
        while !stop.load(Ordering::Relaxed) && start.elapsed() < Duration::from_secs(600) {
            for port in &ports {
                // A server that does not answer has lost its connections already.
                let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", *port)) else {
                    continue;
                };
                let kill = b"CLIENT KILL TYPE normal SKIPME yes\r\n";
                let _ = std::io::Write::write_all(&mut stream, kill);
                let _ = std::io::Read::read(&mut stream, &mut [0; 64]);
                cuts += 1;
            }
            std::thread::park_timeout(pause);
        }
        cuts
    })
}

/// Numbers that look like chance, the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn turns_in_the_pool() {
    let _turn = alone();
    let server = Server::builder().private().modules(false).start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = PoolConfig::new().max(8).wait(Duration::from_secs(30));
    let config = server.url().parse::<Config>().unwrap().pool(pool);
    let client = runtime.block_on(Client::connect(config)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let cutter = cut(&[&server], Duration::from_millis(5), &stop);
    let tries = rounds(400, 40_000);
    let tasks: Vec<_> = (1..=64_u64)
        .map(|seed| {
            let client = client.clone();
            runtime.spawn(async move {
                let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let mut misrouted = 0;
                for _ in 0..tries {
                    let patience = Duration::from_micros(dice.roll(3_000));
                    let turn = tokio::time::timeout(patience, client.exclusive());
                    let Ok(Ok(mut held)) = turn.await else { continue };
                    let text = format!("{seed}:{}", dice.roll(1_000));
                    let echo = held.command::<String>("ECHO").arg(&text);
                    let patience = Duration::from_micros(dice.roll(500));
                    if let Ok(Ok(echoed)) = tokio::time::timeout(patience, echo).await {
                        misrouted += u32::from(echoed != text);
                    }
                    if dice.roll(3) == 0 {
                        held.close();
                    }
                }
                misrouted
            })
        })
        .collect();
    let misrouted: u32 = tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).sum();
    stop.store(true, Ordering::Relaxed);
    let cuts = cutter.join().unwrap();
    let metrics = client.pool_metrics();
    let closed = metrics.closed;
    let gone = closed.idle + closed.old + closed.unhealthy;
    let gone = gone + closed.broken + closed.dirty + closed.closed;
    report(
        "R26 turns in the pool",
        &format!(
            "{} tries of 64 tasks for 8 connections, {cuts} cuts, {} connections made: {} turns leaked, \
             {misrouted} replies misrouted",
            64 * tries,
            metrics.created,
            metrics.in_use,
        ),
    );
    assert_eq!((metrics.in_use, metrics.waiting, misrouted), (0, 0, 0), "{metrics:?}");
    assert_eq!(metrics.created, gone + metrics.idle as u64, "{metrics:?}");
    runtime.block_on(async {
        let mut all = Vec::new();
        for _ in 0..8 {
            all.push(client.exclusive().await.unwrap());
        }
    });
}

#[test]
fn transactions_that_watch() {
    let _turn = alone();
    let server = Server::builder().private().modules(false).start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(server.url().as_str())).unwrap();
    storm("one server", &runtime, &client, &[&server]);
    let cluster = Cluster::start().unwrap();
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
        "R25 transactions",
        &format!(
            "{place}: {done} done, {unknown} unknown, {refused} given up, {cuts} cuts: counted {value}"
        ),
    );
    assert_eq!(values[0], values[1]);
    assert!(done > 0 && (done..=done + unknown).contains(&value), "{done} {unknown} {value}");
}
