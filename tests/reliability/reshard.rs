//! Slots move while their keys are used: no error reaches a caller, every reply and every value is
//! exact, and a scan misses nothing that stays where it is.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alizarin::command::slot;
use alizarin::prelude::*;
use alizarin_core::command::each;
use alizarin_core::commands::{get, incr};

use crate::floor::{addresses, latencies};
use crate::tier::{Dice, alone, cluster, connect, report, rounds};

const WRITERS: usize = 8;

/// So many commands go together in a pipeline, and so many keys in an `MGET`.
const TOGETHER: usize = 30;

/// A writer's own keys, which nobody else changes, and what it has seen of them.
struct Writer {
    client: Client,
    number: usize,
    /// How often each of its keys was counted up.
    counts: Vec<i64>,
    /// How long each of its lists is.
    lists: Vec<u64>,
    calls: u64,
    /// What each single call took, before and after the slots began to move.
    still: Vec<Duration>,
    slow: Vec<Duration>,
    errors: Vec<Error>,
    /// Replies that were not what they must be.
    wrong: u64,
}

impl Writer {
    fn new(client: Client, number: usize, keys: usize) -> Writer {
        let (counts, lists) = (vec![0; keys], vec![0; keys / 50]);
        let (still, slow, errors) = (Vec::new(), Vec::new(), Vec::new());
        Writer { client, number, counts, lists, calls: 0, still, slow, errors, wrong: 0 }
    }

    fn key(&self, at: usize) -> String {
        format!("count:{}:{at}", self.number)
    }

    fn list(&self, at: usize) -> String {
        format!("list:{}:{at}", self.number)
    }

    /// Takes note of a call's outcome.
    fn note<T: PartialEq>(&mut self, outcome: Result<T>, expected: &T) {
        self.calls += 1;
        match outcome {
            Ok(reply) => self.wrong += u64::from(reply != *expected),
            Err(error) => self.errors.push(error),
        }
    }

    /// Some of its keys, each once.
    fn some(&self, dice: &mut Dice) -> Vec<usize> {
        let keys = self.counts.len();
        let first = dice.roll(keys as u64) as usize;
        (0..TOGETHER).map(|step| (first + step * (keys / TOGETHER)) % keys).collect()
    }

    /// Every key of its own is there from now on.
    async fn begin(&mut self) {
        for part in 0..self.counts.len().div_ceil(500) {
            let own = part * 500..((part + 1) * 500).min(self.counts.len());
            let keys: Vec<String> = own.clone().map(|at| self.key(at)).collect();
            let ones: Vec<i64> = self.client.pipeline(each(keys.iter().map(incr))).await.unwrap();
            assert!(ones.iter().all(|one| *one == 1));
            self.counts[own].fill(1);
        }
    }

    /// Counts up, pushes, and reads many keys at once, until it is told to stop.
    async fn work(mut self, stop: Arc<AtomicBool>, moving: Arc<AtomicBool>) -> Writer {
        let mut dice = Dice::new(self.number as u64);
        while !stop.load(Ordering::Relaxed) {
            for _ in 0..TOGETHER {
                let at = dice.roll(self.counts.len() as u64) as usize;
                let key = self.key(at);
                let start = Instant::now();
                let counted = self.client.incr(&key).await;
                self.took(start, &moving);
                self.counts[at] += 1;
                let expected = self.counts[at];
                self.note(counted, &expected);
            }
            for _ in 0..TOGETHER {
                let at = dice.roll(self.lists.len() as u64) as usize;
                let (list, value) = (self.list(at), self.lists[at]);
                let start = Instant::now();
                let pushed = self.client.command::<u64>("RPUSH").key(list).arg(value).await;
                self.took(start, &moving);
                self.lists[at] += 1;
                self.note(pushed, &(value + 1));
            }
            let some = self.some(&mut dice);
            let keys: Vec<String> = some.iter().map(|at| self.key(*at)).collect();
            let counted = self.client.pipeline(each(keys.iter().map(incr))).await;
            some.iter().for_each(|at| self.counts[*at] += 1);
            let expected: Vec<i64> = some.iter().map(|at| self.counts[*at]).collect();
            self.note(counted, &expected);
            let all = self.client.command::<Vec<i64>>("MGET").key(&keys).await;
            self.note(all, &expected);
        }
        self
    }

    fn took(&mut self, start: Instant, moving: &AtomicBool) {
        match moving.load(Ordering::Relaxed) {
            true => self.slow.push(start.elapsed()),
            false => self.still.push(start.elapsed()),
        }
    }

    /// Whether everything is as it must be.
    async fn check(&self) {
        for part in 0..self.counts.len().div_ceil(500) {
            let own = part * 500..((part + 1) * 500).min(self.counts.len());
            let keys = own.clone().map(|at| self.key(at));
            let counts: Vec<i64> = self.client.pipeline(each(keys.map(get))).await.unwrap();
            assert_eq!(counts, self.counts[own]);
        }
        for (at, length) in self.lists.iter().enumerate() {
            let list = self.client.command("LRANGE").key(self.list(at)).arg((0, -1));
            let list: Vec<u64> = list.await.unwrap();
            assert_eq!(list, (0..*length).collect::<Vec<_>>());
        }
    }
}

/// Scans again and again until it is told to stop: how often, and how many of these keys, which are
/// there all the time, did not come.
async fn scan(client: Client, steady: Arc<HashSet<String>>, stop: Arc<AtomicBool>) -> (u32, usize) {
    let (mut scans, mut missed) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        let (mut cursor, mut seen) = (0, HashSet::new());
        loop {
            let page = client.scan(cursor, "count:*", 1_000).await;
            let (next, keys): (u64, Vec<String>) = page.unwrap();
            seen.extend(keys.into_iter().filter(|key| steady.contains(key)));
            cursor = next;
            if cursor == 0 {
                break;
            }
            // Whoever scans without a pause is a load of its own.
            client.pause(Duration::from_millis(10)).await;
        }
        (scans, missed) = (scans + 1, missed + steady.len() - seen.len());
    }
    (scans, missed)
}

fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() * 99 / 100).copied().unwrap_or_default()
}

#[test]
fn slots_that_move_under_load() {
    let (_turn, cluster) = alone(cluster);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let (stop, moving) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let keys = rounds(8_000, 50_000);
    let count = rounds(300, 3_000) as u16;
    let begun: Vec<Writer> = (0..WRITERS)
        .map(|number| {
            let mut writer = Writer::new(client.clone(), number, keys / WRITERS);
            runtime.block_on(writer.begin());
            writer
        })
        .collect();
    let stays = |key: &String| {
        let slot = slot(key.as_bytes());
        slot >= count && !(6_000..7_000).contains(&slot)
    };
    let steady = begun.iter().flat_map(|writer| (0..writer.counts.len()).map(|at| writer.key(at)));
    let steady: Arc<HashSet<String>> = Arc::new(steady.filter(stays).collect());
    let writers: Vec<_> = begun
        .into_iter()
        .map(|writer| runtime.spawn(writer.work(Arc::clone(&stop), Arc::clone(&moving))))
        .collect();
    let scanner = runtime.spawn(scan(client, Arc::clone(&steady), Arc::clone(&stop)));
    // What the servers themselves need meanwhile, for keys that stay.
    let raw: Vec<_> = ["{b}", "{c}", "{a}"]
        .iter()
        .map(|tag| {
            let node = addresses(&cluster)[cluster.primary_of(tag).unwrap()];
            latencies(node, &["INCR", &format!("{tag}:floor")], &stop, &moving)
        })
        .collect();
    // What the calls take before anything moves.
    std::thread::park_timeout(Duration::from_millis(500));
    moving.store(true, Ordering::Relaxed);
    for slot in 0..count {
        cluster.move_slot(slot, 0, 1).unwrap();
    }
    for slot in 0..count / 3 {
        cluster.move_slot(slot, 1, 2).unwrap();
    }
    let at_once = cluster.migrate(6_000, 6_999, 2).unwrap();
    stop.store(true, Ordering::Relaxed);
    let (mut calls, mut errors, mut wrong) = (0, Vec::new(), 0);
    let (mut slow, mut still) = (Vec::new(), Vec::new());
    for writer in writers {
        let done = runtime.block_on(writer).unwrap();
        runtime.block_on(done.check());
        calls += done.calls;
        wrong += done.wrong;
        errors.extend(done.errors);
        slow.extend(done.slow);
        still.extend(done.still);
    }
    let (scans, missed) = runtime.block_on(scanner).unwrap();
    let mut floor: Vec<Duration> = raw.into_iter().flat_map(|raw| raw.join().unwrap()).collect();
    let (p99, still, floor) = (p99(&mut slow), p99(&mut still), p99(&mut floor));
    let atomic =
        if at_once { "and 1000 at once" } else { "(the server cannot move slots at once)" };
    report(
        "R9 slots that move",
        &format!(
            "{} slots {atomic} of {keys} keys, {calls} calls: {} errors, {wrong} wrong replies, contents \
             exact, p99 {p99:?} ({still:?} before the moves), slowest {:?}; {scans} scans meanwhile missed \
             {missed} keys; floor: p99 {floor:?} of raw sockets",
            count + count / 3,
            errors.len(),
            slow.last().copied().unwrap_or_default()
        ),
    );
    assert!(errors.is_empty(), "{:?}", errors.first());
    assert_eq!((wrong, missed), (0, 0));
    assert!(scans > 0);
    let bar = Duration::from_millis(if crate::tier::is_full() { 3 } else { 10 });
    assert!(p99 <= bar + floor, "{p99:?}, {floor:?} by raw sockets");
}
