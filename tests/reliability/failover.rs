//! A cluster's primary is killed: its slots serve again soon after the cluster can, the others
//! notice nothing, and what was acknowledged is there.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use tokio::sync::watch;

use crate::floor::{addresses, first_ok, longest_gap};
use crate::healthy::{self, Healthy, Turns};
use crate::tier::{Bar, Dice, Times, alone, cluster, connect, report, rounds, together};
use crate::writers::{Log, Orders, TAGS, TOGETHER, control, write};

/// Of a killed primary's slots, after the servers' own floor.
const BAR: Bar = Bar { median: 100, worst: 300 };

#[test]
fn a_killed_primary() {
    let (_turn, mut cluster) = alone(cluster);
    let runtime = healthy::runtime(healthy::THREADS);
    let (mut after_floor, mut floors) = (Times::default(), Times::default());
    let (mut acknowledged, mut lost, mut control_lost, mut unknown) = (0usize, 0u64, 0u64, 0usize);
    let mut lost_by_client = 0;
    let mut healthy = Healthy::default();
    let mut dice = Dice::new(4);
    while after_floor.want_more(2, 20, BAR) || healthy.want_more() {
        let victim_tag = TAGS[dice.roll(3) as usize];
        let victim = cluster.primary_of(victim_tag).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let client = runtime.block_on(connect(&cluster));
        let (turns, turn) = Turns::start(&cluster, victim_tag);
        let (hold, held) = watch::channel(true);
        let writers: Vec<_> = (0..9)
            .map(|writer| {
                let (client, tag) = (client.clone(), TAGS[writer % 3]);
                let held = if tag == victim_tag { held.clone() } else { turn.clone() };
                let (stop, held) = (Arc::clone(&stop), Some(held));
                let orders = Orders { stop, held, numbered: true };
                runtime.spawn(async move { (tag, write(client, tag, writer, orders).await) })
            })
            .collect();
        std::thread::park_timeout(Duration::from_millis(200));
        let before = healthy::calm(&cluster, victim_tag);
        hold.send_replace(false);
        let control_writer = control(addresses(&cluster)[victim], victim_tag, &stop);
        std::thread::park_timeout(Duration::from_millis(500));
        cluster.node_mut(victim).stop().unwrap();
        let killed = Instant::now();
        let floor = first_ok(addresses(&cluster), &["SET", &format!("{victim_tag}:floor"), "1"]);
        let floor = floor.join().unwrap();
        std::thread::park_timeout(Duration::from_millis(700));
        hold.send_replace(true);
        std::thread::park_timeout(Duration::from_millis(50));
        let after = healthy::calm(&cluster, victim_tag);
        hold.send_replace(false);
        stop.store(true, Ordering::Relaxed);
        let logs: Vec<(&str, Log)> =
            writers.into_iter().map(|writer| runtime.block_on(writer).unwrap()).collect();
        // The victim's slots.
        let back =
            logs.iter().filter(|(tag, _)| *tag == victim_tag).flat_map(|(_, log)| &log.calls);
        // Nobody is elected sooner.
        let heirs = |at: &Instant| *at > killed + Duration::from_millis(500);
        let back = back.filter_map(|(at, _, number)| Some((*at, (*number)?)));
        let back: Vec<(Instant, u64)> = back.filter(|(at, _)| heirs(at)).collect();
        // The heir counts on from what it had of the victim's writes, which is a beginning of them in
        // their order: the ones behind that the servers themselves have lost.
        let had = back.iter().map(|(_, number)| *number).min();
        let had = had.expect("the victim's slots serve again");
        let back = back.iter().map(|(at, _)| *at).min().unwrap_or(floor);
        floors.push(floor - killed);
        after_floor.push(back.saturating_duration_since(floor));
        // The others, together.
        let others: Vec<&Log> =
            logs.iter().filter(|(tag, _)| *tag != victim_tag).map(|(_, log)| log).collect();
        healthy.add(&others, turns, &[before, after], (killed, floor));
        // What was acknowledged.
        let raw = control_writer.join().unwrap();
        runtime.block_on(async {
            for at in 0..TOGETHER {
                let key = format!("{victim_tag}:control:{at}");
                let kept: Option<u64> = client.get(key).await.unwrap();
                control_lost += u64::from(kept.unwrap_or(0) < raw);
            }
            for (tag, log) in &logs {
                acknowledged += log.calls.iter().filter(|(.., number)| number.is_some()).count();
                unknown += log.unknown.len();
                for (key, (value, number)) in &log.acknowledged {
                    let kept: Option<u64> = client.get(key).await.unwrap();
                    let kept = kept.unwrap_or(0);
                    // A later write that nobody knows of may have come.
                    if kept < *value {
                        lost += 1;
                        lost_by_client += u64::from(*tag != victim_tag || *number < had);
                    }
                }
            }
            client.close().await;
        });
        cluster.node_mut(victim).restart().unwrap();
        cluster.wait_whole().unwrap();
    }
    report(
        "R4 killed primary",
        &format!(
            "first OK after the servers' floor: median {:?}, worst {:?}; floor {:?}, at most {:?}",
            after_floor.median(),
            after_floor.worst(),
            floors.median(),
            floors.worst()
        ),
    );
    report(
        "R6 acknowledged writes",
        &format!(
            "{acknowledged} acknowledged, {unknown} unknown, {lost} keys lost, {lost_by_client} of them \
             though the heir had the write; floor: {control_lost} keys of a raw writer lost"
        ),
    );
    assert!(after_floor.meet(2, BAR), "{after_floor:?}");
    assert_eq!(lost_by_client, 0);
    healthy.judge();
}

/// Between two failovers. A node votes for an heir of the same primary once in twice its timeout, 4 s;
/// each is the primary again at every sixth failover. Sooner, the servers hold all writes up until the
/// vote is given.
pub(crate) const APART: Duration = Duration::from_millis(1_000);

#[test]
fn a_planned_failover() {
    let (_turn, cluster) = alone(cluster);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let stop = Arc::new(AtomicBool::new(false));
    let errors = Arc::new(Mutex::new(Vec::<Error>::new()));
    let slowest = Arc::new(AtomicU64::new(0));
    let writers: Vec<_> = (0..9)
        .map(|writer| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            let (errors, slowest) = (Arc::clone(&errors), Arc::clone(&slowest));
            runtime.spawn(async move {
                let orders = Orders { stop, held: None, numbered: false };
                let log = write(client, TAGS[writer % 3], writer, orders).await;
                let worst = log.calls.iter().map(|(_, took, _)| took.as_micros() as u64).max();
                slowest.fetch_max(worst.unwrap_or(0), Ordering::Relaxed);
                errors.lock().unwrap().extend(log.errors);
                log.acknowledged
            })
        })
        .collect();
    let probes = TAGS.map(|tag| {
        let key = format!("{tag}:floor");
        longest_gap(addresses(&cluster), &["SET", &key, "1"], &stop)
    });
    let failovers = rounds(4, 20);
    for round in 0..failovers {
        let next = Instant::now() + APART;
        cluster.failover(TAGS[round % 3]).unwrap();
        std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
    stop.store(true, Ordering::Relaxed);
    let floor = probes.into_iter().map(|probe| probe.join().unwrap()).max().unwrap();
    let mut lost = 0;
    for writer in writers {
        let acknowledged = runtime.block_on(writer).unwrap();
        runtime.block_on(async {
            for (key, (value, _)) in acknowledged {
                let kept: Option<u64> = client.get(key).await.unwrap();
                lost += u32::from(kept != Some(value));
            }
        });
    }
    let errors = errors.lock().unwrap();
    let slowest = Duration::from_micros(slowest.load(Ordering::Relaxed));
    report(
        "R8 planned failovers",
        &format!(
            "{failovers}: {} errors, slowest call {slowest:?}, {lost} writes lost; floor: {floor:?} without an answer to raw sockets",
            errors.len()
        ),
    );
    assert!(errors.is_empty(), "{:?}", errors.first());
    assert_eq!(lost, 0);
    assert!(slowest <= floor + Duration::from_millis(100), "{slowest:?} after {floor:?}");
}

#[test]
fn confirmed_writes() {
    let (_turn, mut cluster) = together(cluster);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut confirmed, mut unconfirmed, mut lost) = (0, 0, 0);
    for round in 0..rounds(1, 10) {
        let client = runtime.block_on(connect(&cluster));
        let tag = TAGS[round % 3];
        let victim = cluster.primary_of(tag).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let (client, stop) = (client.clone(), Arc::clone(&stop));
                let key = format!("{tag}confirmed:{writer}");
                runtime.spawn(async move {
                    let (mut last, mut fine, mut failed) = (0_u64, 0, 0);
                    for n in 1.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let write = client.set(&key, n);
                        match write.confirmed_by(1, Duration::from_millis(200)).await {
                            Ok(_) => (last, fine) = (n, fine + 1),
                            Err(_) => failed += 1,
                        }
                    }
                    (key, last, fine, failed)
                })
            })
            .collect();
        std::thread::park_timeout(Duration::from_millis(500));
        cluster.node_mut(victim).stop().unwrap();
        let wire = ["SET", &format!("{tag}:floor"), "1"];
        first_ok(addresses(&cluster), &wire).join().unwrap();
        std::thread::park_timeout(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            let (key, last, fine, failed) = runtime.block_on(writer).unwrap();
            let kept = runtime.block_on(client.get::<Option<u64>>(&key).into_future()).unwrap();
            confirmed += fine;
            unconfirmed += failed;
            // A later write that was not confirmed may have come.
            lost += usize::from(kept.unwrap_or(0) < last);
        }
        cluster.node_mut(victim).restart().unwrap();
        cluster.wait_whole().unwrap();
    }
    report(
        "R6 confirmed writes",
        &format!("{confirmed} confirmed, {unconfirmed} not, {lost} keys lost; floor 0"),
    );
    assert!(confirmed > 100);
    assert_eq!(lost, 0);
}
