//! A primary under Sentinel is killed: the client writes to the new one as soon as the first
//! sentinel names it, and never to a server that is no primary.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin::Config;
use alizarin::prelude::*;
use alizarin_core::Run as _;
use alizarin_testkit::{Sentinel, Server};

use crate::play::{HELLO, play};
use crate::subscriptions::gap;
use crate::tier::{Bar, Times, alone, report, rounds, sentinels, together, until};

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
    let (_turn, mut deployment) = alone(sentinels);
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
        let sentinels = sentinel_ports(&mut deployment);
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
            "first OK after the first sentinel's word: median {:?}, worst {:?}; {misdirected} writes refused by a replica; floor {:?}",
            late.median(),
            late.worst(),
            floors.median()
        ),
    );
    assert_eq!(misdirected, 0);
    assert!(late.meet(2, bar), "{late:?}");
}

/// The ports of the sentinels.
fn sentinel_ports(deployment: &mut Sentinel) -> Vec<u16> {
    (0..deployment.sentinels()).map(|at| deployment.sentinel_mut(at).port().unwrap()).collect()
}

#[test]
fn a_planned_failover_under_sentinel() {
    let (_turn, mut deployment) = alone(sentinels);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(deployment.url().as_str())).unwrap();
    let mut news = runtime.block_on(client.subscribe(["news"])).unwrap();
    let cache = runtime.block_on(client.cache(alizarin::CacheConfig::new())).unwrap();
    let (mut late, mut stale) = (Times::default(), Times::default());
    let bar = Bar { median: 100, worst: 300 };
    let mut demoted = 0;
    while late.want_more(1, 10, bar) {
        let before = deployment.primary().unwrap();
        let _: Option<u64> = runtime.block_on(cache.get("k").into_future()).unwrap();
        let old = deployment.server(before).port().unwrap();
        let word = first_word(sentinel_ports(&mut deployment), old);
        let back = runtime.spawn(async move {
            let at = gap(&mut news).await;
            (at, news)
        });
        let heir = deployment.failover().unwrap();
        let floor = word.join().unwrap();
        let back = runtime.block_on(back).unwrap();
        news = back.1;
        late.push(back.0.saturating_duration_since(floor));
        // No message would have come from there for long, and no word of a change.
        let role = deployment.server(before).command(&["ROLE"]).unwrap();
        demoted += u32::from(!role.starts_with("master"));
        let number = late.count();
        deployment.server(heir).command(&["SET", "k", &number.to_string()]).unwrap();
        let written = Instant::now();
        let read = || runtime.block_on(cache.get::<Option<usize>>("k").into_future()).unwrap();
        while read() != Some(number) {
            assert!(written.elapsed() < Duration::from_secs(30), "the cache does not go over");
        }
        stale.push(written.elapsed());
        // The sentinels would do the same, ten seconds later.
        let port = deployment.server(heir).port().unwrap().to_string();
        deployment.server(before).command(&["REPLICAOF", "127.0.0.1", &port]).unwrap();
        deployment.wait_whole().unwrap();
    }
    report(
        "R12 planned failover under Sentinel",
        &format!(
            "{} failovers: subscribed to the new primary after the first sentinel's word: median {:?}, worst \
             {:?}; cached replies follow it after {:?}, {:?}; floor: the deposed primary was told of it in \
             time {demoted} times",
            late.count(),
            late.median(),
            late.worst(),
            stale.median(),
            stale.worst()
        ),
    );
    assert!(late.meet(1, bar), "{late:?}");
    assert!(stale.meet(1, bar), "{stale:?}");
}

/// Writes through a client until it is told to stop; gives how many were acknowledged.
fn write(
    runtime: &tokio::runtime::Runtime,
    client: &Client,
    stop: &Arc<AtomicBool>,
) -> tokio::task::JoinHandle<u64> {
    let (client, stop) = (client.clone(), Arc::clone(stop));
    runtime.spawn(async move {
        let mut acknowledged = 0;
        while !stop.load(Ordering::Relaxed) {
            acknowledged += u64::from(client.incr("counted").await.is_ok());
        }
        acknowledged
    })
}

/// Watches a deposed primary that comes back as one, until it follows another: how many writes of
/// clients it executed meanwhile.
fn executed_as_a_rival(server: &Server) -> u64 {
    let mut last = 0;
    let mut following = false;
    until("the old primary follows the new one", || {
        let Ok(info) = server.command(&["INFO", "everything"]) else { return false };
        following |= info.contains("role:slave");
        if !following {
            let line = info.lines().find_map(|line| line.strip_prefix("cmdstat_incr:calls="));
            last = line.and_then(|line| line.split(',').next()?.parse().ok()).unwrap_or(0);
        }
        following
    });
    last
}

#[test]
fn an_old_primary_that_comes_back() {
    let (_turn, mut deployment) = together(sentinels);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(deployment.url().as_str())).unwrap();
    let (mut rivals, mut kills, mut written) = (0, 0, 0);
    for _ in 0..rounds(1, 5) {
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..8).map(|_| write(&runtime, &client, &stop)).collect();
        std::thread::park_timeout(Duration::from_millis(300));
        let victim = deployment.primary().unwrap();
        deployment.server_mut(victim).stop().unwrap();
        deployment.wait_for_primary(|primary| primary != victim).unwrap();
        // It is back before anybody has told it that it is deposed.
        deployment.server_mut(victim).restart().unwrap();
        rivals += executed_as_a_rival(deployment.server(victim));
        stop.store(true, Ordering::Relaxed);
        written += writers.into_iter().map(|one| runtime.block_on(one).unwrap()).sum::<u64>();
        kills += 1;
        deployment.wait_whole().unwrap();
    }
    let refused: u64 = (0..deployment.servers()).map(|at| refused(deployment.server(at))).sum();
    report(
        "R13 old primary comes back",
        &format!(
            "{kills} kills, {written} writes: {rivals} executed by the deposed primary, {refused} refused by \
             a replica; floor 0"
        ),
    );
    assert_eq!((rivals, refused), (0, 0));
    assert!(written > 0);
}

/// A sentinel that has seen more elections than all others, and names a replica.
fn liar(named: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    play(listener, move |words| {
        let text = |text: &str| format!("${}\r\n{text}\r\n", text.len());
        let port = text(&named.to_string());
        let ip = text("127.0.0.1");
        match words {
            ["HELLO", ..] => HELLO.into(),
            ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", _] => format!("*2\r\n{ip}{port}"),
            ["SENTINEL", "MASTER", _] => {
                let fact = |name: &str, value: &str| text(name) + &text(value);
                let facts = fact("flags", "master") + &fact("config-epoch", "999999");
                let facts = facts + &fact("num-other-sentinels", "2");
                format!("%5\r\n{facts}{}{ip}{}{port}", text("ip"), text("port"))
            }
            ["SENTINEL", ..] => "*0\r\n".into(),
            _ => "+OK\r\n".into(),
        }
    });
    own
}

#[test]
fn sentinels_that_are_down_or_lie() {
    let (_turn, mut deployment) = together(sentinels);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let primary = deployment.primary().unwrap();
    let replica = (0..deployment.servers()).find(|at| *at != primary).unwrap();
    let liar = liar(deployment.server(replica).port().unwrap());
    let honest: Vec<u16> = (0..3).map(|at| deployment.sentinel_mut(at).port().unwrap()).collect();
    let mut calls = 0;
    let mut write = |ports: &[u16]| {
        let sentinels = ports.iter().map(|port| ("127.0.0.1", *port));
        let config = Config::new().sentinels(sentinels, Sentinel::NAME);
        let shared = runtime.block_on(Client::connect(&config))?;
        let blocking = Client::connect_blocking(&config)?;
        for n in 0..50 {
            runtime.block_on(shared.set(format!("k{n}"), n).into_future())?;
            blocking.set(format!("k{n}"), n).run()?;
            calls += 2;
        }
        Ok::<_, Error>(())
    };
    // Three honest ones know better than the one that lies.
    write(&[liar, honest[0], honest[1], honest[2]]).unwrap();
    write(&[honest[2], honest[0], honest[1], liar]).unwrap();
    // Of two that contradict each other neither is believed without the server's own word.
    let error = write(&[liar, honest[2]]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    deployment.sentinel_mut(0).stop().unwrap();
    deployment.sentinel_mut(1).stop().unwrap();
    write(&honest).unwrap();
    let refused: u64 = (0..deployment.servers()).map(|at| refused(deployment.server(at))).sum();
    report(
        "R13 sentinels that are down or lie",
        &format!(
            "{calls} writes, with two of three down and one that names a replica: {refused} refused by a replica; floor 0"
        ),
    );
    assert_eq!(refused, 0);
}
