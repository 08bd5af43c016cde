//! Making single nodes a cluster, and changing who leads.

use super::{Cluster, lines, wait};
use crate::{error::Error, server::Server};

/// How many slots every cluster has.
const SLOTS: usize = 16_384;

impl Cluster {
    /// Gives the first nodes the slots, and makes the others their replicas.
    pub(super) fn form(&self, primaries: usize) -> Result<(), Error> {
        let (leaders, followers) = self.nodes.split_at(primaries.min(self.nodes.len()));
        for (at, leader) in leaders.iter().enumerate() {
            let (first, last) = (SLOTS * at / primaries, SLOTS * (at + 1) / primaries - 1);
            let (first, last) = (first.to_string(), last.to_string());
            leader.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
        }
        let Some(host) = leaders.first() else { return Ok(()) };
        for (at, node) in self.nodes.iter().enumerate() {
            let epoch = (at + 1).to_string();
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])?;
            let port = node.port().unwrap_or_default().to_string();
            host.command(&["CLUSTER", "MEET", "127.0.0.1", &port])?;
        }
        let all = self.nodes.len();
        wait("the nodes know each other", || {
            self.nodes.iter().all(|node| lines(node).len() == all)
        })?;
        for (at, follower) in followers.iter().enumerate() {
            let Some(leader) = leaders.get(at % primaries) else { continue };
            let id = leader.command(&["CLUSTER", "MYID"])?;
            wait("the replica knows its primary", || {
                follower.command(&["CLUSTER", "REPLICATE", &id]).is_ok()
            })?;
        }
        self.wait_whole()
    }

    /// Makes a replica of the key's primary the primary (`CLUSTER FAILOVER`), and waits until it
    /// is; gives its number.
    ///
    /// # Errors
    ///
    /// When the primary has no replica, or it does not take over within a minute.
    ///
    /// # Examples
    ///
    /// ```
    /// let cluster = alizarin_testkit::Cluster::start()?;
    /// let before = cluster.primary_of("k")?;
    /// let after = cluster.failover("k")?;
    /// assert_ne!(before, after);
    /// # Ok::<(), alizarin_testkit::Error>(())
    /// ```
    pub fn failover(&self, key: &str) -> Result<usize, Error> {
        let mut heir = None;
        wait("the primary has a replica", || {
            heir = self.heir(key).ok().flatten();
            heir.is_some()
        })?;
        let heir = heir.unwrap_or_default();
        let node = self.node(heir);
        let mut looked = 0;
        wait("the replica is the primary", || {
            // it gives up after five seconds when the primary has too much to do
            if looked % 300 == 0 {
                let _ = node.command(&["CLUSTER", "FAILOVER"]);
            }
            looked += 1;
            node.command(&["TYPE", key]).is_ok()
        })?;
        self.wait_whole()?;
        Ok(heir)
    }

    /// A replica of the key's primary.
    fn heir(&self, key: &str) -> Result<Option<usize>, Error> {
        let id = self.id(self.primary_of(key)?)?;
        let follows = |node: &Server| {
            lines(node)
                .iter()
                .any(|line| line.contains("myself") && line.contains(&format!("slave {id}")))
        };
        Ok(self.nodes.iter().position(follows))
    }

    pub(super) fn id(&self, node: usize) -> Result<String, Error> {
        self.node(node).command(&["CLUSTER", "MYID"])
    }
}
