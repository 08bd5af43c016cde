//! A cluster as one of several databases: whether it is healthy, and giving it up when it is not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::node::Node;
use super::run::together;
use super::{Cluster, redirect};
use crate::config::Address;
use crate::connection::Reply;
use crate::error::{Error, ErrorKind, Result};

impl Cluster {
    /// Asks every primary for a sign of life (`PING`).
    ///
    /// # Errors
    /// Why one gave none.
    pub(crate) async fn ping(&self) -> Result<()> {
        self.ask_primaries(b"*1\r\n$4\r\nPING\r\n").await.map(drop)
    }

    /// What every primary says to a command in wire form.
    ///
    /// # Errors
    /// Why one said nothing, or refused.
    pub(crate) async fn ask_primaries(
        &self,
        command: &'static [u8],
    ) -> Result<Vec<(Address, Reply)>> {
        let nodes: Vec<Arc<Node>> = self.map.load().primaries().cloned().collect();
        if nodes.is_empty() {
            return Err(Error::new(ErrorKind::Connect, "no primary of the cluster is known"));
        }
        let ask = Bytes::from_static(command);
        let mut replies = Vec::with_capacity(nodes.len());
        let asked = nodes.iter().map(|node| node.exchange(ask.clone().into(), 1)).collect();
        for (node, outcome) in nodes.iter().zip(together(asked).await) {
            let error = match outcome {
                Ok(reply) if !matches!(reply.as_bytes().first(), Some(b'-')) => {
                    replies.push((node.address.clone(), reply));
                    continue;
                }
                Ok(reply) => redirect::error(reply.as_bytes()),
                Err(error) => error,
            };
            self.demand();
            let text = format!("{}: {}", node.address, error.message());
            return Err(Error::new(error.kind(), text).with_sent(error.sent()));
        }
        Ok(replies)
    }

    /// Fails everything that is under way, and cuts the connections; nothing waits for the cluster
    /// to recover.
    pub(crate) fn abandon(&self, error: &Error) {
        self.abandoned.store(true, Ordering::Release);
        let nodes: Vec<Arc<Node>> = self.all().values().cloned().collect();
        nodes.iter().for_each(|node| node.abandon(error));
    }

    /// Requests wait again for the cluster to recover.
    pub(crate) fn resume(&self) {
        self.abandoned.store(false, Ordering::Release);
    }

    /// Whether a request is not to be sent again here.
    pub(super) fn is_over(&self) -> bool {
        self.is_closed() || self.abandoned.load(Ordering::Acquire)
    }
}
