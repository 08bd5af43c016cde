//! A subscription that goes along when another of several databases becomes the active one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::Instant;

use super::stream::{Delivery, Subscription};
use super::topics::Topics;
use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::multi::{Database, Databases};

/// The pause before another attempt, where no switch comes first.
const PAUSE: Duration = Duration::from_millis(50);

/// What is subscribed to, whichever database it is on.
#[derive(Clone)]
pub(super) enum Wanted {
    /// On any node.
    Topics(Topics),
    /// Each where its slot is.
    Sharded(Vec<Vec<u8>>),
    /// On every primary.
    Primaries(Vec<Vec<u8>>),
}

impl Wanted {
    /// Boxed: it is one of the futures that it is a part of.
    fn open(&self, client: &Client) -> Pin<Box<dyn Future<Output = Result<Subscription>> + Send>> {
        let (wanted, client) = (self.clone(), client.clone());
        Box::pin(async move {
            match wanted {
                Wanted::Topics(topics) => client.subscription(topics).await,
                Wanted::Sharded(channels) => client.ssubscribe(channels).await,
                Wanted::Primaries(patterns) => client.psubscribe_primaries(patterns).await,
            }
        })
    }
}

/// A subscription on the active database.
pub(super) struct Roaming {
    databases: Arc<Databases>,
    wanted: Wanted,
    switch: Pin<Box<dyn Future<Output = ()> + Send>>,
    state: State,
}

type Opening = Pin<Box<dyn Future<Output = Result<(Arc<Database>, Subscription)>> + Send>>;

enum State {
    Live(Arc<Database>, Box<Subscription>),
    Opening(Opening),
}

impl Roaming {
    /// Subscribes on the active database.
    pub(super) async fn open(databases: &Arc<Databases>, wanted: Wanted) -> Result<Roaming> {
        let switch = switched(databases);
        let (database, live) = subscribe(Arc::clone(databases), wanted.clone()).await?;
        let state = State::Live(database, Box::new(live));
        Ok(Roaming { databases: Arc::clone(databases), wanted, switch, state })
    }

    pub(super) fn is_blocking(&self) -> bool {
        self.databases.is_blocking()
    }

    /// What it is subscribed to, while it is.
    pub(super) fn live(&self) -> Option<&Subscription> {
        match &self.state {
            State::Live(_, live) => Some(live),
            State::Opening(_) => None,
        }
    }

    /// The next message or gap, or why it is not connected; there is no end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery>> {
        while self.switch.as_mut().poll(cx).is_ready() {
            self.switch = switched(&self.databases);
            self.reopen();
        }
        match &mut self.state {
            State::Live(database, live) => {
                let delivery = match ready!(Pin::new(&mut **live).poll_next(cx)) {
                    Some(delivery) => delivery,
                    None => Err(Error::new(ErrorKind::Closed, "the subscription has ended")),
                };
                if let Err(error) = &delivery {
                    self.databases.failed(database, error);
                }
                Poll::Ready(delivery)
            }
            State::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                Ok((database, live)) => {
                    self.state = State::Live(database, Box::new(live));
                    Poll::Ready(Ok(Delivery::Gap))
                }
                Err(error) => {
                    self.reopen();
                    Poll::Ready(Err(error))
                }
            },
        }
    }

    fn reopen(&mut self) {
        let opening = subscribe(Arc::clone(&self.databases), self.wanted.clone());
        self.state = State::Opening(Box::pin(opening));
    }
}

/// Subscribes on the active database; waits for one, and for one that can be reached.
async fn subscribe(
    databases: Arc<Databases>,
    wanted: Wanted,
) -> Result<(Arc<Database>, Subscription)> {
    let deadline = Instant::now() + databases.timeout();
    loop {
        databases.open()?;
        let since = *databases.changes().borrow();
        let error = match databases.active() {
            None => databases.no_database("no database is healthy"),
            Some(database) => {
                let Some(client) = database.client() else { continue };
                match wanted.open(client).await {
                    Ok(live) => return Ok((database, live)),
                    Err(error) if !is_failure(&error) => return Err(error),
                    Err(error) => {
                        databases.failed(&database, &error);
                        error
                    }
                }
            }
        };
        if Instant::now() >= deadline {
            return Err(error);
        }
        databases.pause(PAUSE, since).await;
    }
}

fn is_failure(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Connect | ErrorKind::Disconnected | ErrorKind::Timeout)
}

fn switched(databases: &Databases) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let mut changes = databases.changes();
    Box::pin(async move {
        if changes.changed().await.is_err() {
            std::future::pending().await
        }
    })
}
