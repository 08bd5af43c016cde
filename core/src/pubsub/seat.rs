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
use crate::config::{Backoff, Config, Endpoint};
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
    /// Becomes ready with the cluster's next map, or with the sentinels' next word.
    changed: Option<Changed>,
}

type Changed = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Seat {
    /// The server that the configuration names.
    pub(super) fn fixed(config: Config, connector: Connector) -> Seat {
        let elects = !matches!(connector, Connector::Blocking);
        let changed = elects.then(|| elected(&config)).flatten();
        Seat { config, connector, place: None, tried: None, changed }
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
        let Some((cluster, place)) = &self.place else {
            self.tried = self.primary();
            return Ok(self.config.clone());
        };
        self.tried = cluster.address_of(place);
        cluster.config_for(place)
    }

    /// Who is the primary by the sentinels' last word.
    fn primary(&self) -> Option<Address> {
        match &self.config.endpoint {
            Endpoint::Sentinel(sentinels) => sentinels.elected(),
            _ => None,
        }
    }

    /// Whether the place has moved since the last attempt.
    pub(super) fn poll_moved(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.poll_changed(cx));
            let now = match &self.place {
                Some((cluster, place)) => cluster.address_of(place),
                None => self.primary(),
            };
            if now.is_some() && now != self.tried {
                return Poll::Ready(());
            }
        }
    }

    /// Whether there are news that the server which it is connected to is the primary no longer.
    pub(super) fn poll_deposed(&mut self, server: &Endpoint, cx: &mut Context<'_>) -> Poll<()> {
        if self.place.is_some() {
            // A cluster's nodes say so themselves, where it matters.
            return Poll::Pending;
        }
        loop {
            ready!(self.poll_changed(cx));
            if self.config.is_deposed(server) {
                return Poll::Ready(());
            }
        }
    }

    /// Whether there are news.
    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(change) = &mut self.changed else { return Poll::Pending };
        ready!(change.as_mut().poll(cx));
        self.changed = match &self.place {
            Some((cluster, _)) => Some(Box::pin(changed(cluster))),
            None => elected(&self.config),
        };
        Poll::Ready(())
    }

    /// The topics, with a sentry where the node is one of a cluster's primaries that is to be left when
    /// it is none.
    pub(super) fn guarded(&self, topics: &Topics) -> Topics {
        let name = match &self.place {
            Some((cluster, Place::Node(address))) => cluster.channel_at(address),
            _ => None,
        };
        Topics { sentry: name.map(String::into_bytes), ..topics.clone() }
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
    pub(super) fn node(&self) -> Option<&Address> {
        match &self.place {
            Some((_, Place::Node(address))) => Some(address),
            _ => None,
        }
    }

    /// Whether an error said where else to go.
    pub(super) fn learns_from(&self, error: &Error) -> bool {
        let Some((cluster, _)) = &self.place else { return false };
        match error.kind() {
            ErrorKind::Server(ServerCode::ReadOnly) => self.revoked(),
            _ => cluster.note_error(error),
        }
        matches!(error.kind(), ErrorKind::Server(ServerCode::Moved | ServerCode::ReadOnly))
    }

    /// The node has said that others serve its slots: it is the first one to be asked which, since it
    /// knows already, and the rest may not.
    pub(super) fn revoked(&self) {
        if let (Some((cluster, _)), Some(node)) = (&self.place, &self.tried) {
            cluster.ask_first(node);
        }
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

/// Becomes ready with the next that is heard of an election; `None` where there is none.
fn elected(config: &Config) -> Option<Changed> {
    let Endpoint::Sentinel(sentinels) = &config.endpoint else { return None };
    let mut elections = sentinels.elections();
    Some(Box::pin(async move { elections.next().await }))
}

fn changed(cluster: &Arc<Cluster>) -> impl Future<Output = ()> + Send + 'static {
    let mut changes = cluster.changes();
    async move {
        if changes.changed().await.is_err() {
            std::future::pending().await
        }
    }
}
