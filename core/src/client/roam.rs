//! A client of several databases.

use std::borrow::Borrow;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::execute::{Execute, Stage};
use super::{Client, Way};
use crate::connection::{Flight, Place, Work, polled_again};
use crate::error::{Error, Result};
use crate::multi::{Databases, Multi, Turn};

impl Client {
    pub(crate) fn of_databases(databases: Arc<Databases>) -> Client {
        Client { way: Way::Multi(databases) }
    }

    /// Its databases, if it has several ([`Multi::builder`]).
    pub fn multi(&self) -> Option<Multi> {
        self.databases().map(|databases| Multi::new(Arc::clone(databases)))
    }

    pub(crate) fn databases(&self) -> Option<&Arc<Databases>> {
        match &self.way {
            Way::Multi(databases) => Some(databases),
            _ => None,
        }
    }

    /// The client to use for several requests that belong together, because the server keeps
    /// something between them (a cursor): of several databases that of the active one.
    #[doc(hidden)]
    #[must_use]
    pub fn steady(&self) -> Client {
        self.active().unwrap_or_else(|| self.clone())
    }

    /// The client of the active one of several databases.
    pub(super) fn active(&self) -> Option<Client> {
        self.databases()?.active()?.client().cloned()
    }

    /// Fails everything that is under way, and cuts the connections.
    pub(crate) fn abandon(&self, error: &Error) {
        match &self.way {
            Way::Shared(handle) => handle.0.abandon(error),
            Way::Direct(direct) => direct.leave(),
            Way::Cluster(cluster) => cluster.abandon(error),
            Way::Multi(_) => {}
        }
    }

    /// May be used again after [`Client::abandon`].
    pub(crate) fn resume(&self) {
        if let Way::Cluster(cluster) = &self.way {
            cluster.resume();
        }
    }
}

impl<W: Work, C: Borrow<Client>> Execute<W, C> {
    /// Where the request goes now.
    pub(super) fn way<'e>(client: &'e C, turn: Option<&'e Turn>) -> &'e Way {
        let client = match turn.and_then(Turn::client) {
            Some(active) => active,
            None => client.borrow(),
        };
        &client.way
    }

    /// Runs on the active one of several databases, and on the next if that fails.
    #[cold]
    pub(super) fn poll_databases(
        &mut self,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        loop {
            let blocking = self.work.is_blocking();
            let Some(turn) = &mut self.turn else { return Poll::Ready(Err(polled_again())) };
            ready!(turn.poll_ready(blocking, cx))?;
            let polled = self.poll_reply(place, cx);
            let Some(turn) = &mut self.turn else { return polled };
            let outcome = match polled {
                Poll::Ready(Ok(())) => place.take().ok_or_else(polled_again),
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => Err(ready!(turn.poll_switch(cx))),
            };
            // Dropped before the next one is made.
            self.stage = Stage::Here(Flight::Done);
            let (repeatable, frames) = (self.work.is_repeatable(), self.work.wire().frames());
            match turn.settle(outcome, repeatable, frames) {
                Some(outcome) => {
                    return Poll::Ready(outcome.map(|reply| *place = Some(reply)));
                }
                None => self.stage = Stage::Here(Flight::Start),
            }
        }
    }
}
