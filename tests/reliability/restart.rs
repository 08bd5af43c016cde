//! One server that dies, hangs, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin::Sent;
use alizarin::command::Flags;
use alizarin::commands::set;
use alizarin::prelude::*;
use alizarin_core::IntoCommand as _;

use crate::floor::{address, first_ok};
use crate::tier::{Bar, Times, alone, report, server, until};

#[test]
fn a_server_that_restarts() {
    let (_turn, mut server) = alone(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(server.url().as_str())).unwrap();
    let (mut after_floor, mut floors) = (Times::default(), Times::default());
    let (mut errors, mut unknown, mut rounds) = (0, 0, 0);
    let bar = Bar { median: 50, worst: 150 };
    while after_floor.want_more(3, 20, bar) {
        rounds += 1;
        let stop = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let (client, stop) = (client.clone(), Arc::clone(&stop));
                runtime.spawn(async move {
                    let (mut oks, mut errors, mut unknown) = (Vec::new(), 0, 0);
                    while !stop.load(Ordering::Relaxed) {
                        let write = set(format!("k{caller}"), "x");
                        let outcome = match caller % 4 {
                            0 | 1 => client.get::<Option<String>>("k").await.map(drop),
                            2 => client
                                .run(write.into_command().flags(Flags::IDEMPOTENT))
                                .await
                                .map(drop),
                            _ => client.run(write).await.map(drop),
                        };
                        match outcome {
                            Ok(()) => oks.push(Instant::now()),
                            // Nobody has said that it may be sent again.
                            Err(error) if caller % 4 == 3 && error.sent() == Sent::Unknown => {
                                unknown += 1;
                            }
                            Err(_) => errors += 1,
                        }
                    }
                    (oks, errors, unknown)
                })
            })
            .collect();
        std::thread::park_timeout(Duration::from_millis(200));
        server.stop().unwrap();
        let killed = Instant::now();
        std::thread::park_timeout(Duration::from_millis(2_000));
        let floor = first_ok(vec![address(&server)], &["PING"]);
        let restarted = Instant::now();
        server.restart().unwrap();
        let floor = floor.join().unwrap();
        floors.push(floor.saturating_duration_since(restarted));
        std::thread::park_timeout(Duration::from_millis(400));
        stop.store(true, Ordering::Relaxed);
        let mut back = Vec::new();
        for caller in callers {
            let (oks, failed, untold) = runtime.block_on(caller).unwrap();
            (errors, unknown) = (errors + failed, unknown + untold);
            back.extend(oks.into_iter().filter(|at| *at > killed + Duration::from_millis(500)));
        }
        let back = back.into_iter().min().expect("the client comes back");
        after_floor.push(back.saturating_duration_since(floor));
    }
    report(
        "R1 restart in place",
        &format!(
            "first OK after the server's floor: median {:?}, worst {:?}; {errors} errors, {unknown} writes of \
             unknown outcome in {rounds} kills; floor {:?}",
            after_floor.median(),
            after_floor.worst(),
            floors.median()
        ),
    );
    assert_eq!(errors, 0);
    // Each of the two that ask for no repetition had one under way.
    assert!(unknown <= 2 * rounds, "{unknown} in {rounds}");
    assert!(after_floor.meet(3, bar), "{after_floor:?}");
}

#[test]
fn a_herd_comes_back_without_a_stampede() {
    const CLIENTS: usize = 200;
    let (_turn, mut server) = alone(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let clients: Vec<Client> = runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..CLIENTS {
            clients.push(Client::connect(server.url().as_str()).await.unwrap());
        }
        clients
    });
    server.stop().unwrap();
    std::thread::park_timeout(Duration::from_millis(1_000));
    let floor = first_ok(vec![address(&server)], &["PING"]);
    let begun = Instant::now();
    server.restart().unwrap();
    let floor = floor.join().unwrap();
    let asked: Vec<_> = clients
        .iter()
        .map(|client| {
            let client = client.clone();
            runtime
                .spawn(async move { client.get::<Option<u8>>("k").await.map(|_| Instant::now()) })
        })
        .collect();
    let last = asked.into_iter().map(|one| runtime.block_on(one).unwrap().unwrap()).max().unwrap();
    let back = last.saturating_duration_since(floor);
    let stats = server.command(&["INFO", "stats"]).unwrap();
    let made = stats.lines().find_map(|line| line.strip_prefix("total_connections_received:"));
    let made: usize = made.unwrap().trim().parse().unwrap();
    report(
        "R19 herd",
        &format!(
            "{CLIENTS} clients back after {back:?}, {made} connections made; floor {:?}",
            floor.saturating_duration_since(begun)
        ),
    );
    assert!(made <= 2 * CLIENTS, "{made}");
    assert!(back <= Duration::from_millis(1_500), "{back:?}");
}

#[test]
fn a_client_that_closes_answers_everybody() {
    let (_turn, server) = alone(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let took = runtime.block_on(async {
        let client = Client::connect(server.url().as_str()).await.unwrap();
        let mut waiting = Vec::new();
        for count in 0..1_000 {
            let client = client.clone();
            waiting.push(tokio::spawn(async move { client.set(format!("k{count}"), count).await }));
        }
        tokio::task::yield_now().await;
        let start = Instant::now();
        client.close().await;
        let mut resolved = 0;
        for one in waiting {
            match one.await.unwrap() {
                Ok(_) => resolved += 1,
                Err(error) => {
                    assert_eq!((error.kind(), error.sent()), (ErrorKind::Closed, Sent::No));
                    resolved += 1;
                }
            }
        }
        assert_eq!(resolved, 1_000);
        start.elapsed()
    });
    // The task that owned the connection ends right behind its last words.
    until("no task is left", || runtime.metrics().num_alive_tasks() == 0);
    let tasks = runtime.metrics().num_alive_tasks();
    report(
        "R30 shutdown",
        &format!("1000 in flight resolved after {took:?}, {tasks} tasks left; floor 0"),
    );
    assert!(took <= Duration::from_secs(1), "{took:?}");
    assert_eq!(tasks, 0);
}
