//! What the other shards of a cluster notice while one has no primary.
//!
//! The client writes to these shards in turns, of some milliseconds, with rivals: clients of the single
//! servers, which know of no cluster and are alike in all else. So whatever the machine does meanwhile,
//! it does to both. How much the client does for one call of a rival is compared with what it was in the
//! same round before and after, when nobody wrote to the lost shard either: its writers' silence frees
//! no processor that the others would not have had. A client that keeps its tasks waiting falls behind
//! then. One that works in vain would slow its rivals down as well; so what it needs of the processors
//! while it is not its turn is counted, too.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin_testkit::Cluster;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::floor::{addresses, longest_gap};
use crate::tier::{Dice, is_full, report};
use crate::writers::{Log, Orders, TAGS, TOGETHER, write};

/// How the client's threads are called.
pub(crate) const THREADS: &str = "r5-client";

/// A turn takes between so many and twice as many milliseconds: at no beat that the client could have.
const TURN: u64 = 5;

/// What is promised of the throughput. One round strays by some 4 % beside other work, so two of them
/// tell no small difference: the quick tier, whose code is not optimized either, finds a client that
/// stops now and then, and the full tier one that is slower.
fn least() -> f64 {
    if is_full() { 0.98 } else { 0.90 }
}

/// What may be spent in vain, as a share of what the client needs of the processors.
fn most_in_vain() -> f64 {
    if is_full() { 0.02 } else { 0.15 }
}

/// A runtime whose threads are called so.
pub(crate) fn runtime(threads: &str) -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.thread_name(threads).enable_all().build().unwrap()
}

/// Where the system tells of the client's threads how long they were on a processor.
fn clocks() -> Vec<PathBuf> {
    let all = std::fs::read_dir("/proc/self/task").unwrap().flatten().map(|task| task.path());
    let name = |task: &PathBuf| std::fs::read_to_string(task.join("comm")).unwrap_or_default();
    let own = all.filter(|task| name(task).trim_end() == THREADS);
    own.map(|task| task.join("schedstat")).collect()
}

/// How long these threads were on a processor.
fn on_processors(clocks: &[PathBuf]) -> Duration {
    let read = |clock: &PathBuf| std::fs::read_to_string(clock).unwrap_or_default();
    let first = |text: String| text.split(' ').next()?.parse::<u64>().ok();
    Duration::from_nanos(clocks.iter().filter_map(|clock| first(read(clock))).sum())
}

/// One turn.
struct Turn {
    from: Instant,
    until: Instant,
    /// Whether it was the client's.
    own: bool,
    /// What the client needed of the processors.
    processors: Duration,
}

type Calls = Vec<(Instant, Duration)>;

/// The turns of the client and its rivals, until they are told to end.
pub(crate) struct Turns {
    stop: Arc<AtomicBool>,
    conductor: JoinHandle<Vec<Turn>>,
    rivals: Vec<tokio::task::JoinHandle<Log>>,
    runtime: Runtime,
}

impl Turns {
    /// Beside the shard of the lost primary; what is held while it is not the client's turn hears so by
    /// the receiver.
    pub(crate) fn start(cluster: &Cluster, victim_tag: &str) -> (Turns, watch::Receiver<bool>) {
        let stop = Arc::new(AtomicBool::new(false));
        let (hold, held) = watch::channel(true);
        let (hold_rivals, rivals_held) = watch::channel(true);
        let runtime = runtime("r5-rival");
        let mut rivals = Vec::new();
        for tag in TAGS.into_iter().filter(|tag| *tag != victim_tag) {
            let url = cluster.node(cluster.primary_of(tag).unwrap()).url();
            let client = runtime.block_on(Client::connect(url.as_str())).unwrap();
            for writer in 0..TOGETHER {
                let (stop, held) = (Arc::clone(&stop), Some(rivals_held.clone()));
                let orders = Orders { stop, held, numbered: true };
                rivals.push(runtime.spawn(write(client.clone(), tag, 100 + writer, orders)));
            }
        }
        let over = Arc::clone(&stop);
        let conductor = std::thread::spawn(move || {
            let (mut turns, mut dice) = (Vec::new(), Dice::new(5));
            let (mut own, clocks) = (false, clocks());
            while !over.load(Ordering::Relaxed) {
                own = !own;
                hold.send_replace(!own);
                hold_rivals.send_replace(own);
                let (from, before) = (Instant::now(), on_processors(&clocks));
                std::thread::sleep(Duration::from_millis(TURN + dice.roll(TURN)));
                let processors = on_processors(&clocks).saturating_sub(before);
                turns.push(Turn { from, until: Instant::now(), own, processors });
            }
            turns
        });
        (Turns { stop, conductor, rivals, runtime }, held)
    }

    fn end(self) -> (Vec<Turn>, Calls) {
        self.stop.store(true, Ordering::Relaxed);
        let turns = self.conductor.join().unwrap();
        let logs = self.rivals.into_iter().map(|rival| self.runtime.block_on(rival).unwrap());
        (turns, logs.flat_map(|log| calls(&log).collect::<Vec<_>>()).collect())
    }
}

fn calls(log: &Log) -> impl Iterator<Item = (Instant, Duration)> {
    log.calls.iter().map(|(at, took, _)| (*at, *took))
}

/// From when until when.
pub(crate) type Span = (Instant, Instant);

/// Lets time pass in which nothing is the matter. The servers are asked as they are while the lost
/// shard's floor is looked for.
pub(crate) fn calm(cluster: &Cluster, victim_tag: &str) -> Span {
    let over = Arc::new(AtomicBool::new(false));
    let key = format!("{victim_tag}:floor");
    let probe = longest_gap(addresses(cluster), &["SET", &key, "1"], &over);
    let from = Instant::now();
    std::thread::park_timeout(Duration::from_millis(if is_full() { 2_000 } else { 1_000 }));
    over.store(true, Ordering::Relaxed);
    probe.join().unwrap();
    (from, Instant::now())
}

/// What some time has shown.
#[derive(Default)]
struct Seen {
    own: f64,
    raw: f64,
    /// Of the processors, in the client's turns, and in the others'.
    busy: f64,
    vain: f64,
    times: Vec<Duration>,
    raw_times: Vec<Duration>,
}

impl Seen {
    fn of(spans: &[Span], turns: &[Turn], own: &Calls, raw: &Calls) -> Seen {
        let mut seen = Seen::default();
        let (mut time, mut raw_time) = (0.0, 0.0);
        for (from, until) in spans {
            let within: Vec<&Turn> =
                turns.iter().filter(|turn| turn.from >= *from && turn.until <= *until).collect();
            let (Some(first), Some(last)) = (within.first(), within.last()) else { continue };
            for turn in &within {
                let length = (turn.until - turn.from).as_secs_f64();
                match turn.own {
                    true => {
                        (time, seen.busy) =
                            (time + length, seen.busy + turn.processors.as_secs_f64())
                    }
                    false => {
                        raw_time += length;
                        seen.vain += turn.processors.as_secs_f64();
                    }
                }
            }
            let took = |calls: &Calls| {
                let there = calls.iter().filter(|(at, _)| *at > first.from && *at <= last.until);
                there.map(|(_, took)| *took).collect::<Vec<_>>()
            };
            seen.times.extend(took(own));
            seen.raw_times.extend(took(raw));
        }
        let rate = |amount: f64, time: f64| amount / time.max(f64::MIN_POSITIVE);
        Seen {
            own: rate(seen.times.len() as f64, time),
            raw: rate(seen.raw_times.len() as f64, raw_time),
            busy: rate(seen.busy, time),
            vain: rate(seen.vain, raw_time),
            ..seen
        }
    }
}

/// What a round has shown.
#[derive(Debug)]
struct Round {
    /// What became of the client's throughput for each call of the rivals, and of theirs alone.
    share: f64,
    raw: f64,
    /// Which part of what the client needs of the processors it spent in vain.
    vain: f64,
}

/// What the rounds have shown.
#[derive(Default)]
pub(crate) struct Healthy {
    rounds: Vec<Round>,
    /// Of the client and the rivals, in calm times, and while the primary was lost.
    times: [[Vec<Duration>; 2]; 2],
    errors: usize,
}

impl Healthy {
    /// Takes in a round: the calls of the healthy shards' writers, when it was calm, and when a primary
    /// was lost.
    pub(crate) fn add(&mut self, logs: &[&Log], turns: Turns, calm: &[Span], lost: Span) {
        let own = logs.iter().flat_map(|log| calls(log)).collect();
        let (turns, raw) = turns.end();
        let calm = Seen::of(calm, &turns, &own, &raw);
        let lost = Seen::of(&[lost], &turns, &own, &raw);
        self.rounds.push(Round {
            share: (lost.own / lost.raw) / (calm.own / calm.raw),
            raw: lost.raw / calm.raw,
            vain: (lost.vain - calm.vain) / calm.busy,
        });
        for (all, seen) in self.times.iter_mut().zip([calm, lost]) {
            all[0].extend(seen.times);
            all[1].extend(seen.raw_times);
        }
        self.errors += logs.iter().map(|log| log.errors.len()).sum::<usize>();
    }

    fn median(&self, of: impl Fn(&Round) -> f64) -> f64 {
        let mut all: Vec<f64> = self.rounds.iter().map(of).collect();
        all.sort_by(f64::total_cmp);
        let at = |at: usize| all.get(at).copied().unwrap_or_default();
        (at(all.len().saturating_sub(1) / 2) + at(all.len() / 2)) / 2.0
    }

    /// The client's throughput, as a share of what it was.
    fn share(&self) -> f64 {
        self.median(|round| round.share)
    }

    /// What was spent in vain, as a share of what the client needs of the processors.
    fn vain(&self) -> f64 {
        self.median(|round| round.vain)
    }

    /// Whether a further round is due in the quick tier, as for [`Times`](crate::tier::Times).
    pub(crate) fn want_more(&self) -> bool {
        !is_full() && self.share() < least() && self.rounds.len() < 6
    }

    /// Prints R5, and holds the client to it.
    pub(crate) fn judge(&self) {
        let (share, vain) = (self.share(), self.vain());
        let worst = self.rounds.iter().map(|round| round.share).fold(f64::INFINITY, f64::min);
        let [[calm, raw_calm], [lost, raw_lost]] = &self.times;
        let (before, meanwhile) = (p99(calm), p99(lost));
        let (raw_before, raw) = (p99(raw_calm), p99(raw_lost));
        let slowest = |times: &[Duration]| times.iter().max().copied().unwrap_or_default();
        report(
            "R5 the other shards meanwhile",
            &format!(
                "{} calls, throughput {:.1} % of before (at least {:.1} %), {:.1} % of the processors' time in vain, {} \
                 errors, p99 {meanwhile:?} after {before:?}, slowest call {:?}; floor: rivals {:.1} %, \
                 p99 {raw:?} after {raw_before:?}, slowest {:?}",
                lost.len(),
                share * 100.0,
                worst * 100.0,
                vain * 100.0,
                self.errors,
                slowest(lost),
                self.median(|round| round.raw) * 100.0,
                slowest(raw_lost),
            ),
        );
        assert_eq!(self.errors, 0);
        assert!(share >= least(), "the other shards slowed down to {share}");
        assert!(vain <= most_in_vain(), "{vain} of the processors' time in vain");
        // A millisecond is what the machine's other work takes now and then.
        let noise = (raw.as_secs_f64() / raw_before.as_secs_f64()).max(1.0);
        let most = (before * 2).max(Duration::from_millis(1)).mul_f64(noise);
        assert!(meanwhile <= most, "{meanwhile:?} after {before:?}");
    }
}

/// How long 99 % of these calls took at most.
fn p99(calls: &[Duration]) -> Duration {
    let mut calls = calls.to_vec();
    calls.sort();
    calls.get(calls.len() * 99 / 100).copied().unwrap_or_default()
}
