//! Coarse time: a clock that costs nothing to look at, and moves while the driver runs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::link::Link;

impl Link {
    /// The time between two ticks.
    #[expect(clippy::arithmetic_side_effects, reason = "a Duration divided by four")]
    pub(crate) fn tick_length(&self) -> Duration {
        let waiting = self.config.patience_without_connection();
        let shortest = self.config.response_timeout.min(waiting) / 4;
        shortest.clamp(Duration::from_millis(5), Duration::from_millis(250))
    }

    /// How many ticks a time is, rounded up.
    pub(crate) fn ticks(&self, time: Duration) -> u32 {
        let ticks = time.as_nanos().div_ceil(self.tick_length().as_nanos().max(1));
        u32::try_from(ticks).unwrap_or(u32::MAX)
    }

    /// The tick of now.
    #[inline]
    pub(crate) fn now(&self) -> u32 {
        self.clock.load(Ordering::Relaxed)
    }

    /// How long ago that tick was, as exactly as ticks tell.
    pub(crate) fn since(&self, tick: u32) -> Duration {
        self.tick_length().saturating_mul(self.now().wrapping_sub(tick))
    }
}
