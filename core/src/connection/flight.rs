//! One request on its way over a shared connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::link::Link;
use super::outbox::Wire;
use super::reply::{Place, Reply};
use super::slots::Ticket;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::Parcel;

/// What became of a request that was handed in.
pub(crate) enum Submitted {
    /// Joined.
    Waiting(Ticket),
    /// Joined, and answered already: the reply is in its place.
    Done,
    /// Over the limits: waits for its turn.
    Queued(Ticket),
}

/// How far a request has come. Whoever drops it before its end calls [`Flight::cancel`].
#[derive(Default)]
pub(crate) enum Flight {
    /// Nothing is sent yet.
    #[default]
    Start,
    /// Over the connection's limits: waits for its turn.
    Queued(Ticket),
    Waiting(Ticket),
    Done,
}

impl Flight {
    /// Goes on; `wire` and `link` are the same at every call.
    pub(crate) fn poll<'w>(
        &mut self,
        link: &Link,
        wire: impl FnOnce() -> Wire<'w>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Reply>> {
        let mut place = None;
        ready!(self.poll_into(&mut place, link, wire, cx))?;
        Poll::Ready(place.ok_or_else(polled_again))
    }

    /// The same; leaves the reply in its `place`.
    #[inline]
    pub(crate) fn poll_into<'w>(
        &mut self,
        place: &mut Place,
        link: &Link,
        wire: impl FnOnce() -> Wire<'w>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let submitted = match self {
            Flight::Waiting(ticket) => {
                let outcome = link.poll(*ticket, cx, place);
                if outcome.is_ready() {
                    *self = Flight::Done;
                }
                return outcome;
            }
            Flight::Start => link.submit(&wire(), cx, place),
            Flight::Queued(ticket) => match link.redeem(*ticket, &wire(), cx.waker()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(submitted) => submitted,
            },
            Flight::Done => return Poll::Ready(Err(polled_again())),
        };
        // The ticket of a turn is used up, whatever came of it.
        *self = Flight::Done;
        match submitted? {
            Submitted::Waiting(ticket) => *self = Flight::Waiting(ticket),
            Submitted::Queued(ticket) => *self = Flight::Queued(ticket),
            Submitted::Done => return Poll::Ready(Ok(())),
        }
        Poll::Pending
    }

    /// Gives the request up; what was sent of it is executed all the same.
    pub(crate) fn cancel(&mut self, link: &Link) {
        if let Flight::Queued(ticket) | Flight::Waiting(ticket) = *self {
            *self = Flight::Done;
            link.cancel(ticket);
        }
    }
}

/// Requests in wire form on their way over a shared connection.
pub(crate) struct Exchange {
    link: Arc<Link>,
    bytes: Parcel,
    frames: u32,
    flight: Flight,
}

impl Exchange {
    pub(crate) fn new(link: Arc<Link>, bytes: Parcel, frames: u32) -> Exchange {
        Exchange { link, bytes, frames, flight: Flight::Start }
    }
}

impl Future for Exchange {
    type Output = Result<Reply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        let Exchange { link, bytes, frames, flight } = self.get_mut();
        flight.poll(link, || Wire::Many { bytes: bytes.view(), frames: *frames }, cx)
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.flight.cancel(&self.link);
    }
}

/// The error of a future that was ready before.
#[cold]
pub(crate) fn polled_again() -> Error {
    Error::new(ErrorKind::Usage, "a future was polled after it was ready")
}
