//! The future behind every request.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::again::{By, Request, is_lost, is_refused};
use super::{Client, Way};
use crate::connection::{Flight, Link, Place, Reply, Route, Work, polled_again};
use crate::direct::{block, check_waiting};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::multi::Turn;
use crate::resp::Reader;
use crate::sentinel::is_refused as is_refused_by_replica;

/// A request on its way; nothing is sent before the first poll.
///
/// # Cancel safety
/// Dropping it leaves the connection and everybody else's replies alone. What was sent already
/// is executed by the server all the same.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Execute<W: Work, C: Borrow<Client>> {
    client: C,
    pub(super) work: W,
    pub(super) stage: Stage,
    /// The tick of its connection at which it began.
    begun: u32,
    /// Which of several databases it runs on.
    pub(super) turn: Option<Box<Turn>>,
}

pub(super) enum Stage {
    /// On the client's own connection.
    Here(Flight),
    /// On the connection of one of a cluster's nodes, or of a replica.
    There(Arc<Link>, Flight),
    /// On another of the client's own connections.
    Beside(Arc<Link>, Flight),
    /// Whatever takes several steps, or a connection of its own.
    Apart(Pin<Box<dyn Future<Output = Result<Reply>> + Send>>),
}

// Nothing is pinned structurally: the one boxed future is pinned in its box.
impl<W: Work, C: Borrow<Client>> Unpin for Execute<W, C> {}

impl<W: Work, C: Borrow<Client>> Execute<W, C> {
    pub(crate) fn new(client: C, work: W) -> Execute<W, C> {
        Execute { client, work, stage: Stage::Here(Flight::Start), begun: 0, turn: None }
    }

    /// What is to be run, and by whom.
    pub(crate) fn parts(&self) -> (&Client, &W) {
        (self.client.borrow(), &self.work)
    }

    /// Takes the reply from this future instead.
    pub(crate) fn go(&mut self, future: Pin<Box<dyn Future<Output = Result<Reply>> + Send>>) {
        self.stage = Stage::Apart(future);
    }

    /// Goes on; leaves the reply in its `place`.
    pub(super) fn poll_reply(
        &mut self,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        if !matches!(self.stage, Stage::Here(Flight::Start)) {
            return self.poll_stage(place, cx);
        }
        self.work.check()?;
        match Self::way(&self.client, self.turn.as_deref()) {
            Way::Direct(direct) => {
                let wire = self.work.wire();
                if self.work.is_blocking() {
                    let request = Request::of(&self.work, false);
                    let running = request.run(By::Direct(direct), None, self.spent());
                    return Poll::Ready(leave(block(running), place));
                }
                if let Some(replicas) = &direct.replicas
                    && let Some(reply) = replicas.answer(&self.work.route(), &wire)
                {
                    *place = Some(reply);
                    return Poll::Ready(Ok(()));
                }
                let begun = Instant::now();
                let outcome = direct.run_at(begun, &wire, None);
                let again = match &outcome {
                    Ok(reply) => is_refused(&self.work, reply, || direct.config.elects()),
                    Err(error) => self.may_repeat(error),
                };
                if !again {
                    return Poll::Ready(leave(outcome, place));
                }
                let spent = self.spent().max(begun.elapsed());
                let request = Request::of(&self.work, self.is_repeatable());
                let running = request.run(By::Direct(direct), Some(outcome), spent);
                Poll::Ready(leave(block(running), place))
            }
            Way::Shared(handle) => {
                check_waiting()?;
                if self.work.is_blocking() {
                    let by = By::Link(Arc::clone(&handle.0));
                    let request = Request::of(&self.work, false);
                    return self.step(Box::pin(request.run(by, None, self.spent())), place, cx);
                }
                let replica = handle
                    .0
                    .replicas()
                    .and_then(|replicas| replicas.link_for(&self.work.route(), &self.work.wire()));
                if let Some(link) = replica {
                    self.begun = link.now();
                    self.stage = Stage::There(link, Flight::Start);
                } else {
                    self.begun = handle.0.now();
                    if handle.0.has_lanes() {
                        let link = Arc::clone(handle.0.lane(&self.work.wire()));
                        self.stage = Stage::Beside(link, Flight::Start);
                    }
                }
                self.poll_stage(place, cx)
            }
            Way::Cluster(cluster) => {
                let shares = !cluster.is_blocking();
                if shares {
                    check_waiting()?;
                }
                let route = self.work.route();
                if let Route::Command(packed, flags) = route
                    && shares
                    && !self.work.is_blocking()
                    && let Some(link) = cluster.link_for(packed, flags)
                {
                    self.begun = link.now();
                    self.stage = Stage::There(link, Flight::Start);
                    return self.poll_stage(place, cx);
                }
                self.poll_steps(0, place, cx)
            }
            Way::Multi(databases) => {
                self.turn = Some(Box::new(Turn::new(databases)));
                self.poll_databases(place, cx)
            }
        }
    }

    /// Goes on where it has been sent, or is to be sent first.
    #[inline]
    fn poll_stage(&mut self, place: &mut Place, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match &mut self.stage {
            Stage::Here(flight) => {
                let polled = match Self::way(&self.client, self.turn.as_deref()) {
                    Way::Shared(handle) => {
                        flight.poll_into(place, &handle.0, || self.work.wire(), cx)
                    }
                    _ => Poll::Ready(Err(polled_again())),
                };
                let outcome = ready!(polled);
                self.poll_here(outcome, place, cx)
            }
            Stage::Beside(link, flight) => {
                let outcome = ready!(flight.poll_into(place, link, || self.work.wire(), cx));
                note(link, &self.work, place);
                self.poll_here(outcome, place, cx)
            }
            Stage::There(link, flight) => {
                let outcome = ready!(flight.poll_into(place, link, || self.work.wire(), cx));
                note(link, &self.work, place);
                self.poll_there(outcome, place, cx)
            }
            Stage::Apart(future) => {
                let outcome = ready!(future.as_mut().poll(cx));
                Poll::Ready(leave(outcome, place))
            }
        }
    }

    /// What came back on the client's own connection: the answer, or a reason to send it again.
    #[inline]
    fn poll_here(
        &mut self,
        outcome: Result<()>,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let again = match (&outcome, &*place) {
            (Err(error), _) => self.may_repeat(error),
            (Ok(()), Some(reply)) => is_refused(&self.work, reply, || self.elects()),
            (Ok(()), None) => false,
        };
        match again {
            true => self.poll_again(outcome, place, cx),
            false => Poll::Ready(outcome),
        }
    }

    /// Whether another server may take the place of the one that answered.
    fn elects(&self) -> bool {
        let way = Self::way(&self.client, self.turn.as_deref());
        matches!(way, Way::Shared(handle) if handle.0.config.elects())
    }

    #[cold]
    fn poll_again(
        &mut self,
        outcome: Result<()>,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let Way::Shared(handle) = Self::way(&self.client, self.turn.as_deref()) else {
            return Poll::Ready(outcome);
        };
        let first = outcome.and_then(|()| place.take().ok_or_else(polled_again));
        let link = match &self.stage {
            Stage::Beside(link, _) => Arc::clone(link),
            _ => Arc::clone(&handle.0),
        };
        let request = Request::of(&self.work, self.is_repeatable());
        self.step(Box::pin(request.run(By::Link(link), Some(first), self.spent())), place, cx)
    }

    /// How long it has taken until now.
    #[cold]
    fn spent(&self) -> Duration {
        match (&self.turn, &self.stage, Self::way(&self.client, None)) {
            (Some(turn), _, _) => turn.spent(),
            (None, Stage::Here(Flight::Start), _) => Duration::ZERO,
            (None, Stage::There(link, _), _) => link.since(self.begun),
            (None, _, Way::Shared(handle)) => handle.0.since(self.begun),
            _ => Duration::ZERO,
        }
    }

    /// What came back from one of a cluster's nodes, or from a replica: the answer, or a reason to
    /// go on.
    fn poll_there(
        &mut self,
        outcome: Result<()>,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let cluster = match Self::way(&self.client, self.turn.as_deref()) {
            Way::Cluster(cluster) => cluster,
            Way::Shared(handle) if place.as_ref().is_none_or(is_refused_by_replica) => {
                // It only reads: the primary is asked instead.
                *place = None;
                self.begun = handle.0.now().wrapping_sub(handle.0.ticks(self.spent()));
                self.stage = Stage::Here(Flight::Start);
                return self.poll_stage(place, cx);
            }
            _ => return Poll::Ready(outcome),
        };
        let lost = match &outcome {
            Ok(()) if place.as_ref().is_some_and(|reply| cluster.is_answer(reply)) => {
                return Poll::Ready(outcome);
            }
            Err(error) if !cluster.may_resend(error, self.work.is_repeatable()) => {
                return Poll::Ready(outcome);
            }
            Err(error) => u32::from(error.sent() != Sent::No),
            Ok(()) => 0,
        };
        *place = None;
        self.poll_steps(lost, place, cx)
    }

    /// Begins what a cluster does in several steps; the answer was `lost` so often already.
    #[cold]
    fn poll_steps(
        &mut self,
        lost: u32,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let Way::Cluster(cluster) = Self::way(&self.client, self.turn.as_deref()) else {
            return Poll::Ready(Err(Error::new(ErrorKind::Usage, "the client has no cluster")));
        };
        let mut plan = cluster.plan(&self.work.route())?;
        (plan.lost, plan.spent) = (lost, self.spent());
        let cluster = Arc::clone(cluster);
        if self.work.is_blocking() {
            plan.wait();
        }
        self.step(Box::pin(cluster.run(plan)), place, cx)
    }

    /// Whether a request's answer was lost, and asking again changes nothing.
    fn may_repeat(&self, error: &Error) -> bool {
        is_lost(error) && self.is_repeatable()
    }

    /// Whether it is sent again when its answer was lost: of several databases, by another one.
    fn is_repeatable(&self) -> bool {
        self.turn.is_none() && self.work.is_repeatable()
    }

    fn step(
        &mut self,
        mut future: Pin<Box<dyn Future<Output = Result<Reply>> + Send>>,
        place: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<()>> {
        let polled = future.as_mut().poll(cx);
        self.stage = Stage::Apart(future);
        polled.map(|outcome| leave(outcome, place))
    }
}

impl<W: Work, C: Borrow<Client>> Future for Execute<W, C> {
    type Output = Result<W::Reply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.work.wire().frames() == 0 {
            return Poll::Ready(this.work.decode(&mut Reader::new(b"")));
        }
        let mut place = None;
        let polled = match &this.turn {
            None => this.poll_reply(&mut place, cx),
            Some(_) => this.poll_databases(&mut place, cx),
        };
        let outcome = ready!(polled);
        if !matches!(this.stage, Stage::Here(Flight::Done)) {
            this.stage = Stage::Here(Flight::Done);
        }
        match outcome {
            Ok(()) => {
                let Some(reply) = &place else { return Poll::Ready(Err(polled_again())) };
                let decoded = this.work.decode(&mut reply.reader());
                Poll::Ready(decoded.map_err(answered))
            }
            Err(error) => Poll::Ready(Err(error.with_command(this.work.name()))),
        }
    }
}

/// Leaves the reply in its `place`.
fn leave(outcome: Result<Reply>, place: &mut Place) -> Result<()> {
    *place = Some(outcome?);
    Ok(())
}

/// Takes note of a reply's size, where there are several connections to choose from.
fn note(link: &Link, work: &impl Work, place: &Place) {
    if let Some(reply) = place {
        link.answered(&work.wire(), reply.as_bytes().len());
    }
}

/// An error that an answer gave cannot be one of a request that was not sent.
fn answered(error: Error) -> Error {
    match error.sent() {
        Sent::No => error.with_sent(Sent::Yes),
        _ => error,
    }
}

impl<W: Work, C: Borrow<Client>> Drop for Execute<W, C> {
    fn drop(&mut self) {
        match &mut self.stage {
            // Mostly it has come to its end.
            Stage::Here(Flight::Start | Flight::Done) => {}
            Stage::Here(flight) => {
                if let Way::Shared(handle) = Self::way(&self.client, self.turn.as_deref()) {
                    flight.cancel(&handle.0);
                }
            }
            Stage::There(link, flight) | Stage::Beside(link, flight) => flight.cancel(link),
            Stage::Apart(_) => {}
        }
    }
}

impl<W: Work, C: Borrow<Client>> fmt::Debug for Execute<W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").field("work", &self.work.name()).finish_non_exhaustive()
    }
}
