//! Failures of the requests themselves, counted over a sliding window of time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// The window is counted in so many slices.
const SLICES: usize = 10;

/// When the failures of the requests themselves make a database count as failed: within a sliding
/// window there were so many, and they are such a part of all requests.
///
/// A failure is an answer that did not come: the connection was lost, could not be made, or was
/// silent for too long; also `LOADING` and `CLUSTERDOWN`. Other error replies are none.
///
/// ```
/// use std::time::Duration;
/// use alizarin_core::multi::FailureDetector;
///
/// let detector = FailureDetector::new().failures(20).rate(0.5).window(Duration::from_secs(1));
/// # let _ = detector;
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FailureDetector {
    failures: u64,
    rate: f64,
    window: Duration,
}

impl FailureDetector {
    /// 1000 failures, and 10 % of all requests, within 2 seconds.
    pub const fn new() -> FailureDetector {
        FailureDetector { failures: 1_000, rate: 0.1, window: Duration::from_secs(2) }
    }

    /// The least number of failures; at least 1.
    #[must_use]
    pub const fn failures(mut self, failures: u64) -> FailureDetector {
        self.failures = failures;
        self
    }

    /// The least part of all requests that failed, from 0 to 1.
    #[must_use]
    pub const fn rate(mut self, rate: f64) -> FailureDetector {
        self.rate = rate;
        self
    }

    /// The length of the window. It slides by tenths.
    #[must_use]
    pub const fn window(mut self, window: Duration) -> FailureDetector {
        self.window = window;
        self
    }

    /// # Errors
    /// `Usage` for a number that makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = if self.failures == 0 {
            "`failure_detector`: `failures` must be at least 1"
        } else if !(0.0..=1.0).contains(&self.rate) {
            "`failure_detector`: `rate` must lie between 0 and 1"
        } else if self.window < Duration::from_millis(10) {
            "`failure_detector`: `window` must be at least 10 milliseconds"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Usage, wrong))
    }
}

impl Default for FailureDetector {
    fn default() -> FailureDetector {
        FailureDetector::new()
    }
}

/// One database's requests in the window. Counting takes no lock; at the moment when a slice is
/// used anew, single requests of other threads may be missed.
#[derive(Debug)]
pub(super) struct Window {
    detector: FailureDetector,
    slice: u64,
    slices: [Slice; SLICES],
}

#[derive(Debug, Default)]
struct Slice {
    /// Which slice of all time this one counts, and one more.
    era: AtomicU64,
    good: AtomicU64,
    bad: AtomicU64,
}

impl Window {
    pub(super) fn new(detector: FailureDetector) -> Window {
        let slice = nanos(detector.window) / SLICES as u64;
        Window { detector, slice: slice.max(1), slices: Default::default() }
    }

    fn era(&self, now: Duration) -> u64 {
        nanos(now) / self.slice + 1
    }

    /// The slice that counts what happens now.
    fn slice(&self, now: Duration) -> Option<&Slice> {
        let era = self.era(now);
        let slice = self.slices.get(era as usize % SLICES)?;
        let known = slice.era.load(Ordering::Acquire);
        if known < era
            && slice.era.compare_exchange(known, era, Ordering::AcqRel, Ordering::Acquire).is_ok()
        {
            slice.good.store(0, Ordering::Relaxed);
            slice.bad.store(0, Ordering::Relaxed);
        }
        Some(slice)
    }

    /// A request was answered.
    pub(super) fn good(&self, now: Duration) {
        if let Some(slice) = self.slice(now) {
            slice.good.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A request failed. Gives whether that is one too many.
    pub(super) fn bad(&self, now: Duration) -> bool {
        if let Some(slice) = self.slice(now) {
            slice.bad.fetch_add(1, Ordering::Relaxed);
        }
        let era = self.era(now);
        let (mut good, mut bad) = (0, 0);
        for slice in &self.slices {
            if slice.era.load(Ordering::Acquire) + SLICES as u64 > era {
                good += slice.good.load(Ordering::Relaxed);
                bad += slice.bad.load(Ordering::Relaxed);
            }
        }
        bad >= self.detector.failures && bad as f64 >= self.detector.rate * (good + bad) as f64
    }

    /// Forgets everything: the database recovered.
    pub(super) fn clear(&self) {
        for slice in &self.slices {
            slice.good.store(0, Ordering::Relaxed);
            slice.bad.store(0, Ordering::Relaxed);
        }
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn it_takes_enough_failures() {
        let window = Window::new(FailureDetector::new().failures(3).rate(0.0));
        assert!(!window.bad(at(0)));
        assert!(!window.bad(at(10)));
        assert!(window.bad(at(20)));
    }

    #[test]
    fn it_takes_a_part_of_all_requests() {
        let window = Window::new(FailureDetector::new().failures(2).rate(0.5));
        for _ in 0..4 {
            window.good(at(5));
        }
        for _ in 0..3 {
            assert!(!window.bad(at(700)));
        }
        assert!(window.bad(at(900)), "four of eight");
    }

    #[test]
    fn what_is_older_than_the_window_counts_no_more() {
        let window = Window::new(FailureDetector::new().failures(3).rate(0.0));
        window.bad(at(100));
        window.bad(at(1_900));
        assert!(!window.bad(at(2_150)), "the first one is too old");
        assert!(window.bad(at(2_160)));
        assert!(!window.bad(at(60_000)));
        // The answers of long ago as well.
        let window = Window::new(FailureDetector::new().failures(1).rate(0.9));
        (0..100).for_each(|_| window.good(at(0)));
        assert!(!window.bad(at(1_000)));
        assert!(window.bad(at(9_000)));
    }

    #[test]
    fn a_recovered_database_begins_anew() {
        let window = Window::new(FailureDetector::new().failures(2).rate(0.0));
        window.bad(at(0));
        window.clear();
        assert!(!window.bad(at(1)));
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused_by_name() {
        let detector = FailureDetector::new();
        assert!(detector.check().is_ok());
        for (wrong, name) in [
            (detector.failures(0), "failures"),
            (detector.rate(1.5), "rate"),
            (detector.rate(f64::NAN), "rate"),
            (detector.window(Duration::ZERO), "window"),
        ] {
            let error = wrong.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains(name), "{error}");
        }
    }
}
