//! How a cluster is to be started.

use std::fmt;

use super::Cluster;
use crate::{
    error::Error,
    server::{Server, ServerBuilder},
    tls::Papers,
};

/// How a [`Cluster`] is to be started; from [`Cluster::builder`].
///
/// # Examples
///
/// ```
/// use alizarin_testkit::Cluster;
///
/// let cluster = Cluster::builder().primaries(4).replicas(0).password("secret").start()?;
/// assert!(cluster.url().starts_with("redis+cluster://:secret@127.0.0.1:"));
/// # Ok::<(), alizarin_testkit::Error>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing starts before `start`"]
pub struct ClusterBuilder {
    primaries: usize,
    replicas: usize,
    node_timeout: u32,
    full_coverage: bool,
    modules: bool,
    password: Option<String>,
    users: Vec<(String, String)>,
    arguments: Vec<String>,
    papers: Option<Papers>,
}

impl ClusterBuilder {
    pub(super) fn new() -> Self {
        Self {
            primaries: 3,
            replicas: 1,
            node_timeout: 2_000,
            full_coverage: false,
            modules: false,
            password: None,
            users: Vec::new(),
            arguments: Vec::new(),
            papers: None,
        }
    }

    /// How many primaries there are, each with its share of the slots. Default: 3.
    pub fn primaries(mut self, count: usize) -> Self {
        self.primaries = count.max(1);
        self
    }

    /// How many replicas each primary has. Default: 1.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    /// After so many milliseconds a silent node counts as failed. Default: 2000.
    pub fn node_timeout(mut self, milliseconds: u32) -> Self {
        self.node_timeout = milliseconds;
        self
    }

    /// Whether the cluster serves nothing while one slot has no node. Default: `false`.
    pub fn full_coverage(mut self, required: bool) -> Self {
        self.full_coverage = required;
        self
    }

    /// Whether the nodes load JSON, Search, TimeSeries and Bloom. Default: `false`.
    pub fn modules(mut self, load: bool) -> Self {
        self.modules = load;
        self
    }

    /// A password for clients, and for the nodes among themselves.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Adds a setting to each node's command line.
    pub fn arg(mut self, name: &str, value: &str) -> Self {
        self.arguments.extend([name.to_owned(), value.to_owned()]);
        self
    }

    /// Adds a user (ACL) that may do everything.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.users.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Lets the nodes speak TLS, on ports of their own, which they name to clients that do so:
    /// [`Cluster::url`] is that of TLS then. Among themselves they speak as before.
    ///
    /// # Errors
    ///
    /// As [`ServerBuilder::tls`].
    ///
    /// # Examples
    ///
    /// ```
    /// use alizarin_testkit::{Cluster, Tls};
    ///
    /// let tls = Tls::new()?;
    /// let cluster = Cluster::builder().replicas(0).tls(&tls)?.start()?;
    /// assert!(cluster.url().starts_with("rediss+cluster://127.0.0.1:"));
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: &crate::Tls) -> Result<Self, Error> {
        self.papers = Some(tls.papers()?);
        Ok(self)
    }

    /// Starts the nodes and makes them a cluster.
    ///
    /// # Errors
    ///
    /// As [`Cluster::start`].
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::builder().node_timeout(1_000).start()?;
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn start(self) -> Result<Cluster, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_start() {
                // a node's bus has another port than its own, which may be taken
                Err(error) if tries < 3 && !error.is_unavailable() => drop(error),
                outcome => return outcome,
            }
        }
    }

    fn try_start(&self) -> Result<Cluster, Error> {
        let count = self.primaries * (1 + self.replicas);
        let mut nodes = Vec::with_capacity(count);
        for _ in 0..count {
            nodes.push(self.node().start()?);
        }
        let encrypted = self.papers.is_some();
        let cluster = Cluster { nodes, password: self.password.clone(), encrypted };
        cluster.form(self.primaries)?;
        Ok(cluster)
    }

    fn node(&self) -> ServerBuilder {
        let timeout = self.node_timeout.to_string();
        let coverage = if self.full_coverage { "yes" } else { "no" };
        let mut node = Server::builder()
            .modules(self.modules)
            .args(["--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0"])
            .args(["--cluster-node-timeout", &timeout, "--cluster-require-full-coverage", coverage])
            .args(self.arguments.iter().cloned());
        if let Some(password) = &self.password {
            node = node.password(password).arg("--masterauth", password);
        }
        for (name, password) in &self.users {
            node = node.user(name, password);
        }
        match &self.papers {
            Some(papers) => node.papers(papers),
            None => node,
        }
    }
}

impl fmt::Debug for ClusterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterBuilder")
            .field("primaries", &self.primaries)
            .field("replicas", &self.replicas)
            .field("node_timeout", &self.node_timeout)
            .field("full_coverage", &self.full_coverage)
            .field("modules", &self.modules)
            // Passwords of users are among them.
            .field("arguments", &self.arguments.len())
            .field("tls", &self.papers.is_some())
            .finish_non_exhaustive()
    }
}
