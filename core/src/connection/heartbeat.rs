//! A question to a server that nobody asked anything for a while: whether it is still there.

use std::sync::atomic::Ordering;

use super::link::Link;
use super::outbox::Wire;

/// A server that refuses it has answered too.
const PING: Wire<'static> = Wire::Many { bytes: b"*1\r\n$4\r\nPING\r\n", frames: 1 };

impl Link {
    /// Asks, if nothing is in flight and nothing came for the configured time. That no answer
    /// comes is noticed as with any other request.
    pub(super) fn beat(&self) {
        let Some(idle) = self.config.heartbeat else { return };
        let mut state = self.state();
        let since = state.tick.wrapping_sub(state.progress);
        if state.closing || since < self.ticks(idle) || !state.slots.fifo.is_empty() {
            return;
        }
        let entry = state.append(&PING);
        state.slots.join(None, entry);
        self.busy.store(true, Ordering::Relaxed);
        // The driver is running: it writes next.
    }
}
