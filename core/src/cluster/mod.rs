//! Redis Cluster: which node gets a command, and what to do when it was the wrong one.
//!
//! `map` says which node serves which slot, `plan` takes requests apart by it and puts replies
//! together (`policy`, `merge`), `run` sends the parts and follows redirections, `keeper` makes
//! the map anew when it was wrong.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss
    )
)]

mod choice;
mod health;
mod keeper;
mod map;
mod merge;
mod node;
mod plan;
mod policy;
mod redirect;
mod run;
mod shards;
mod sweep;
mod tour;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::sync::watch;

pub(crate) use choice::{choose, measure};
use map::{Map, View};
pub(crate) use node::{Means, Node};
use plan::{Plan, To};
pub use policy::known_keys;
use redirect::Verdict;

use crate::command::{Flags, slot};
use crate::config::{Address, Config, Endpoint, ReadFrom};
use crate::connection::{Alarm, Connector, Link, Reply, Route, Wire};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::pool::Pool;
use crate::resp::{Packed, Value};
use crate::server::ServerInfo;

/// A client's view of a cluster, and the connections to its nodes.
pub(crate) struct Cluster {
    pub(crate) config: Config,
    seeds: Vec<Address>,
    means: Means,
    map: ArcSwap<Map>,
    /// Every node there is a connection for: those of the map, and those that a redirection named.
    nodes: Mutex<HashMap<Address, Arc<Node>>>,
    alarm: Arc<Alarm>,
    /// How often the map was made, or tried to be made.
    epoch: watch::Sender<u64>,
    /// For blocking clients: whether a thread makes the map anew.
    renewing: AtomicBool,
    /// For blocking clients: whether something said that the map is wrong.
    stale: AtomicBool,
    /// When the map was last made, in milliseconds since the start.
    renewed: AtomicU64,
    closed: AtomicBool,
    /// Whether others take over what fails here.
    abandoned: AtomicBool,
    /// Whether the search module asks all nodes by itself, once that is known.
    coordinates: OnceLock<bool>,
    /// Whether the nodes answer `CLUSTER SHARDS`, as far as is known.
    knows_shards: AtomicBool,
}

/// Which node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// Any primary.
    Any,
    /// The primary that serves this slot.
    Slot(u16),
    Node(Address),
}

impl Cluster {
    /// Asks one of the seeds for the others.
    ///
    /// # Errors
    /// `Usage` when the options make no sense for a cluster or the server is in none; why no
    /// seed could be asked.
    pub(crate) async fn connect(config: Config, connector: Connector) -> Result<Arc<Cluster>> {
        let Endpoint::Cluster(seeds) = config.endpoint.clone() else {
            return Err(Error::new(ErrorKind::Usage, "the configuration names no cluster"));
        };
        if config.database != 0 {
            let text = "`database` must be 0: a cluster has no other";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let alarm = Arc::default();
        let means = match connector {
            Connector::Blocking => Means::Direct,
            connector => {
                let runtime = tokio::runtime::Handle::current();
                Means::Shared { connector, alarm: Arc::clone(&alarm), runtime }
            }
        };
        let empty = Map::new(View::default(), None, |address, _| {
            Arc::new(Node::new(address.clone(), config.clone(), &Means::Direct))
        });
        let cluster = Arc::new(Cluster {
            seeds,
            means,
            map: ArcSwap::from_pointee(empty),
            nodes: Mutex::new(HashMap::new()),
            alarm,
            epoch: watch::Sender::new(0),
            renewing: AtomicBool::new(false),
            stale: AtomicBool::new(false),
            renewed: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            coordinates: OnceLock::new(),
            knows_shards: AtomicBool::new(true),
            config,
        });
        cluster.discover(cluster.config.connect_timeout).await?;
        match cluster.means {
            Means::Shared { .. } => keeper::spawn(&cluster),
            Means::Direct => cluster.fill(),
        }
        Ok(cluster)
    }

    /// The shared connection for a command that one node answers, of a client that has such; `None` for
    /// others.
    #[inline]
    pub(crate) fn link_for(&self, packed: &Packed, flags: Flags) -> Option<Arc<Link>> {
        // With one key there is nothing to be split.
        let single = packed.argc() == 2 && packed.first_key().is_some() && !flags.is_search();
        if flags.is_routed() && !single || self.is_closed() {
            return None;
        }
        let map = self.map.load();
        let node = match packed.first_key().map(slot) {
            Some(slot) if self.reads_at_primaries() || !flags.is_for_replicas() => {
                map.primary(slot)
            }
            Some(slot) => map.reader(slot, &self.config.read_from),
            None => map.any(),
        };
        node?.link(&Wire::One(packed)).cloned()
    }

    /// The connection to the primary that serves a slot.
    pub(crate) fn primary_link(&self, slot: u16) -> Option<Arc<Link>> {
        if self.is_closed() {
            return None;
        }
        self.map.load().primary(slot)?.first_link().cloned()
    }

    /// Whether this is a command's answer. If not, what it says of the map is noted.
    #[inline]
    pub(crate) fn is_answer(&self, reply: &Reply) -> bool {
        let reply = reply.as_bytes();
        !matches!(reply.first(), Some(b'-')) || self.note(reply)
    }

    #[cold]
    fn note(&self, reply: &[u8]) -> bool {
        match Verdict::of(reply) {
            Verdict::Answer => return true,
            Verdict::Moved { slot, to: Some(to) } if !to.host.is_empty() => {
                self.map.load().move_slot(slot, &self.config.reach(&to));
                self.demand();
            }
            Verdict::Ask { .. } | Verdict::Wait => {}
            _ => self.demand(),
        }
        false
    }

    /// Whether a request whose answer was lost may be sent again, maybe elsewhere.
    pub(crate) fn may_resend(&self, error: &Error, repeatable: bool) -> bool {
        let lost = matches!(
            error.kind(),
            ErrorKind::Disconnected | ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Closed
        );
        let again = error.sent() == Sent::No || repeatable && self.config.retries > 0;
        lost && again && !self.is_over()
    }

    /// Takes a request apart, sends the parts to their nodes, and puts the replies together.
    ///
    /// # Errors
    /// `Usage` or `CrossSlot` for what a cluster cannot do; else those of the nodes.
    pub(crate) async fn run(self: Arc<Cluster>, plan: Plan) -> Result<Reply> {
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Closed, "the client is closed"));
        }
        if plan.searches {
            self.check_search().await?;
        }
        self.run_plan(plan).await
    }

    /// What is to be done for a request.
    ///
    /// # Errors
    /// `Usage` or `CrossSlot` for what a cluster cannot do.
    pub(crate) fn plan(&self, route: &Route<'_>) -> Result<Plan> {
        let map = self.map.load();
        match route {
            Route::Command(packed, flags) => Plan::of_command(packed, *flags, &map),
            Route::Pipeline(encoded) => Plan::of_pipeline(encoded, &map),
            Route::Transaction(encoded) => Plan::of_transaction(encoded),
        }
    }

    /// Refuses searches where each node would search its own documents alone.
    async fn check_search(&self) -> Result<()> {
        let coordinates = match self.coordinates.get() {
            Some(known) => *known,
            None => {
                let known = self.ask_coordinates().await?;
                *self.coordinates.get_or_init(|| known)
            }
        };
        if coordinates {
            return Ok(());
        }
        let text = "the search module of this cluster has no coordinator: each node would search \
                    its own documents alone. Redis 8 and Redis Software have one";
        Err(Error::new(ErrorKind::Unsupported, text))
    }

    /// Where the module coordinates, its commands have no keys; else their first argument is one.
    async fn ask_coordinates(&self) -> Result<bool> {
        let node = self.map.load().any().cloned();
        let Some(node) = node else { return Ok(true) };
        let ask = Bytes::from_static(b"*3\r\n$7\r\nCOMMAND\r\n$4\r\nINFO\r\n$9\r\nFT.SEARCH\r\n");
        let reply = node.exchange(ask.into(), 1).await?;
        let reply = <Vec<Value> as crate::resp::FromReply>::from_reply(&mut reply.reader())?;
        let first = reply.first().and_then(Value::as_slice).and_then(|info| info.get(3)?.as_i64());
        Ok(first.is_none_or(|first| first == 0))
    }

    /// Sends a command without waiting for its reply.
    pub(crate) fn fire(&self, packed: &Packed, flags: Flags) {
        let map = self.map.load();
        // A command that is none is not sent.
        let Ok(plan) = Plan::of_command(packed, flags, &map) else { return };
        for part in plan.parts {
            let node = match &part.to {
                To::Slot(slot) => map.primary(*slot),
                To::Any => map.any(),
                To::Node(node) => Some(node),
            };
            if let Some(node) = node {
                node.fire(&Wire::Many { bytes: part.bytes.view(), frames: part.frames });
            }
        }
    }

    /// What one of the nodes said of itself.
    pub(crate) fn server(&self) -> ServerInfo {
        match self.map.load().any() {
            Some(node) => node.server(),
            None => ServerInfo::new(String::new(), self.config.protocol),
        }
    }

    pub(crate) fn is_blocking(&self) -> bool {
        matches!(self.means, Means::Direct)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Accepts nothing more, and waits until all is answered.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.alarm.ring();
        let nodes: Vec<Arc<Node>> = self.all().values().cloned().collect();
        nodes.iter().for_each(|node| node.close());
        for node in nodes {
            std::future::poll_fn(|cx| node.poll_closed(cx)).await;
        }
    }

    /// The configuration of a connection of its own.
    ///
    /// # Errors
    /// `Connect` when nobody serves that place.
    pub(crate) fn config_for(&self, place: &Place) -> Result<Config> {
        match self.address_of(place) {
            Some(address) => Ok(self.config_at(&address)),
            None => Err(Error::new(ErrorKind::Connect, "no node of the cluster is known for it")),
        }
    }

    /// The pool of the node that serves a place.
    ///
    /// # Errors
    /// `Connect` when nobody serves it; `Closed`.
    pub(crate) fn pool_at(&self, place: &Place) -> Result<Arc<Pool>> {
        let node = {
            let map = self.map.load();
            match place {
                Place::Any => map.any().cloned(),
                Place::Slot(slot) => map.primary(*slot).cloned(),
                Place::Node(address) => Some(self.node(address)),
            }
        };
        match node {
            _ if self.is_closed() => Err(Error::new(ErrorKind::Closed, "the client is closed")),
            Some(node) => node.pool().cloned(),
            None => Err(Error::new(ErrorKind::Connect, "no node serves the key's slot")),
        }
    }

    /// The pools of all nodes that were used.
    pub(crate) fn pools(&self) -> Vec<Arc<Pool>> {
        self.all()
            .values()
            .filter(|node| node.is_used())
            .filter_map(|node| node.pool().ok().cloned())
            .collect()
    }

    /// Notes what an error says of the map, and waits for a better one.
    pub(crate) async fn learn(self: &Arc<Cluster>, error: &Error) {
        let epoch = self.epoch();
        self.note_error(error);
        self.renew(epoch, Duration::from_millis(20)).await;
    }

    /// Where a place is now.
    pub(crate) fn address_of(&self, place: &Place) -> Option<Address> {
        let map = self.map.load();
        match place {
            Place::Any => map.any().map(|node| node.address.clone()),
            Place::Slot(slot) => map.primary(*slot).map(|node| node.address.clone()),
            Place::Node(address) => Some(address.clone()),
        }
    }

    /// What an error says of the map is noted; a new one will be asked for.
    pub(crate) fn note_error(&self, error: &Error) {
        match error.kind() {
            ErrorKind::Server(_) => {
                self.note(format!("-{}\r\n", error.message()).as_bytes());
            }
            _ => self.demand(),
        }
    }

    /// Asks for a new map soon, and this node first.
    pub(crate) fn ask_first(&self, node: &Address) {
        if let Means::Shared { .. } = self.means {
            self.alarm.name([node.clone()]);
        }
    }

    /// The name of a sharded channel whose slot this node serves; `None` where it serves none.
    pub(crate) fn channel_at(&self, node: &Address) -> Option<String> {
        let map = self.map.load();
        let serves = |name: &String| {
            map.primary(slot(name.as_bytes())).is_some_and(|primary| primary.address == *node)
        };
        // More than enough to hit each slot.
        (0..200_000_u32).map(|number| format!("alizarin:sentry:{number}")).find(serves)
    }

    /// Where the primaries are.
    pub(crate) fn primaries(&self) -> Vec<Address> {
        self.map.load().primaries().map(|node| node.address.clone()).collect()
    }

    /// Tells of each new map.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.epoch.subscribe()
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<Address, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node at an address, which need not be in the map.
    fn node(&self, address: &Address) -> Arc<Node> {
        Arc::clone(self.all().entry(address.clone()).or_insert_with(|| self.make(address)))
    }

    fn make(&self, address: &Address) -> Arc<Node> {
        Arc::new(Node::new(address.clone(), self.config_at(address), &self.means))
    }

    fn config_at(&self, address: &Address) -> Config {
        let mut config = self.config.clone();
        config.endpoint = Endpoint::Tcp { host: address.host.clone(), port: address.port };
        // Nobody waits for this one node: another may take its place.
        config.fail_fast = true;
        config.readonly = !matches!(config.read_from, ReadFrom::Primary);
        config
    }

    /// The address that a node named, as this client reaches it.
    fn resolve(&self, address: &Address, asked: &Node) -> Address {
        match address.host.is_empty() {
            true => Address { host: asked.address.host.clone(), port: address.port },
            false => self.config.reach(address),
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The keeper finds it gone.
        self.alarm.ring();
    }
}
