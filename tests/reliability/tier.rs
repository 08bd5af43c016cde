//! How much is done, and how it is told.

use std::sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alizarin::prelude::*;
use alizarin_testkit::{Cluster, Sentinel, Server};

/// Whether everything is done, however long it takes.
pub(crate) fn is_full() -> bool {
    std::env::var("ALIZARIN_RELIABILITY").is_ok_and(|tier| tier == "full")
}

/// `quick`, or `full` in the full tier.
pub(crate) fn rounds(quick: usize, full: usize) -> usize {
    if is_full() { full } else { quick }
}

/// Held by a test while it runs.
pub(crate) struct Turn {
    _alone: Option<RwLockWriteGuard<'static, ()>>,
    _together: Option<RwLockReadGuard<'static, ()>>,
}

static TURN: RwLock<()> = RwLock::new(());

/// Starts what a test needs, and lets it run while no other one does, since it measures times or what
/// the whole process takes. In the quick tier others start what they need meanwhile.
pub(crate) fn alone<T>(start: impl FnOnce() -> T) -> (Turn, T) {
    // A test that failed has left nothing behind that matters to the next one.
    let turn = || Turn {
        _alone: Some(TURN.write().unwrap_or_else(PoisonError::into_inner)),
        _together: None,
    };
    if is_full() {
        let turn = turn();
        return (turn, start());
    }
    let started = start();
    (turn(), started)
}

/// The same for a test that counts what becomes of its calls, however long they take: in the quick
/// tier it runs together with others of this sort.
pub(crate) fn together<T>(start: impl FnOnce() -> T) -> (Turn, T) {
    if is_full() {
        return alone(start);
    }
    let started = start();
    let together = TURN.read().unwrap_or_else(PoisonError::into_inner);
    (Turn { _alone: None, _together: Some(together) }, started)
}

/// One server of a test's own.
pub(crate) fn server() -> Server {
    Server::builder().private().modules(false).start().unwrap()
}

/// A cluster of a test's own.
pub(crate) fn cluster() -> Cluster {
    Cluster::start().unwrap()
}

/// A deployment under Sentinel of a test's own.
pub(crate) fn sentinels() -> Sentinel {
    Sentinel::start().unwrap()
}

/// A client of a cluster.
pub(crate) async fn connect(cluster: &Cluster) -> Client {
    Client::connect(cluster.url().as_str()).await.unwrap()
}

/// Prints a promise's line. Where a figure has a floor, what the server needs by itself, it is in it.
pub(crate) fn report(promise: &str, figures: &str) {
    let tier = if is_full() { "full" } else { "quick" };
    println!("{promise} ({tier}): {figures}; seed {}", seed());
}

/// What chance begins with: `ALIZARIN_SEED`, to repeat a run, or 1; in the full tier the clock.
pub(crate) fn seed() -> u64 {
    static SEED: OnceLock<u64> = OnceLock::new();
    *SEED.get_or_init(|| {
        let given = std::env::var("ALIZARIN_SEED").ok();
        given.and_then(|text| text.parse().ok()).unwrap_or_else(|| match is_full() {
            true => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
            false => 1,
        })
    })
}

/// Numbers that look like chance, the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice of their own for each who throws them.
    pub(crate) fn new(who: u64) -> Dice {
        let mixed = (seed() ^ who.rotate_left(32)).wrapping_add(1);
        Dice(mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Polls a future so often; `None` when it was not ready by then and is dropped.
pub(crate) async fn give_up<F: Future>(future: F, polls: u64) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    let mut left = polls;
    std::future::poll_fn(move |cx| match future.as_mut().poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

/// What is promised: so many milliseconds for the median, so many for the worst.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bar {
    pub(crate) median: u64,
    pub(crate) worst: u64,
}

/// Several times, in order.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort();
    }

    /// Whether another round is due. The full tier does all its rounds. The quick one does further
    /// ones while the promise is missed, up to three times as many: its few rounds share the machine
    /// with whatever else it does, and one slow round of two says nothing of the client.
    pub(crate) fn want_more(&self, quick: usize, full: usize, bar: Bar) -> bool {
        match self.0.len() {
            done if is_full() => done < full,
            done => done < quick || (done < 3 * quick && !self.meet(quick, bar)),
        }
    }

    /// Whether the promise is kept. In the quick tier every round beyond the worst that is promised
    /// must be made up for by a further one.
    pub(crate) fn meet(&self, quick: usize, bar: Bar) -> bool {
        let slow = self.0.iter().filter(|time| time.as_millis() > u128::from(bar.worst)).count();
        let spare = if is_full() { 0 } else { self.0.len().saturating_sub(quick) };
        self.median().as_millis() <= u128::from(bar.median) && slow <= spare
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn median(&self) -> Duration {
        let (below, above) = (self.0.len().saturating_sub(1) / 2, self.0.len() / 2);
        let at = |at: usize| self.0.get(at).copied().unwrap_or_default();
        (at(below) + at(above)) / 2
    }

    pub(crate) fn worst(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

/// Waits until it is so, for a minute at most.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "a minute went by without this: {what}");
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
