//! Connections for one caller at a time, while they are cut: no turn leaks, and nobody is passed over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin::{Config, PoolConfig};
use alizarin_testkit::Server;

use crate::tier::{Dice, report, rounds, server, together};

/// Cuts all connections to some servers, again and again, until it is told to stop.
pub(crate) fn cut(servers: &[&Server], pause: Duration, stop: &Arc<AtomicBool>) -> JoinHandle<u32> {
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

#[test]
fn turns_in_the_pool() {
    let (_turn, server) = together(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = PoolConfig::new().max(8).wait(Duration::from_secs(30));
    let config = server.url().parse::<Config>().unwrap().pool(pool);
    let client = runtime.block_on(Client::connect(config)).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let cutter = cut(&[&server], Duration::from_millis(5), &stop);
    let tries = rounds(400, 160_000);
    let tasks: Vec<_> = (1..=64_u64)
        .map(|seed| {
            let client = client.clone();
            runtime.spawn(async move {
                let mut dice = Dice::new(seed);
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
             {misrouted} replies misrouted; floor 0",
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
fn turns_come_in_order() {
    let (_turn, server) = together(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool = PoolConfig::new().max(1).wait(Duration::from_secs(60));
    let config = server.url().parse::<Config>().unwrap().pool(pool);
    let client = runtime.block_on(Client::connect(config)).unwrap();
    let callers = rounds(1_000, 20_000);
    let (mut dice, mut given_up) = (Dice::new(0), 0);
    let served = runtime.block_on(async {
        let first = client.exclusive().await.unwrap();
        let served = Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut running = Vec::new();
        for caller in 0..callers {
            // Some give up while they wait.
            let stays = dice.roll(4) != 0;
            let (own, served) = (client.clone(), Arc::clone(&served));
            let task = tokio::spawn(async move {
                let _held = own.exclusive().await.unwrap();
                served.lock().unwrap().push(caller);
            });
            // Each waits before the next one comes.
            while client.pool_metrics().waiting < caller + 1 - given_up {
                tokio::task::yield_now().await;
            }
            if stays {
                running.push(task);
            } else {
                task.abort();
                let _ = task.await;
                given_up += 1;
            }
        }
        drop(first);
        for task in running {
            task.await.unwrap();
        }
        Arc::into_inner(served).unwrap().into_inner().unwrap()
    });
    let early = served.windows(2).filter(|pair| pair[0] > pair[1]).count();
    report(
        "R26 order of turns",
        &format!(
            "{callers} callers, {given_up} gave up: {} served, {early} of them early; floor 0",
            served.len()
        ),
    );
    assert_eq!((served.len(), early), (callers - given_up, 0));
}
