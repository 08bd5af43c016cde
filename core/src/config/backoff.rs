//! How long to wait before the next attempt.

use std::time::Duration;

/// The pauses between attempts to connect.
///
/// ```
/// use std::time::Duration;
/// use alizarin_core::{Backoff, Config};
///
/// let (first, most) = (Duration::from_millis(20), Duration::from_secs(1));
/// let config = Config::new().backoff(Backoff::decorrelated_jitter(first, most));
/// # let _ = config;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    shape: Shape,
    first: Duration,
    most: Duration,
    /// The bound after [`SOON`] attempts.
    later: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Constant,
    Exponential,
    Full,
    Equal,
    Decorrelated,
}

/// So many attempts come soon one after the other, where a later bound is set.
const SOON: u32 = 200;

impl Backoff {
    const fn new(shape: Shape, first: Duration, most: Duration) -> Backoff {
        Backoff { shape, first, most, later: most }
    }

    /// Always the same pause.
    #[must_use]
    pub const fn constant(pause: Duration) -> Backoff {
        Backoff::new(Shape::Constant, pause, pause)
    }

    /// `first`, then twice as long each time, up to `most`. Many clients of one server that was
    /// lost come back at the same moments.
    #[must_use]
    pub const fn exponential(first: Duration, most: Duration) -> Backoff {
        Backoff::new(Shape::Exponential, first, most)
    }

    /// Anything from nothing to a bound, which is `first` and doubles each time, up to `most`.
    #[must_use]
    pub const fn full_jitter(first: Duration, most: Duration) -> Backoff {
        Backoff::new(Shape::Full, first, most)
    }

    /// Anything from half of a bound to the bound, which is `first` and doubles each time, up to
    /// `most`.
    #[must_use]
    pub const fn equal_jitter(first: Duration, most: Duration) -> Backoff {
        Backoff::new(Shape::Equal, first, most)
    }

    /// Anything from `first` to three times the last pause, up to `most`.
    #[must_use]
    pub const fn decorrelated_jitter(first: Duration, most: Duration) -> Backoff {
        Backoff::new(Shape::Decorrelated, first, most)
    }

    /// The pause after so many attempts, where the last one was `last` and chance is `dice`, from 0
    /// to 1.
    pub(crate) fn pause(&self, attempts: u32, last: Duration, dice: f64) -> Duration {
        let most = if attempts < SOON { self.most } else { self.later };
        let bound = self.first.saturating_mul(1 << attempts.min(16)).min(most);
        match self.shape {
            Shape::Constant => self.first,
            Shape::Exponential => bound,
            Shape::Full => bound.mul_f64(dice),
            Shape::Equal => bound.mul_f64(0.5 + dice / 2.0),
            Shape::Decorrelated => {
                let room = last.saturating_mul(3).max(self.first) - self.first;
                (self.first + room.mul_f64(dice)).min(most)
            }
        }
    }
}

impl Default for Backoff {
    /// Full jitter, from 10 to 100 milliseconds; up to 500 once that has failed 200 times. A
    /// server that comes back is met soon, and not by all at the same moment.
    fn default() -> Backoff {
        let (first, most) = (Duration::from_millis(10), Duration::from_millis(100));
        Backoff { later: Duration::from_millis(500), ..Backoff::full_jitter(first, most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(10);
    const MOST: Duration = Duration::from_millis(100);

    fn pauses(backoff: Backoff, dice: f64) -> Vec<u128> {
        let mut last = Duration::ZERO;
        let pause = |attempts| {
            last = backoff.pause(attempts, last, dice);
            last.as_millis()
        };
        (0..6).map(pause).collect()
    }

    #[test]
    fn every_shape() {
        for (backoff, dice, expected) in [
            (Backoff::constant(FIRST), 0.5, [10, 10, 10, 10, 10, 10]),
            (Backoff::exponential(FIRST, MOST), 0.5, [10, 20, 40, 80, 100, 100]),
            (Backoff::full_jitter(FIRST, MOST), 0.5, [5, 10, 20, 40, 50, 50]),
            (Backoff::equal_jitter(FIRST, MOST), 0.0, [5, 10, 20, 40, 50, 50]),
            (Backoff::equal_jitter(FIRST, MOST), 1.0, [10, 20, 40, 80, 100, 100]),
            (Backoff::decorrelated_jitter(FIRST, MOST), 1.0, [10, 30, 90, 100, 100, 100]),
            (Backoff::decorrelated_jitter(FIRST, MOST), 0.0, [10, 10, 10, 10, 10, 10]),
        ] {
            assert_eq!(pauses(backoff, dice), expected, "{backoff:?}");
        }
        let late = Backoff::default().pause(10_000, FIRST, 1.0);
        assert_eq!(late, Duration::from_millis(500));
    }
}
