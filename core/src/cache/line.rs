//! A deployment that a cache reads from: one server, or the nodes of one cluster.

use std::sync::Arc;

use super::SILENCE;
use super::config::Tracking;
use super::direct::Seat;
use super::fill::{Asking, Decode};
use super::keys::Keys;
use super::request::Request;
use super::seats::Seats;
use super::shard::Value;
use super::store::{Name, Store};
use crate::client::Client;
use crate::config::ReadFrom;
use crate::error::Result;

/// Its connections that are told of changes.
pub(super) struct Line {
    pub(super) client: Client,
    face: Face,
}

/// How the server is asked.
enum Face {
    /// Over the client's one connection, which is this one to the store.
    Shared(u64),
    Cluster,
    Blocking(Box<Seat>),
    BlockingCluster(Box<Seats>),
}

impl Line {
    /// Connects to where this client goes.
    ///
    /// # Errors
    /// As [`Client::cache`].
    pub(super) async fn open(client: &Client, tracking: Tracking) -> Result<Line> {
        let mut config = client.config().clone();
        // A replica learns of changes later than the primary tells of them.
        config.read_from = ReadFrom::Primary;
        config.connections = 1;
        config.tracking = Some(tracking.clone());
        // Where nobody asks anything, a server that is gone would go unnoticed.
        config.heartbeat = Some(config.heartbeat.map_or(SILENCE, |idle| idle.min(SILENCE)));
        // A node whose slots go elsewhere tells of no changes to keys that it never had.
        config.topology_interval = config.topology_interval.min(SILENCE);
        let (client, face) = match (client.is_blocking(), client.is_cluster()) {
            (true, true) => {
                let seats = Seats::connect(client, config, tracking)?;
                (client.clone(), Face::BlockingCluster(Box::new(seats)))
            }
            (true, false) => {
                let seat = Seat::connect(config, tracking)?;
                (client.clone(), Face::Blocking(Box::new(seat)))
            }
            (false, true) => (Client::connect(config).await?, Face::Cluster),
            (false, false) => {
                let client = Client::open(config, client.connector()).await?;
                let source = client.source().unwrap_or_default();
                (client, Face::Shared(source))
            }
        };
        Ok(Line { client, face })
    }

    pub(super) fn is_blocking(&self) -> bool {
        matches!(self.face, Face::Blocking(_) | Face::BlockingCluster(_))
    }

    /// Whether changes of what was read over this connection are still told over it: on a cluster
    /// slots move.
    pub(super) fn is_valid(&self, source: u64, keys: &Keys<'_>) -> bool {
        match (&self.face, self.client.cluster()) {
            (Face::Shared(own), _) => *own == source,
            (_, Some(cluster)) => {
                let link = keys.slot().and_then(|slot| cluster.primary_link(slot));
                link.is_some_and(|link| link.source() == Some(source))
            }
            _ => false,
        }
    }

    /// Asks the server, or the one that has the slot of all keys.
    pub(super) fn ask(&self, request: Request, slot: Option<u16>) -> Asking {
        match &self.face {
            Face::Shared(source) => request.over(&self.client, *source),
            _ => request.over_cluster(self.client.clone(), slot),
        }
    }

    /// Answers from the store, or asks the server, on this thread.
    pub(super) fn read(
        &self,
        store: &Arc<Store>,
        name: Name<'_>,
        keys: &Keys<'_>,
        request: impl FnOnce() -> Request,
        decode: Decode,
    ) -> Result<Value> {
        match &self.face {
            Face::BlockingCluster(seats) => seats.read(store, name, keys, request, decode),
            Face::Blocking(seat) => {
                seat.read(store, name, keys, request, decode, |_, answer| answer)
            }
            // Of these nobody asks it.
            Face::Shared(_) | Face::Cluster => {
                let answer = crate::direct::block(self.ask(request(), keys.slot()))?;
                decode(&answer.reply).map(|(value, _)| value)
            }
        }
    }
}
