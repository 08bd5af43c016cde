//! What goes along with a link: other connections, and who listens.

use std::sync::Arc;

use tokio::task::AbortHandle;

use super::link::Link;
#[cfg(test)]
use super::link::PushSink;
use crate::error::Result;
use crate::pool::Pool;
use crate::sentinel::Replicas;

impl Link {
    /// The pool beside it.
    ///
    /// # Errors
    /// `Closed` before the link is driven.
    pub(crate) fn pool(&self) -> Result<&Arc<Pool>> {
        self.pool.get().ok_or_else(super::state::closed)
    }

    /// Who answers what only reads, where that is not this server.
    #[inline]
    pub(crate) fn replicas(&self) -> Option<&Arc<Replicas>> {
        self.replicas.get()
    }

    /// What only reads goes to these from now on.
    pub(crate) fn read_from(&self, replicas: Arc<Replicas>) {
        // It is said once, before the link is used.
        let _ = self.replicas.set(replicas);
    }

    /// Which link it is to who takes its pushes.
    pub(crate) fn source(&self) -> Option<u64> {
        self.pushes.as_ref().map(|sink| sink.source())
    }

    /// There is another connection, or none: what the old one would have pushed is unknown.
    pub(super) fn hears_no_more(&self) {
        if let Some(sink) = &self.pushes {
            sink.lost();
        }
    }

    /// The same link, with somebody to take its pushes.
    #[cfg(test)]
    pub(crate) fn with_pushes(mut self, sink: Arc<dyn PushSink>) -> Link {
        self.pushes = Some(sink);
        self
    }

    /// A task that is ended when the link is closed.
    pub(crate) fn end_with_it(&self, task: &AbortHandle) {
        if self.companion.set(task.clone()).is_err() {
            task.abort();
        }
    }
}
