//! How the connections to a cluster's nodes tell that its map may be wrong.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::config::Address;

/// Rung by connections, heard by the one who makes the map.
#[derive(Default)]
pub(crate) struct Alarm {
    notify: Notify,
    /// Servers that a node named as those to ask.
    named: Mutex<Vec<Address>>,
}

impl Alarm {
    pub(crate) fn ring(&self) {
        self.notify.notify_one();
    }

    /// Waits until it is rung, or returns at once if it was since the last time.
    pub(crate) async fn rung(&self) {
        self.notify.notified().await;
    }

    /// Rings, and says whom to ask, as this client reaches them.
    pub(crate) fn name(&self, servers: impl IntoIterator<Item = Address>) {
        self.named.lock().unwrap_or_else(PoisonError::into_inner).extend(servers);
        self.ring();
    }

    /// Who was named since the last time.
    pub(crate) fn named(&self) -> Vec<Address> {
        std::mem::take(&mut *self.named.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
