//! Whose pool: that of the client's server, or of a node of its cluster.

use std::sync::Arc;
use std::time::Instant;

use super::Pool;
use crate::client::Client;
use crate::cluster::Place;
use crate::error::{Error, ErrorKind, Result, Sent, ServerCode};

impl Client {
    /// The pool of the server, or of the node that serves a slot.
    pub(super) fn pool_for(&self, slot: Option<u16>) -> Result<Arc<Pool>> {
        // Of several databases the active one.
        let client = self.steady();
        match (client.cluster(), slot) {
            (None, _) => client.own_pool(),
            (Some(cluster), Some(slot)) => cluster.pool_at(&Place::Slot(slot)),
            (Some(_), None) => {
                let text = "on a cluster a key must say which node the connection goes to: use \
                            `client.exclusive_for(key)`";
                Err(Error::new(ErrorKind::Usage, text))
            }
        }
    }

    pub(super) fn pools(&self) -> Vec<Arc<Pool>> {
        let client = self.steady();
        match client.cluster() {
            Some(cluster) => cluster.pools(),
            None => client.own_pool().into_iter().collect(),
        }
    }

    /// Whether what a cluster refused, or was not sent, may be tried again: then the client knows
    /// more than before.
    pub(super) async fn learns_from(&self, error: &Error, until: Instant) -> bool {
        let client = self.steady();
        let Some(cluster) = client.cluster() else { return false };
        let refused = matches!(
            error.kind(),
            ErrorKind::Server(
                ServerCode::Moved
                    | ServerCode::Ask
                    | ServerCode::TryAgain
                    | ServerCode::ClusterDown
                    | ServerCode::ReadOnly
            )
        );
        let unsent = error.sent() == Sent::No
            && matches!(error.kind(), ErrorKind::Connect | ErrorKind::Disconnected);
        if !(refused || unsent) || Instant::now() >= until {
            return false;
        }
        cluster.learn(error).await;
        true
    }
}
