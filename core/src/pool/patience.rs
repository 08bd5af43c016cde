//! For how long a reply is waited for: in some time the server must show progress or say that it
//! keeps the answer back; without a limit it must live.

use std::future::poll_fn;
use std::ops::ControlFlow::{self, Break, Continue};
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Pool;
use crate::config::FOREVER;
use crate::connection::{Dedicated, Reply, Rest, Verdict, ask};
use crate::direct::is_timeout;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::View;

/// A request on a connection, on its way.
pub(super) struct Exchange<'c> {
    connection: &'c mut Dedicated,
    rest: Rest<'c>,
    frames: u32,
    sent: bool,
    /// How much was in motion when last looked at, and since when nothing has happened.
    seen: (usize, usize),
    since: Option<Instant>,
    /// Whether the server was asked since then.
    asked: bool,
}

impl<'c> Exchange<'c> {
    pub(super) fn new(connection: &'c mut Dedicated, bytes: View<'c>, frames: u32) -> Exchange<'c> {
        let rest = Rest::new(bytes);
        Exchange { connection, rest, frames, sent: false, seen: (0, 0), since: None, asked: false }
    }

    /// Sends, and takes the reply.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        if !self.sent {
            ready!(self.connection.poll_send(cx, &mut self.rest))?;
            self.sent = true;
        }
        loop {
            let item = ready!(self.connection.poll_item(cx, Some(self.frames)))?;
            if let Some(reply) = item.into_reply() {
                return Poll::Ready(Ok(reply));
            }
        }
    }

    /// Since when nothing has happened, which is so for this long at least.
    fn look(&mut self, least: Duration) -> Instant {
        let moving = (self.rest.len(), self.connection.inbox.held());
        match self.since {
            Some(since) if self.seen == moving => since,
            _ => {
                let now = Instant::now();
                let since = now.checked_sub(least).unwrap_or(now);
                (self.seen, self.asked, self.since) = (moving, false, Some(since));
                since
            }
        }
    }

    /// The reply, or what `other` gives before it has come.
    async fn or<T>(&mut self, other: impl Future<Output = T>) -> Result<ControlFlow<Reply, T>> {
        let mut other = pin!(other);
        poll_fn(|cx| {
            // A socket that waits while it is polled would keep the other waiting.
            if !self.connection.stream.waits() {
                if let Poll::Ready(outcome) = self.poll(cx) {
                    return Poll::Ready(outcome.map(Break));
                }
                self.look(Duration::ZERO);
            }
            other.as_mut().poll(cx).map(|other| Ok(Continue(other)))
        })
        .await
    }

    /// The reply; `None` once nothing has happened for so long.
    async fn within(&mut self, silence: Duration) -> Result<Option<Reply>> {
        if self.connection.stream.waits() {
            let left = silence.saturating_sub(self.look(Duration::ZERO).elapsed());
            self.connection.stream.limit(Some(left));
            return match poll_fn(|cx| self.poll(cx)).await {
                Err(error) if is_timeout(&error) => {
                    self.look(left);
                    Ok(None)
                }
                outcome => outcome.map(Some),
            };
        }
        loop {
            let since = self.look(Duration::ZERO);
            match self.or(sleep_until(since + silence.min(FOREVER))).await? {
                Break(reply) => return Ok(Some(reply)),
                Continue(()) if self.since == Some(since) => return Ok(None),
                Continue(()) => {}
            }
        }
    }
}

impl Pool {
    /// After how long a silence the server is asked on another connection; `None` for never.
    pub(super) fn quiet(&self, limit: Option<Duration>) -> Option<Duration> {
        limit.map(|limit| limit / 2).or(self.config.heartbeat)
    }

    /// The reply, in this time or as long as the server lives.
    pub(super) async fn attend(
        &self,
        exchange: &mut Exchange<'_>,
        limit: Option<Duration>,
    ) -> Result<Reply> {
        let Some(quiet) = self.quiet(limit) else {
            exchange.connection.stream.limit(None);
            return poll_fn(|cx| exchange.poll(cx)).await;
        };
        match exchange.within(quiet).await? {
            Some(reply) => Ok(reply),
            // What is seldom needed makes no future larger.
            None => Box::pin(self.doubt(exchange, limit)).await,
        }
    }

    /// The reply of a server that has been silent for so long that it is asked.
    #[cold]
    pub(super) async fn doubt(
        &self,
        exchange: &mut Exchange<'_>,
        limit: Option<Duration>,
    ) -> Result<Reply> {
        let begun = Instant::now();
        let quiet = self.quiet(limit).unwrap_or_default();
        exchange.look(quiet);
        loop {
            exchange.asked = true;
            let question = self.question(exchange.connection, limit);
            let verdict = match exchange.or(question).await? {
                Break(reply) => return Ok(reply),
                Continue(verdict) => verdict,
            };
            let silence = match (limit, verdict) {
                // Something has come meanwhile.
                _ if !exchange.asked => quiet,
                (None, Verdict::Silent) => return Err(lifeless()),
                // It has the rest of its time.
                (Some(limit), Verdict::Silent | Verdict::Lives) => limit,
                (Some(limit), Verdict::Withholds)
                    if begun.elapsed() + quiet >= self.config.relaxed_timeout =>
                {
                    return Err(late(limit));
                }
                (Some(_), Verdict::Withholds) | (None, _) => {
                    (exchange.asked, exchange.since) = (false, Some(Instant::now()));
                    quiet
                }
            };
            match (exchange.within(silence).await?, limit) {
                (Some(reply), _) => return Ok(reply),
                (None, Some(limit)) if exchange.asked => return Err(late(limit)),
                (None, _) => {}
            }
        }
    }

    /// What the server says of itself; where it does not know who is asking, it is not asked whether
    /// it keeps the answer back.
    fn question(
        &self,
        connection: &Dedicated,
        limit: Option<Duration>,
    ) -> impl Future<Output = Verdict> + Send + use<'_> {
        let (server, client) = (connection.peer.clone(), connection.id);
        async move {
            let (client, time) = match limit {
                Some(_) if client.is_none() => return Verdict::Lives,
                Some(limit) => (client, limit / 2),
                None => (None, self.config.response_timeout),
            };
            ask(&self.config, &self.connector, server, client, time).await
        }
    }
}

/// The error when the server has been silent for so long.
#[cold]
fn late(limit: Duration) -> Error {
    let text = format!("the server gave no answer within {limit:?}");
    Error::new(ErrorKind::Timeout, text).with_sent(Sent::Unknown)
}

#[cold]
fn lifeless() -> Error {
    let text = "the server gave no sign of life while the command waited on it";
    Error::new(ErrorKind::Timeout, text).with_sent(Sent::Unknown)
}
