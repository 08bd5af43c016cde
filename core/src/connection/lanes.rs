//! More shared connections to the same server, used in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use super::link::{Handle, Link};
use crate::config::Config;

/// The connections beside the first one.
pub(crate) struct Lanes {
    others: Box<[Handle]>,
    turn: AtomicUsize,
}

impl Lanes {
    pub(crate) fn new(others: Vec<Handle>) -> Lanes {
        Lanes { others: others.into(), turn: AtomicUsize::new(0) }
    }

    /// Whose turn it is; `None` for the first connection.
    #[expect(clippy::arithmetic_side_effects, reason = "there are 64 lanes at most")]
    fn next(&self) -> Option<&Arc<Link>> {
        let at = self.turn.fetch_add(1, Ordering::Relaxed) % (self.others.len() + 1);
        Some(&self.others.get(at.checked_sub(1)?)?.0)
    }
}

impl Link {
    /// The connection that takes the next request.
    #[inline]
    pub(crate) fn lane(self: &Arc<Link>) -> &Arc<Link> {
        match self.lanes.get() {
            None => self,
            Some(lanes) => lanes.next().unwrap_or(self),
        }
    }

    /// Whether there are others beside it.
    #[inline]
    pub(crate) fn has_lanes(&self) -> bool {
        self.lanes.get().is_some()
    }

    /// Requests go by these in turn from now on.
    pub(crate) fn share_with(&self, lanes: Lanes) {
        // It is said once, before the link is used.
        let _ = self.lanes.set(lanes);
    }

    /// The connections beside it.
    pub(super) fn others(&self) -> impl Iterator<Item = &Arc<Link>> {
        self.lanes.get().into_iter().flat_map(|lanes| lanes.others.iter().map(|handle| &handle.0))
    }

    /// Waits for the end of all after [`Link::close`].
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        for other in self.others() {
            ready!(other.poll_ended(cx));
        }
        self.poll_ended(cx)
    }
}

impl Config {
    /// What the connections beside the first one need.
    pub(crate) fn of_lane(&self) -> Config {
        let mut config = self.clone();
        config.connections = 1;
        // The first one's pool is that of all.
        config.pool.min_idle = 0;
        config
    }
}
