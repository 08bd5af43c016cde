//! How much is done, and how it is told.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin_testkit::Cluster;

/// Whether everything is done, however long it takes.
pub(crate) fn is_full() -> bool {
    std::env::var("ALIZARIN_RELIABILITY").is_ok_and(|tier| tier == "full")
}

/// `quick`, or `full` in the full tier.
pub(crate) fn rounds(quick: usize, full: usize) -> usize {
    if is_full() { full } else { quick }
}

/// Lets one test run at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    // A test that failed has left nothing behind that matters to the next one.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client of a cluster.
pub(crate) async fn connect(cluster: &Cluster) -> Client {
    Client::connect(cluster.url().as_str()).await.unwrap()
}

/// Prints a promise's line.
pub(crate) fn report(promise: &str, figures: &str) {
    let tier = if is_full() { "full" } else { "quick" };
    println!("{promise} ({tier}): {figures}");
}

/// Several times, in order.
#[derive(Debug, Default)]
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time);
        self.0.sort();
    }

    pub(crate) fn median(&self) -> Duration {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
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
