//! The caller that waits alone on a connection, and so reads for itself.

use std::sync::atomic::{AtomicU32, Ordering};

use super::slots::Ticket;

/// Whose future reads the socket itself. It is set under both locks, taken away under that of the
/// state, and looked at without.
pub(crate) struct Caller(AtomicU32);

impl Caller {
    /// No ticket is so high: slots are counted from 0.
    const NOBODY: Ticket = Ticket::MAX;

    pub(super) fn nobody() -> Caller {
        Caller(AtomicU32::new(Caller::NOBODY))
    }

    pub(crate) fn is_somebody(&self) -> bool {
        self.0.load(Ordering::Acquire) != Caller::NOBODY
    }

    pub(super) fn is(&self, ticket: Ticket) -> bool {
        self.0.load(Ordering::Acquire) == ticket
    }

    pub(super) fn set(&self, ticket: Ticket) {
        self.0.store(ticket, Ordering::Release);
    }

    pub(crate) fn clear(&self) {
        self.set(Caller::NOBODY);
    }
}
