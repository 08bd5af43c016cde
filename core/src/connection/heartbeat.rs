//! A question to a server that nobody asked anything for a while: whether it is still there.

use std::sync::atomic::Ordering;

use super::link::Link;
use super::outbox::Wire;

/// A server that refuses it has answered too.
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

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
        let entry = state.append(&Wire::Many { bytes: PING.into(), frames: 1 });
        state.slots.join(None, entry);
        self.busy.store(true, Ordering::Relaxed);
        // The driver is running: it writes next.
    }
}
