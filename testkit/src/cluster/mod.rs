//! A cluster of servers.

mod builder;
mod form;
mod slots;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

pub use builder::ClusterBuilder;

use crate::{error::Error, server::Server};

/// How long a cluster may take to agree on something.
const PATIENCE: Duration = Duration::from_secs(60);

/// A Redis Cluster of real servers on this machine, ended when dropped: three primaries with a
/// replica each, unless built otherwise.
///
/// # Examples
///
/// ```
/// use alizarin_testkit::Cluster;
///
/// let cluster = Cluster::start()?;
/// let primary = cluster.primary_of("user:1")?;
/// assert_eq!(cluster.node(primary).command(&["SET", "user:1", "Ann"])?, "OK");
/// // connect your client to cluster.url()
/// assert!(cluster.url().starts_with("redis+cluster://127.0.0.1:"));
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
pub struct Cluster {
    nodes: Vec<Server>,
    password: Option<String>,
    encrypted: bool,
}

impl Cluster {
    /// Starts three primaries and three replicas, and waits until all agree and are in sync.
    ///
    /// # Errors
    ///
    /// Those of [`ServerBuilder::start`](crate::ServerBuilder::start); when the nodes do not agree
    /// within a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// assert_eq!(cluster.len(), 6);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn start() -> Result<Self, Error> {
        Self::builder().start()
    }

    /// A cluster that shall differ from the usual.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::builder().replicas(0).start()?;
    /// assert_eq!(cluster.len(), 3);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::new()
    }

    /// A cluster that all tests of this process share, started by the first that asks. It has the
    /// modules, and ends with the process.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::start`].
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::shared()?;
    /// assert!(cluster.node(0).has_module("json"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: Mutex<Option<&'static Cluster>> = Mutex::new(None);
        let mut shared: MutexGuard<'_, _> = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cluster) = *shared {
            return Ok(cluster);
        }
        let cluster = Self::builder().modules(true).start()?;
        Ok(shared.insert(Box::leak(Box::new(cluster))))
    }

    /// What a client connects to: all nodes.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// assert_eq!(cluster.url().split(',').count(), 6);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn url(&self) -> String {
        let login = self.password.as_ref().map(|password| format!(":{password}@"));
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .filter_map(|node| if self.encrypted { node.tls_port() } else { node.port() })
            .map(|port| format!("127.0.0.1:{port}"))
            .collect();
        let scheme = if self.encrypted { "rediss" } else { "redis" };
        format!("{scheme}+cluster://{}{}", login.unwrap_or_default(), nodes.join(","))
    }

    /// How many nodes there are.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(alizarin_testkit::Cluster::start()?.len(), 6);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[expect(clippy::len_without_is_empty, reason = "a cluster has nodes")]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// One of the nodes; the first ones began as primaries.
    ///
    /// # Panics
    ///
    /// Where there is no such node.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// assert_eq!(cluster.node(5).command(&["PING"])?, "PONG");
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[expect(clippy::indexing_slicing, reason = "said in the docs")]
    pub fn node(&self, at: usize) -> &Server {
        &self.nodes[at]
    }

    /// One of the nodes, to be stopped, paused or restarted.
    ///
    /// # Panics
    ///
    /// Where there is no such node.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut cluster = alizarin_testkit::Cluster::start()?;
    /// cluster.node_mut(0).stop()?;
    /// // its replica takes over
    /// let heir = cluster.primary_of("{b}")?;
    /// assert_ne!(heir, 0);
    /// cluster.node_mut(0).restart()?;
    /// cluster.wait_whole()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[expect(clippy::indexing_slicing, reason = "said in the docs")]
    pub fn node_mut(&mut self, at: usize) -> &mut Server {
        &mut self.nodes[at]
    }

    /// Which node serves the slot of a key; waits where none does at the moment.
    ///
    /// # Errors
    ///
    /// When no node does within a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// assert_eq!(cluster.primary_of("{a}1")?, cluster.primary_of("{a}2")?);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn primary_of(&self, key: &str) -> Result<usize, Error> {
        let mut found = None;
        wait("somebody serves the slot", || {
            let serves = |node: &Server| node.command(&["TYPE", key]).is_ok();
            found = self.nodes.iter().position(serves);
            found.is_some()
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Waits until every node knows all others, every slot is served, and each replica is in sync.
    ///
    /// # Errors
    ///
    /// When that takes longer than a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// cluster.wait_whole()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn wait_whole(&self) -> Result<(), Error> {
        wait("the cluster is whole", || self.nodes.iter().all(|node| self.is_content(node)))
    }

    fn is_content(&self, node: &Server) -> bool {
        let known = lines(node);
        let replication = node.command(&["INFO", "replication"]).unwrap_or_default();
        known.len() == self.nodes.len()
            && known.iter().all(|line| !line.contains("fail") && !line.contains("handshake"))
            && node.command(&["CLUSTER", "INFO"]).is_ok_and(|info| {
                info.contains("cluster_state:ok") && info.contains("cluster_slots_assigned:16384")
            })
            && (replication.contains("role:master")
                || replication.contains("master_link_status:up"))
            && self.has_its_replicas(&replication)
    }

    /// Whether a primary sees as many replicas in sync as the cluster has for it.
    fn has_its_replicas(&self, replication: &str) -> bool {
        !replication.contains("role:master") || {
            let connected = replication.matches("state=online").count();
            replication.contains(&format!("connected_slaves:{connected}"))
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, password: _, encrypted } = self;
        let mut shown = f.debug_struct("Cluster");
        shown.field("nodes", nodes).field("encrypted", encrypted).finish_non_exhaustive()
    }
}

/// What a node says of all nodes, a line each.
fn lines(node: &Server) -> Vec<String> {
    let all = node.command(&["CLUSTER", "NODES"]).unwrap_or_default();
    all.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Looks again and again until it is so.
pub(crate) fn wait(what: &str, mut done: impl FnMut() -> bool) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = Duration::from_millis(1);
    while !done() {
        if Instant::now() > deadline {
            return Err(Error::start(format!("a minute went by without this: {what}"), ""));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
    Ok(())
}
