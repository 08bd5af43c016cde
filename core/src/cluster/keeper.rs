//! Keeps the map up to date: one refresh at a time, never too many of them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::choice::measure;
use super::map::{Map, View};
use super::node::{Means, Node};
use super::{Cluster, redirect, shards};
use crate::config::Address;
use crate::config::ReadFrom;
use crate::connection::Reply;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::inside;

/// The least time between two refreshes.
const APART: Duration = Duration::from_millis(25);

/// The least time after some that have changed nothing: while a primary is lost, each takes time from
/// what the other nodes are asked.
const FURTHER: Duration = Duration::from_millis(75);

/// So long, and a pause, a request waits for a new map.
const LONGEST: Duration = Duration::from_millis(200);

/// How long one node may take to say what it knows, once the cluster is known.
const PATIENCE: Duration = Duration::from_millis(500);

/// `CLUSTER SHARDS`, in wire form.
const SHARDS: &[u8] = b"*2\r\n$7\r\nCLUSTER\r\n$6\r\nSHARDS\r\n";

/// Starts the task that refreshes the map, on demand and now and then.
pub(super) fn spawn(cluster: &Arc<Cluster>) {
    let weak = Arc::downgrade(cluster);
    let alarm = Arc::clone(&cluster.alarm);
    let interval = cluster.config.topology_interval;
    tokio::spawn(async move {
        let mut apart = APART;
        loop {
            // Too early or too late a look harms nobody.
            let _ = tokio::time::timeout(interval, alarm.rung()).await;
            let Some(cluster) = weak.upgrade() else { return };
            if cluster.is_closed() {
                return;
            }
            let before = cluster.map.load_full();
            if let Err(error) = cluster.discover(PATIENCE).await {
                tracing::debug!(%error, "the cluster's map could not be made anew");
                cluster.looked();
            }
            apart = match Arc::ptr_eq(&before, &cluster.map.load()) {
                true => apart.saturating_mul(2).min(FURTHER),
                false => APART,
            };
            let nodes: Vec<Arc<Node>> = cluster.map.load().nodes().cloned().collect();
            measure(&nodes, &cluster.config.read_from).await;
            drop((cluster, before));
            tokio::time::sleep(apart).await;
        }
    });
}

impl Cluster {
    /// Asks for a new map soon, without waiting for it. A blocking client, which has no task that
    /// makes one, does so before what it sends next that way.
    pub(super) fn demand(&self) {
        match &self.means {
            Means::Shared { .. } => self.alarm.ring(),
            Means::Direct => self.stale.store(true, Ordering::Relaxed),
        }
    }

    /// Makes the map anew on a blocking client, where that was asked for or is due.
    pub(super) async fn refresh_here(self: &Arc<Cluster>) {
        if let Means::Shared { .. } = self.means {
            return;
        }
        let age = self.age();
        let stale = self.stale.load(Ordering::Relaxed) && age >= APART;
        if stale || age >= self.config.topology_interval {
            self.stale.store(false, Ordering::Relaxed);
            self.renew_here().await;
        }
    }

    /// Makes the map anew on a blocking client, where it is older than this.
    pub(crate) async fn look_here(self: &Arc<Cluster>, age: Duration) {
        if self.age() >= age {
            self.renew_here().await;
        }
    }

    /// How long ago the map was made anew.
    fn age(&self) -> Duration {
        let since = milliseconds().saturating_sub(self.renewed.load(Ordering::Relaxed));
        Duration::from_millis(since)
    }

    /// Whether the map was made anew just now.
    fn is_early(&self) -> bool {
        self.age() < APART
    }

    /// Makes the map anew on this thread, unless another does; gives whether it did.
    async fn renew_here(self: &Arc<Cluster>) -> bool {
        if self.renewing.swap(true, Ordering::AcqRel) {
            return false;
        }
        if let Err(error) = self.discover(PATIENCE).await {
            tracing::debug!(%error, "the cluster's map could not be made anew");
            self.looked();
        }
        self.renewing.store(false, Ordering::Release);
        true
    }

    /// How many maps there were.
    pub(super) fn epoch(&self) -> u64 {
        *self.epoch.borrow()
    }

    /// Waits for a newer map than the one of `epoch`, but not for long, and at least for `pause`
    /// where none can be had.
    pub(super) async fn renew(self: &Arc<Cluster>, epoch: u64, pause: Duration) {
        match &self.means {
            Means::Shared { runtime, .. } => {
                let mut changes = self.epoch.subscribe();
                self.demand();
                let newer = changes.wait_for(|now| *now > epoch);
                // Whoever waited long enough looks again.
                let newer =
                    async { tokio::time::timeout(LONGEST.saturating_add(pause), newer).await };
                let _ = inside(Some(runtime), newer).await;
            }
            Means::Direct => {
                std::thread::sleep(pause);
                if self.is_early() || !self.renew_here().await {
                    std::thread::sleep(APART);
                }
            }
        }
    }

    /// Makes the map anew whether or not it is known to be wrong.
    pub(super) async fn look_again(self: &Arc<Cluster>) {
        match &self.means {
            Means::Shared { .. } => self.renew(self.epoch(), Duration::ZERO).await,
            Means::Direct => drop(self.renew_here().await),
        }
    }

    /// The outcome of a future; `None` when it has none in the time that is `left`, which a blocking
    /// client's keep themselves.
    pub(super) async fn within<F: Future>(
        &self,
        left: Option<Duration>,
        future: F,
    ) -> Option<F::Output> {
        match (&self.means, left) {
            (Means::Shared { runtime, .. }, Some(left)) => {
                let limited = async { tokio::time::timeout(left, future).await.ok() };
                inside(Some(runtime), limited).await
            }
            _ => Some(future.await),
        }
    }

    /// Lets time pass.
    pub(crate) async fn pause(&self, time: Duration) {
        match &self.means {
            Means::Shared { runtime, .. } => {
                inside(Some(runtime), async { tokio::time::sleep(time).await }).await;
            }
            Means::Direct => std::thread::sleep(time),
        }
    }

    /// Asks the nodes for the cluster's map, one after the other, until one knows it.
    ///
    /// # Errors
    /// Why none did.
    pub(super) async fn discover(&self, patience: Duration) -> Result<()> {
        let mut errors: Vec<String> = Vec::new();
        let mut last = None;
        for node in self.candidates() {
            let error = match self.ask(&node, patience).await {
                Ok(view) if view.shards.is_empty() => {
                    Error::new(ErrorKind::Connect, "the node knows of no slot that is served")
                }
                Ok(view) => {
                    self.adopt(view);
                    return Ok(());
                }
                Err(error) => error,
            };
            errors.push(format!("{}: {}", node.address, error.message()));
            let refused =
                matches!(error.kind(), ErrorKind::Auth | ErrorKind::Usage | ErrorKind::Unsupported);
            last = Some(error);
            if refused {
                // The others would say the same, and lock the account.
                break;
            }
        }
        let kind = last.as_ref().map_or(ErrorKind::Connect, Error::kind);
        let text = format!("no node of the cluster could be asked: {}", errors.join("; "));
        Err(Error::new(kind, text))
    }

    /// Whom to ask: those that another named first, then those that are connected, the seeds last.
    fn candidates(&self) -> Vec<Arc<Node>> {
        let map = self.map.load();
        let mut nodes: Vec<Arc<Node>> = map.nodes().cloned().collect();
        if !nodes.is_empty() {
            let start = milliseconds().checked_rem(nodes.len() as u64).unwrap_or(0);
            nodes.rotate_left(usize::try_from(start).unwrap_or(0));
        }
        let named = self.alarm.named();
        nodes.sort_by_key(|node| (!named.contains(&node.address), !node.is_up()));
        let known: Vec<Address> = nodes.iter().map(|node| node.address.clone()).collect();
        let seeds = named.iter().chain(&self.seeds).filter(|seed| !known.contains(seed));
        nodes.extend(seeds.map(|seed| self.node(seed)));
        nodes
    }

    /// By `CLUSTER SHARDS`; where that cannot be had, or does not say it all, by `CLUSTER SLOTS`.
    async fn ask(&self, node: &Arc<Node>, patience: Duration) -> Result<View> {
        if self.knows_shards.load(Ordering::Relaxed) {
            let reply = self.question(node, SHARDS, patience).await?;
            match shards::read(&mut reply.reader(), &node.address, self.config.tls.is_some()) {
                Ok(Some(view)) => return Ok(view),
                Ok(None) => {}
                // Servers before Redis 7 know no such command, and a user may not be allowed it.
                Err(_) => self.knows_shards.store(false, Ordering::Relaxed),
            }
        }
        let reply =
            self.question(node, b"*2\r\n$7\r\nCLUSTER\r\n$5\r\nSLOTS\r\n", patience).await?;
        if is_no_cluster(&reply) {
            let text = format!("{} is no node of a cluster", node.address);
            return Err(Error::new(ErrorKind::Usage, text));
        }
        View::read(&mut reply.reader(), &node.address)
    }

    async fn question(
        &self,
        node: &Arc<Node>,
        wire: &'static [u8],
        patience: Duration,
    ) -> Result<Reply> {
        let exchange = node.exchange(Bytes::from_static(wire).into(), 1);
        match self.means {
            Means::Direct => exchange.await,
            Means::Shared { .. } => match tokio::time::timeout(patience, exchange).await {
                Ok(reply) => reply,
                Err(_) => Err(Error::new(ErrorKind::Timeout, "no answer in time")),
            },
        }
    }

    /// Makes the map of what a node said; nodes that it does not know are closed.
    fn adopt(&self, view: View) {
        let before = self.map.load();
        let known = |node: &Arc<Node>| {
            before.nodes().any(|known| Arc::ptr_eq(known, node))
                || self.seeds.contains(&node.address)
        };
        if before.is_of(&view) && self.all().values().all(known) {
            // While a primary is lost it is asked for again and again.
            return self.looked();
        }
        let map =
            Map::new(view, Some(&before), |address, _| self.node(&self.config.reach(address)));
        if !map.is_complete() {
            tracing::debug!("some of the cluster's slots are served by nobody");
        }
        self.used(&map).for_each(|node| node.begin());
        let gone: Vec<Arc<Node>> = {
            let mut all = self.all();
            let stays = |node: &Arc<Node>| map.nodes().any(|known| Arc::ptr_eq(known, node));
            let gone = all.values().filter(|node| !stays(node)).cloned().collect();
            all.retain(|_, node| stays(node));
            gone
        };
        self.map.store(Arc::new(map));
        gone.iter().for_each(|node| node.close());
        self.looked();
    }

    /// The nodes that commands go to.
    fn used<'m>(&self, map: &'m Map) -> impl Iterator<Item = &'m Arc<Node>> {
        let replicas_too = !matches!(self.config.read_from, ReadFrom::Primary);
        map.primaries().chain(map.nodes().filter(move |_| replicas_too))
    }

    /// Connects a blocking client as often as connections are to lie ready.
    pub(super) fn fill(&self) {
        self.used(&self.map.load()).for_each(|node| node.fill());
    }

    /// The map was made, or tried to be.
    pub(super) fn looked(&self) {
        self.renewed.store(milliseconds(), Ordering::Relaxed);
        self.epoch.send_modify(|epoch| *epoch = epoch.wrapping_add(1));
    }
}

fn is_no_cluster(reply: &Reply) -> bool {
    let reply = reply.as_bytes();
    matches!(reply.first(), Some(b'-'))
        && redirect::error(reply).message().contains("cluster support disabled")
}

fn milliseconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}
