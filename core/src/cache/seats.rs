//! The cache of a blocking client of a cluster: a connection to each primary that was read from.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::SILENCE;
use super::config::Tracking;
use super::direct::Seat;
use super::fill::{Decode, Fill, Waiter};
use super::keys::Keys;
use super::request::{Answer, Request};
use super::shard::Value;
use super::store::{Found, Name, Store};
use crate::client::Client;
use crate::cluster::Place;
use crate::config::{Address, Config, Endpoint};
use crate::connection::Reply;
use crate::direct::block;
use crate::error::{Error, Result};

/// A seat for each primary.
pub(super) struct Seats {
    client: Client,
    config: Config,
    tracking: Tracking,
    seats: Mutex<HashMap<Address, Arc<Seat>>>,
}

impl Seats {
    /// Connects to one of the primaries, so that a cluster that tells of no changes is known at once.
    pub(super) fn connect(client: &Client, config: Config, tracking: Tracking) -> Result<Seats> {
        let seats = Mutex::default();
        let seats = Seats { client: client.clone(), config, tracking, seats };
        if let Some(address) = seats.address_of(&Place::Any) {
            let seat = Seat::connect(seats.config_at(&address), seats.tracking.clone())?;
            seats.keep(address, Arc::new(seat));
        }
        Ok(seats)
    }

    fn address_of(&self, place: &Place) -> Option<Address> {
        self.client.cluster()?.address_of(place)
    }

    fn config_at(&self, address: &Address) -> Config {
        let mut config = self.config.clone();
        config.endpoint = Endpoint::Tcp { host: address.host.clone(), port: address.port };
        config
    }

    fn keep(&self, address: Address, seat: Arc<Seat>) {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner).insert(address, seat);
    }

    /// The seat at the primary that has all of these keys; `None` where they are of several slots.
    fn seat(&self, keys: &Keys<'_>) -> Option<Arc<Seat>> {
        let address = self.address_of(&Place::Slot(keys.slot()?))?;
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.get(&address) {
            return Some(Arc::clone(seat));
        }
        if let Some(cluster) = self.client.cluster() {
            // Those that are primaries no more are not read from.
            let primaries = cluster.primaries();
            seats.retain(|address, _| primaries.contains(address));
        }
        let seat = Arc::new(Seat::new(self.config_at(&address), self.tracking.clone()));
        seats.insert(address, Arc::clone(&seat));
        Some(seat)
    }

    /// Answers from the store, or asks the primary that has the keys. Where there is another to be
    /// asked first, or several, the cluster's client does the rest, and nothing is kept.
    pub(super) fn read(
        &self,
        store: &Arc<Store>,
        name: Name<'_>,
        keys: &Keys<'_>,
        request: impl FnOnce() -> Request,
        decode: Decode,
    ) -> Result<Value> {
        if let Some(cluster) = self.client.cluster() {
            // A node whose slots went elsewhere tells of no changes to keys that it never had.
            block(async {
                cluster.look_here(SILENCE).await;
                Ok(())
            })?;
        }
        if let Some(seat) = self.seat(keys) {
            let check = |request, answer| self.check(request, answer);
            return seat.read(store, name, keys, request, decode, check);
        }
        let begin = |part, node| Fill::new(part, node, name.size, decode);
        let fill = match store.find(name, keys, |_| false, begin) {
            Found::Hit(value) => return Ok(value),
            Found::Join(fill) | Found::Begun(fill) => fill,
        };
        let _waiter = Waiter::new(store, Arc::clone(&fill));
        fill.finish(store, block(request().past_the_cache(self.client.clone())))
    }

    fn check(&self, request: Request, answer: Result<Answer>) -> Result<Answer> {
        let Some(cluster) = self.client.cluster() else { return answer };
        match answer {
            Ok(answer) if cluster.is_answer(&Reply::Shared(answer.reply.clone())) => Ok(answer),
            Err(error) if !cluster.may_resend(&error, true) => Err::<Answer, Error>(error),
            _ => block(request.past_the_cache(self.client.clone())),
        }
    }
}
