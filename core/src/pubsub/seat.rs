//! Which server a connection of a subscription goes to.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::branch::Branch;
use super::topics::Topics;
use crate::cluster::{Cluster, Place};
use crate::config::Address;
use crate::config::{Backoff, Config};
use crate::connection::Connector;
use crate::error::{Error, ErrorKind, Result, ServerCode};

/// Where a connection goes, looked up anew each time.
pub(super) struct Seat {
    config: Config,
    pub(super) connector: Connector,
    /// In a cluster: which node.
    place: Option<(Arc<Cluster>, Place)>,
    /// Where the last attempt went to.
    tried: Option<Address>,
    /// Becomes ready with the cluster's next map.
    changed: Option<Changed>,
}

type Changed = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Seat {
    /// The server that the configuration names.
    pub(super) fn fixed(config: Config, connector: Connector) -> Seat {
        Seat { config, connector, place: None, tried: None, changed: None }
    }

    /// A node of a cluster.
    pub(super) fn at(cluster: &Arc<Cluster>, connector: Connector, place: Place) -> Seat {
        let config = cluster.config.clone();
        let changed: Changed = Box::pin(changed(cluster));
        let (place, changed) = (Some((Arc::clone(cluster), place)), Some(changed));
        Seat { config, connector, place, tried: None, changed }
    }

    /// Where to connect to now.
    pub(super) fn config(&mut self) -> Result<Config> {
        let Some((cluster, place)) = &self.place else { return Ok(self.config.clone()) };
        self.tried = cluster.address_of(place);
        cluster.config_for(place)
    }

    /// Whether the place has moved since the last attempt.
    pub(super) fn poll_moved(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (Some((cluster, place)), Some(change)) = (&self.place, &mut self.changed) else {
            return Poll::Pending;
        };
        loop {
            ready!(change.as_mut().poll(cx));
            *change = Box::pin(changed(cluster));
            let now = cluster.address_of(place);
            if now.is_some() && now != self.tried {
                return Poll::Ready(());
            }
        }
    }

    /// The pauses between attempts.
    pub(super) fn backoff(&self) -> Backoff {
        match &self.place {
            // The cluster elects another node soon, or has done so.
            Some(_) => Backoff::equal_jitter(Duration::from_millis(10), Duration::from_millis(40)),
            None => self.config.backoff,
        }
    }

    /// The one node it is bound to.
    fn node(&self) -> Option<&Address> {
        match &self.place {
            Some((_, Place::Node(address))) => Some(address),
            _ => None,
        }
    }

    /// Whether an error said where else to go.
    pub(super) fn learns_from(&self, error: &Error) -> bool {
        let Some((cluster, _)) = &self.place else { return false };
        cluster.note_error(error);
        matches!(error.kind(), ErrorKind::Server(ServerCode::Moved))
    }
}

/// Keeps a branch for each of a cluster's primaries.
pub(super) struct Follow {
    cluster: Arc<Cluster>,
    connector: Connector,
    topics: Topics,
    changed: Changed,
}

impl Follow {
    pub(super) fn new(cluster: &Arc<Cluster>, connector: Connector, topics: Topics) -> Follow {
        let changed = Box::pin(changed(cluster));
        Follow { cluster: Arc::clone(cluster), connector, topics, changed }
    }

    /// Adds branches for new primaries, drops those of nodes that are none any more.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, branches: &mut Vec<Branch>) {
        while let Poll::Ready(()) = self.changed.as_mut().poll(cx) {
            self.changed = Box::pin(changed(&self.cluster));
            let primaries = self.cluster.primaries();
            branches.retain(|branch| branch.seat().node().is_none_or(|at| primaries.contains(at)));
            for primary in primaries {
                if !branches.iter().any(|branch| branch.seat().node() == Some(&primary)) {
                    let place = Place::Node(primary);
                    let seat = Seat::at(&self.cluster, self.connector.clone(), place);
                    branches.push(Branch::later(seat, self.topics.clone()));
                }
            }
        }
    }
}

fn changed(cluster: &Arc<Cluster>) -> impl Future<Output = ()> + Send + 'static {
    let mut changes = cluster.changes();
    async move {
        if changes.changed().await.is_err() {
            std::future::pending().await
        }
    }
}
