//! A primary under Sentinel is killed: the client writes to the new one as soon as the first
//! sentinel names it, and never to a server that is no primary.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin_testkit::{Sentinel, Server};

use crate::tier::{Bar, Times, alone, report};

/// When the first sentinel names another primary.
fn first_word(ports: Vec<u16>, old: u16) -> std::thread::JoinHandle<Instant> {
    std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(60);
        let wire = format!(
            "*3\r\n$8\r\nSENTINEL\r\n$23\r\nGET-MASTER-ADDR-BY-NAME\r\n$8\r\n{}\r\n",
            Sentinel::NAME
        );
        let old = format!("\r\n{old}\r\n");
        while Instant::now() < deadline {
            for port in &ports {
                let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", *port)) else {
                    continue;
                };
                let mut reply = [0; 256];
                std::io::Write::write_all(&mut stream, wire.as_bytes()).unwrap();
                let read = std::io::Read::read(&mut stream, &mut reply).unwrap_or(0);
                let reply = String::from_utf8_lossy(&reply[..read]).into_owned();
                if reply.starts_with("*2") && !reply.contains(&old) {
                    return Instant::now();
                }
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("no sentinel names another primary")
    })
}

/// How many write commands a server has refused as a replica, or executed.
fn refused(server: &Server) -> u64 {
    let stats = server.command(&["INFO", "errorstats"]).unwrap_or_default();
    let line = stats.lines().find_map(|line| line.strip_prefix("errorstat_READONLY:count="));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

#[test]
fn a_killed_primary_under_sentinel() {
    let _turn = alone();
    let mut deployment = Sentinel::start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(deployment.url().as_str())).unwrap();
    let (mut late, mut floors) = (Times::default(), Times::default());
    let mut misdirected = 0;
    let bar = Bar { median: 100, worst: 300 };
    while late.want_more(2, 10, bar) {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (client, stop) = (client.clone(), Arc::clone(&stop));
                runtime.spawn(async move {
                    let mut fine = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        if client.set(format!("k{writer}"), writer).await.is_ok() {
                            fine.push(Instant::now());
                        }
                    }
                    fine
                })
            })
            .collect();
        std::thread::park_timeout(Duration::from_millis(300));
        let victim = deployment.primary().unwrap();
        let sentinels = (0..deployment.sentinels())
            .map(|at| deployment.sentinel_mut(at).port().unwrap())
            .collect();
        let old = deployment.server(victim).port().unwrap();
        deployment.server_mut(victim).stop().unwrap();
        let killed = Instant::now();
        let floor = first_word(sentinels, old).join().unwrap();
        std::thread::park_timeout(Duration::from_millis(1_500));
        stop.store(true, Ordering::Relaxed);
        let fine: Vec<Instant> =
            writers.into_iter().flat_map(|writer| runtime.block_on(writer).unwrap()).collect();
        let back = fine.iter().filter(|at| **at > killed + Duration::from_millis(200)).min();
        late.push(back.expect("the client comes back").saturating_duration_since(floor));
        floors.push(floor - killed);
        misdirected +=
            (0..deployment.servers()).map(|at| refused(deployment.server(at))).sum::<u64>();
        deployment.server_mut(victim).restart().unwrap();
        deployment.wait_whole().unwrap();
    }
    report(
        "R12 killed primary under Sentinel",
        &format!(
            "first OK after the first sentinel's word: median {:?}, worst {:?}; floor {:?}",
            late.median(),
            late.worst(),
            floors.median()
        ),
    );
    report("R13 writes to a server that is no primary", &format!("{misdirected}"));
    assert_eq!(misdirected, 0);
    assert!(late.meet(2, bar), "{late:?}");
}
