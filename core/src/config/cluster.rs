//! What concerns clusters alone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Config, Endpoint};
use crate::config::Address;

/// Which node of a shard answers commands that only read.
///
/// Replicas lag behind their primary: a read from one may not see the caller's own last write.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ReadFrom {
    /// The primary.
    #[default]
    Primary,
    /// The replicas in turn; the primary where none is connected.
    Replica,
    /// One of the replicas, whichever chance picks; the primary where none is connected.
    Random,
    /// All of them in turn, the primary too.
    Any,
    /// The one that lately answered soonest.
    Nearest,
    /// Those in this availability zone in turn, as the servers' `INFO` names it
    /// (`availability_zone`, Valkey); where there is none, as [`ReadFrom::Replica`].
    Zone(String),
}

/// Where a node is for this client, by what the cluster says of it.
#[derive(Clone)]
pub(crate) struct Remap(Arc<Change>);

type Change = dyn Fn(&str, u16) -> (String, u16) + Send + Sync;

impl Remap {
    pub(crate) fn apply(&self, address: &Address) -> Address {
        let (host, port) = (self.0)(&address.host, address.port);
        Address { host, port }
    }
}

impl fmt::Debug for Remap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remap")
    }
}

impl Config {
    /// Where this client reaches a server that another one named.
    pub(crate) fn reach(&self, address: &Address) -> Address {
        match &self.remap {
            Some(remap) => remap.apply(address),
            None => address.clone(),
        }
    }

    /// The nodes of a cluster, by host and port; some of them are enough, the others are asked
    /// for. A client of a cluster has the same methods as one of a single server.
    ///
    /// ```no_run
    /// # async fn example() -> alizarin_core::Result<()> {
    /// use alizarin_core::{Client, Config};
    ///
    /// let config = Config::new().cluster([("10.0.0.1", 6379), ("10.0.0.2", 6379)]);
    /// let client = Client::connect(config).await?;
    /// client.set("greeting", "hello").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// As a URL: `redis+cluster://10.0.0.1:6379,10.0.0.2:6379`, encrypted `rediss+cluster://…`.
    #[must_use]
    pub fn cluster<H: Into<String>>(mut self, nodes: impl IntoIterator<Item = (H, u16)>) -> Config {
        let address = |(host, port): (H, u16)| Address { host: host.into(), port };
        self.endpoint = Endpoint::Cluster(nodes.into_iter().map(address).collect());
        self
    }

    /// Which node of a cluster's shard answers commands that only read, or which server of those
    /// under Sentinel; the primary unless set. Under Sentinel pipelines and transactions go to the
    /// primary all the same, and so do commands without a key, searches among them.
    #[must_use]
    pub fn read_from(mut self, from: ReadFrom) -> Config {
        self.read_from = from;
        self
    }

    /// How often one command follows a cluster's redirections (`MOVED`, `ASK`) before it fails; 5
    /// unless set.
    #[must_use]
    pub fn max_redirects(mut self, redirects: u32) -> Config {
        self.max_redirects = redirects;
        self
    }

    /// How often a cluster is asked for its nodes, or the sentinels for the replicas, without a reason
    /// to; 60 seconds unless set. A blocking client asks before it sends the next command that is due. A
    /// redirection or a lost connection is a reason, as are the
    /// sentinels' news.
    #[must_use]
    pub fn topology_interval(mut self, interval: Duration) -> Config {
        self.topology_interval = interval.max(Duration::from_millis(100));
        self
    }

    /// Where the servers are for this client, by the host and port that the cluster or the sentinels
    /// name: for those behind address translation.
    ///
    /// ```
    /// use alizarin_core::Config;
    /// let config = Config::new()
    ///     .cluster([("gateway.local", 7000)])
    ///     .remap(|_host, port| ("gateway.local".into(), port));
    /// ```
    #[must_use]
    pub fn remap(
        mut self,
        remap: impl Fn(&str, u16) -> (String, u16) + Send + Sync + 'static,
    ) -> Config {
        self.remap = Some(Remap(Arc::new(remap)));
        self
    }
}
