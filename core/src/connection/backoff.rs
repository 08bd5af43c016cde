//! The pauses between attempts, one after the other.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::Backoff;

/// Where a series of attempts stands.
#[derive(Debug)]
pub(crate) struct Pauses {
    backoff: Backoff,
    attempts: u32,
    last: Duration,
    /// A xorshift generator's state. Invariant: not 0.
    seed: u64,
}

impl Pauses {
    #[expect(clippy::cast_possible_truncation, reason = "any bits of a clock will do")]
    pub(crate) fn new(backoff: Backoff) -> Pauses {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let here = std::ptr::from_ref(&now) as usize as u64;
        let seed = (now.as_nanos() as u64) ^ here.rotate_left(32) | 1;
        Pauses { backoff, attempts: 0, last: Duration::ZERO, seed }
    }

    /// The next pause.
    #[expect(clippy::cast_precision_loss, reason = "53 bits, which a double holds exactly")]
    pub(crate) fn next(&mut self) -> Duration {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        let dice = (self.seed >> 11) as f64 / (1u64 << 53) as f64;
        self.last = self.backoff.pause(self.attempts, self.last, dice);
        self.attempts = self.attempts.saturating_add(1);
        self.last
    }

    /// Begins anew.
    pub(crate) fn reset(&mut self) {
        self.attempts = 0;
        self.last = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_vary_and_begin_anew() {
        let mut pauses = Pauses::new(Backoff::default());
        let first = Duration::from_millis(10);
        assert!(pauses.next() <= first);
        let later: Vec<Duration> = (0..100).map(|_| pauses.next()).collect();
        assert!(later.iter().any(|pause| *pause > Duration::from_millis(50)));
        assert!(later[10..].iter().any(|pause| *pause < Duration::from_millis(50)));
        pauses.reset();
        assert!(pauses.next() <= first);
    }
}
