//! Other credentials for a connection that is subscribed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::config::{Config, Protocol};
use crate::connection::{Pauses, renewed};

/// Waits for other credentials, one after the other.
pub(super) struct Renewal {
    config: Arc<Config>,
    /// Whether it may wait by a runtime's clock.
    timed: bool,
    next: Next,
}

type Next = Pin<Box<dyn Future<Output = (u64, Vec<u8>)> + Send>>;

impl Renewal {
    /// For a connection that logged in at this epoch; `None` where it never has to log in again, or
    /// cannot: RESP2 allows no `AUTH` while something is subscribed.
    pub(super) fn new(
        config: &Config,
        protocol: Protocol,
        login: u64,
        timed: bool,
    ) -> Option<Renewal> {
        config.renewals().filter(|_| protocol == Protocol::Resp3)?;
        let config = Arc::new(config.clone());
        let next = next(Arc::clone(&config), login, timed);
        Some(Renewal { config, timed, next })
    }

    /// `AUTH` in wire form, when it is to be sent.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Option<Vec<u8>> {
        let Poll::Ready((epoch, wire)) = self.next.as_mut().poll(cx) else { return None };
        self.next = next(Arc::clone(&self.config), epoch, self.timed);
        // It is to be woken by the next one.
        cx.waker().wake_by_ref();
        Some(wire)
    }
}

fn next(config: Arc<Config>, login: u64, timed: bool) -> Next {
    Box::pin(async move {
        let mut pauses = timed.then(|| Pauses::new(config.backoff));
        let (epoch, command) = match renewed(&config, login, pauses.as_mut()).await {
            Some(renewed) => renewed,
            None => std::future::pending().await,
        };
        let mut wire = Vec::new();
        command.write_to(&mut wire);
        (epoch, wire)
    })
}
