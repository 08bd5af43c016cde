//! The future behind every request.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{Client, Way};
use crate::connection::{Dedicated, Link, Reply, Submitted, Ticket, Wire, Work};
use crate::direct::check_waiting;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::Reader;

/// How often a request that may be repeated is sent again after its connection was lost.
const RETRIES: u8 = 2;

/// A request on its way; nothing is sent before the first poll.
///
/// # Cancel safety
/// Dropping it leaves the connection and everybody else's replies alone. What was sent already
/// is executed by the server all the same.
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Execute<W: Work, C: Borrow<Client>> {
    client: C,
    work: W,
    stage: Stage,
    retries: u8,
}

enum Stage {
    Start,
    Queued(Ticket),
    Waiting(Ticket),
    /// A command that waits on the server, on a connection of its own.
    Apart(Pin<Box<dyn Future<Output = Result<Reply>> + Send>>),
    Done,
}

// Nothing is pinned structurally: the one boxed future is pinned in its box.
impl<W: Work, C: Borrow<Client>> Unpin for Execute<W, C> {}

impl<W: Work, C: Borrow<Client>> Execute<W, C> {
    pub(crate) fn new(client: C, work: W) -> Execute<W, C> {
        Execute { client, work, stage: Stage::Start, retries: 0 }
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        let link = match &self.client.borrow().way {
            Way::Shared(handle) => &handle.0,
            Way::Direct(direct) => {
                self.work.check()?;
                return Poll::Ready(direct.run(&self.work.wire(), self.work.is_blocking()));
            }
        };
        let submitted = match &mut self.stage {
            Stage::Waiting(ticket) => return link.poll(*ticket, cx),
            Stage::Queued(ticket) => {
                let redeemed = link.redeem(*ticket, &self.work.wire(), cx.waker());
                match redeemed {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(submitted) => submitted,
                }
            }
            Stage::Apart(future) => return future.as_mut().poll(cx),
            Stage::Start => {
                check_waiting()?;
                self.work.check()?;
                if self.work.is_blocking() {
                    let mut future = Box::pin(apart(Arc::clone(link), &self.work.wire()));
                    let polled = future.as_mut().poll(cx);
                    self.stage = Stage::Apart(future);
                    return polled;
                }
                link.submit(&self.work.wire(), cx)
            }
            Stage::Done => {
                return Poll::Ready(Err(Error::new(
                    ErrorKind::Usage,
                    "a future was polled after it was ready",
                )));
            }
        };
        // The ticket of a turn is used up, whatever came of it.
        self.stage = Stage::Done;
        match submitted? {
            Submitted::Waiting(ticket) => self.stage = Stage::Waiting(ticket),
            Submitted::Queued(ticket) => self.stage = Stage::Queued(ticket),
            Submitted::Done(outcome) => return Poll::Ready(outcome),
        }
        Poll::Pending
    }
}

impl<W: Work, C: Borrow<Client>> Future for Execute<W, C> {
    type Output = Result<W::Reply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.work.wire().frames() == 0 {
            return Poll::Ready(this.work.decode(&mut Reader::new(b"")));
        }
        loop {
            let outcome = match this.poll_reply(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(outcome) => outcome,
            };
            this.stage = Stage::Done;
            match outcome {
                Ok(reply) => {
                    let decoded = this.work.decode(&mut reply.reader());
                    return Poll::Ready(decoded.map_err(answered));
                }
                Err(error) if this.retries < RETRIES && may_repeat(&error, &this.work) => {
                    this.retries += 1;
                    this.stage = Stage::Start;
                }
                Err(error) => return Poll::Ready(Err(error.with_command(this.work.name()))),
            }
        }
    }
}

/// An error that an answer gave cannot be one of a request that was not sent.
fn answered(error: Error) -> Error {
    match error.sent() {
        Sent::No => error.with_sent(Sent::Yes),
        _ => error,
    }
}

/// Whether the request's answer was lost, and asking again changes nothing.
fn may_repeat(error: &Error, work: &impl Work) -> bool {
    error.kind() == ErrorKind::Disconnected && error.sent() == Sent::Unknown && work.is_repeatable()
}

/// Runs a request on a connection of its own, without a limit on the time to answer.
fn apart(link: Arc<Link>, wire: &Wire<'_>) -> impl Future<Output = Result<Reply>> + Send + 'static {
    let mut bytes = Vec::with_capacity(wire.len());
    match wire {
        Wire::One(packed) => packed.write_to(&mut bytes),
        Wire::Many { bytes: many, .. } => bytes.extend_from_slice(many),
    }
    let frames = wire.frames();
    async move {
        link.state().admit()?;
        let mut connection = Dedicated::connect(&link.config, &link.connector).await?;
        let reply = async {
            connection.send(&bytes).await?;
            connection.reply(frames).await
        };
        reply.await.map_err(|error| error.with_sent(Sent::Unknown))
    }
}

impl<W: Work, C: Borrow<Client>> Drop for Execute<W, C> {
    fn drop(&mut self) {
        if let Stage::Queued(ticket) | Stage::Waiting(ticket) = self.stage
            && let Way::Shared(handle) = &self.client.borrow().way
        {
            handle.0.cancel(ticket);
        }
    }
}

impl<W: Work, C: Borrow<Client>> fmt::Debug for Execute<W, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Execute").field("work", &self.work.name()).finish_non_exhaustive()
    }
}
