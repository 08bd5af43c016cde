//! Replicas that answer reads, as the sentinels name them.

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;

use crate::cluster::{Means, Node, choose, measure};
use crate::config::{Address, Config, Endpoint, ReadFrom, Sentinels};
use crate::connection::{Connector, Link, Reply, Route, Wire, look};
use crate::direct::block;

/// A replica that was not in order is looked at again after this time.
const SOON: Duration = Duration::from_secs(1);

/// After news the sentinels are given this time to act on it.
const SETTLE: Duration = Duration::from_millis(50);

/// The primary's replicas, and which of them reads next.
pub(crate) struct Replicas {
    config: Config,
    connector: Connector,
    sentinels: Sentinels,
    means: Means,
    view: ArcSwapOption<View>,
    turn: AtomicUsize,
    /// When the sentinels are to be asked again.
    due: Mutex<Instant>,
}

struct View {
    /// Reads from it go by the client's own connection.
    primary: Arc<Node>,
    replicas: Vec<Arc<Node>>,
}

impl View {
    fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.replicas.iter().chain([&self.primary])
    }
}

impl Replicas {
    /// Those of a client that connects so, where the configuration reads from replicas.
    pub(crate) fn of(config: &Config, connector: &Connector) -> Option<Arc<Replicas>> {
        let Endpoint::Sentinel(sentinels) = &config.endpoint else { return None };
        if config.read_from == ReadFrom::Primary {
            return None;
        }
        let means = match connector {
            Connector::Blocking => Means::Direct,
            connector => Means::Shared {
                connector: connector.clone(),
                alarm: Arc::default(),
                runtime: tokio::runtime::Handle::current(),
            },
        };
        let replicas = Replicas {
            config: config.clone(),
            connector: connector.clone(),
            sentinels: (**sentinels).clone(),
            means,
            view: ArcSwapOption::empty(),
            turn: AtomicUsize::new(0),
            due: Mutex::new(Instant::now()),
        };
        replicas.refresh();
        if let Some(view) = &*replicas.view.load() {
            view.replicas.iter().for_each(|replica| replica.fill());
        }
        Some(Arc::new(replicas))
    }

    /// The connection to the replica that answers this; `None` where the primary does.
    pub(crate) fn link_for(&self, route: &Route<'_>, wire: &Wire<'_>) -> Option<Arc<Link>> {
        self.choose(route)?.link(wire).cloned()
    }

    /// The answer of a replica to a blocking client; `None` where the primary is to be asked.
    pub(crate) fn answer(&self, route: &Route<'_>, wire: &Wire<'_>) -> Option<Reply> {
        if *self.due() <= Instant::now() {
            // Without news of them the replicas are what they were.
            let _ = block(async {
                self.look().await;
                Ok(())
            });
        }
        let reply = self.choose(route)?.call(wire)?.ok()?;
        (!is_refused(&reply)).then_some(reply)
    }

    fn choose(&self, route: &Route<'_>) -> Option<Arc<Node>> {
        let Route::Command(packed, flags) = route else { return None };
        if !flags.is_for_replicas() || packed.first_key().is_none() {
            return None;
        }
        let view = self.view.load();
        let view = view.as_ref()?;
        let node = choose(&view.primary, &view.replicas, &self.config.read_from, &self.turn);
        (!Arc::ptr_eq(node, &view.primary)).then(|| Arc::clone(node))
    }

    /// How long the last word of the sentinels holds.
    pub(super) fn holds(&self) -> Duration {
        self.due().saturating_duration_since(Instant::now())
    }

    /// There are news: the sentinels are asked soon.
    pub(super) fn heard(&self) {
        let mut due = self.due();
        *due = (*due).min(Instant::now() + SETTLE);
    }

    /// Asks the sentinels for the replicas.
    pub(super) async fn look(&self) {
        let mut reasons = Vec::new();
        let words = look(&self.config, &self.connector, &self.sentinels, &mut reasons).await;
        let settled = self.sentinels.told().is_some_and(|told| told.settled) && !words.is_empty();
        let holds = if settled { self.config.topology_interval } else { SOON };
        *self.due() = Instant::now() + holds;
        self.refresh();
        let nodes: Vec<_> = match &*self.view.load() {
            Some(view) => view.nodes().cloned().collect(),
            None => Vec::new(),
        };
        if let Means::Shared { .. } = self.means {
            measure(&nodes, &self.config.read_from).await;
        }
    }

    /// Takes over what the sentinels said last; connects to new replicas, leaves old ones.
    fn refresh(&self) {
        let Some(told) = self.sentinels.told() else { return };
        let old = self.view.load_full();
        let node = |address: &Address| {
            let address = self.config.reach(address);
            let mut known = old.iter().flat_map(|view| view.nodes());
            match known.find(|node| node.address == address) {
                Some(node) => Arc::clone(node),
                None => {
                    let config = self.config_at(&address);
                    Arc::new(Node::new(address, config, &self.means))
                }
            }
        };
        let primary = node(&told.primary);
        let replicas: Vec<_> = told.replicas.iter().map(node).collect();
        for replica in &replicas {
            // Connects.
            replica.begin();
        }
        let view = Arc::new(View { primary, replicas });
        self.view.store(Some(Arc::clone(&view)));
        for node in old.iter().flat_map(|old| old.nodes()) {
            if !view.nodes().any(|stays| Arc::ptr_eq(stays, node)) {
                node.close();
            }
        }
    }

    fn config_at(&self, address: &Address) -> Config {
        let mut config = self.config.clone();
        config.endpoint = Endpoint::Tcp { host: address.host.clone(), port: address.port };
        // The primary answers instead of one that is away.
        config.fail_fast = true;
        config
    }

    /// Accepts nothing more.
    pub(crate) fn close(&self) {
        if let Some(view) = &*self.view.load() {
            view.nodes().for_each(|node| node.close());
        }
    }

    /// Ready once all connections have ended.
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(view) = &*self.view.load() {
            for node in view.nodes() {
                ready!(node.poll_closed(cx));
            }
        }
        Poll::Ready(())
    }

    fn due(&self) -> MutexGuard<'_, Instant> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a replica could not answer, where its primary can.
pub(crate) fn is_refused(reply: &Reply) -> bool {
    let reply = reply.as_bytes();
    reply.starts_with(b"-LOADING ") || reply.starts_with(b"-MASTERDOWN ")
}
