//! How long to wait between attempts to connect.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const FIRST: Duration = Duration::from_millis(10);
/// The bound for the first attempts: a server that comes back is met at once.
const SOON: Duration = Duration::from_millis(100);
/// The bound after [`PATIENT`] attempts.
const MOST: Duration = Duration::from_millis(500);
const PATIENT: u32 = 200;

/// Exponential, with full jitter: many clients that lost one server do not come back at once.
#[derive(Debug)]
pub(crate) struct Backoff {
    attempt: u32,
    /// A xorshift generator's state. Invariant: not 0.
    seed: u64,
}

impl Backoff {
    pub(crate) fn new() -> Backoff {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let here = std::ptr::from_ref(&now) as usize as u64;
        Backoff::seeded((now.as_nanos() as u64) ^ here.rotate_left(32))
    }

    fn seeded(seed: u64) -> Backoff {
        Backoff { attempt: 0, seed: seed | 1 }
    }

    /// The next delay, somewhere from nothing to twice the last one's bound.
    pub(crate) fn next(&mut self) -> Duration {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let bound = FIRST.saturating_mul(1 << self.attempt.min(16)).min(self.most());
        self.attempt += 1;
        let fraction = (self.seed >> 11) as f64 / (1u64 << 53) as f64;
        bound.mul_f64(fraction)
    }

    fn most(&self) -> Duration {
        if self.attempt < PATIENT { SOON } else { MOST }
    }

    pub(crate) fn reset(&mut self) {
        self.attempt = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_a_bound_and_varies() {
        let mut backoff = Backoff::seeded(42);
        let delays: Vec<Duration> = (0..400).map(|_| backoff.next()).collect();
        assert!(delays[0] <= FIRST);
        assert!(delays.iter().all(|delay| *delay <= MOST));
        assert!(delays[10..200].iter().all(|delay| *delay <= SOON));
        assert!(delays[10..200].iter().any(|delay| *delay > SOON / 2));
        assert!(delays[200..].iter().any(|delay| *delay > MOST / 2));
        assert!(delays[200..].iter().any(|delay| *delay < MOST / 2));
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
