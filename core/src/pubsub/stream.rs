//! The stream that users read.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, Sleep, sleep};

use super::live::Live;
use super::topics::Topics;
use crate::config::Config;
use crate::connection::{Backoff, Connector};
use crate::direct::is_timeout;
use crate::error::{Error, ErrorKind, Result};

/// After this long without a sign of life the server is asked for one; after as long again the
/// connection counts as lost.
const QUIET: Duration = Duration::from_secs(15);

/// A connection that lived for so long was a good one: the next attempt comes at once.
const PROVEN: Duration = Duration::from_secs(1);

/// A message on a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// The channel it was published to; bytes that are not UTF-8 are replaced.
    pub channel: String,
    /// The pattern that matched, for pattern subscriptions.
    pub pattern: Option<String>,
    /// What was published.
    pub payload: Bytes,
}

/// What a [`Subscription`] yields.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// The connection was lost and made anew: messages in between are gone.
    Gap,
    /// A message.
    Message(Message),
}

/// A stream of messages that subscribes anew whenever its connection was lost.
///
/// It never ends by itself. After a loss it yields [`Delivery::Gap`] once it is subscribed again,
/// since Redis keeps no message for those who are away. A failed attempt to reconnect yields its
/// error and is repeated with growing pauses for as long as the stream is polled. Dropping the
/// subscription closes its connection.
pub struct Subscription {
    config: Config,
    connector: Connector,
    topics: Topics,
    state: State,
    backoff: Backoff,
    /// How long a blocking client waits before it tries again.
    pause: Option<Duration>,
    /// Since when the connection is up.
    since: Instant,
    /// When the server was last heard; `pinged` says that it was asked since.
    heard: Instant,
    pinged: bool,
    /// A blocking client has none: its socket keeps the time.
    timer: Option<Pin<Box<Sleep>>>,
}

type Opening = Pin<Box<dyn Future<Output = Result<Live>> + Send>>;

enum State {
    Live(Box<Live>),
    Opening(Opening),
    /// Until the timer fires.
    Waiting,
}

impl Subscription {
    pub(super) async fn open(
        config: Config,
        connector: Connector,
        topics: Topics,
    ) -> Result<Subscription> {
        let timed = !matches!(connector, Connector::Blocking);
        let live = Live::open(config.clone(), connector.clone(), topics.clone(), QUIET).await?;
        Ok(Subscription {
            config,
            connector,
            topics,
            state: State::Live(Box::new(live)),
            backoff: Backoff::new(),
            pause: None,
            since: Instant::now(),
            heard: Instant::now(),
            pinged: false,
            timer: timed.then(|| Box::pin(sleep(QUIET))),
        })
    }

    /// The next message or gap; also available as a `Stream`.
    ///
    /// # Errors
    /// Why the connection could not be made anew; the stream goes on.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost when the future is dropped.
    #[expect(clippy::should_implement_trait, reason = "the name that streams give it")]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<Delivery>>> + Send + '_ {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
    }

    /// The next message, gaps passed over.
    ///
    /// # Errors
    /// As [`Subscription::next`].
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost when the future is dropped.
    pub async fn next_message(&mut self) -> Option<Result<Message>> {
        loop {
            match self.next().await? {
                Ok(Delivery::Gap) => {}
                Ok(Delivery::Message(message)) => return Some(Ok(message)),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn reopen(&mut self) {
        let (config, connector) = (self.config.clone(), self.connector.clone());
        let opening = Live::open(config, connector, self.topics.clone(), QUIET);
        self.state = State::Opening(Box::pin(opening));
    }

    fn wait(&mut self) {
        let pause = self.backoff.next();
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(Instant::now() + pause),
            None => self.pause = Some(pause),
        }
        self.state = State::Waiting;
    }

    fn heard(&mut self) {
        self.heard = Instant::now();
        self.pinged = false;
    }

    /// Whether the connection has been silent for too long; asks for a sign of life before.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(timer) = &mut self.timer else { return false };
        while timer.as_mut().poll(cx).is_ready() {
            let due = self.heard + QUIET;
            if Instant::now() >= due {
                if self.pinged {
                    return true;
                }
                self.pinged = true;
                self.heard = Instant::now();
                if let State::Live(live) = &mut self.state {
                    live.ping();
                }
            }
            timer.as_mut().reset(self.heard + QUIET);
        }
        false
    }

    /// The silence of a blocking socket's server: asks for a sign of life the first time.
    fn bears_silence(&mut self, error: &Error) -> bool {
        let first = self.timer.is_none() && is_timeout(error) && !self.pinged;
        if let (true, State::Live(live)) = (first, &mut self.state) {
            self.pinged = true;
            live.ping();
        }
        first
    }
}

impl Stream for Subscription {
    type Item = Result<Delivery>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if matches!(this.state, State::Live(_)) && this.poll_silence(cx) {
                this.reopen();
            }
            match &mut this.state {
                State::Live(live) => match live.poll_message(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(message)) => {
                        this.heard();
                        if let Some(message) = message {
                            return Poll::Ready(Some(Ok(Delivery::Message(message))));
                        }
                    }
                    Poll::Ready(Err(error)) if this.bears_silence(&error) => {}
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(%error, "subscription lost");
                        if this.since.elapsed() < PROVEN {
                            this.wait();
                        } else {
                            this.backoff.reset();
                            this.reopen();
                        }
                    }
                },
                State::Opening(opening) => match opening.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(live)) => {
                        this.state = State::Live(Box::new(live));
                        this.since = Instant::now();
                        this.heard();
                        if let Some(timer) = &mut this.timer {
                            timer.as_mut().reset(this.heard + QUIET);
                        }
                        return Poll::Ready(Some(Ok(Delivery::Gap)));
                    }
                    Poll::Ready(Err(error)) => {
                        this.wait();
                        return Poll::Ready(Some(Err(reconnecting(error))));
                    }
                },
                State::Waiting => {
                    match &mut this.timer {
                        Some(timer) => ready!(timer.as_mut().poll(cx)),
                        None => std::thread::sleep(this.pause.take().unwrap_or_default()),
                    }
                    this.reopen();
                }
            }
        }
    }
}

fn reconnecting(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Connect | ErrorKind::Disconnected | ErrorKind::Timeout => {
            Error::new(error.kind(), "the subscription is not connected; it tries again")
                .with_source(error)
        }
        _ => error,
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |list: &[Vec<u8>]| {
            list.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>()
        };
        f.debug_struct("Subscription")
            .field("channels", &names(&self.topics.channels))
            .field("patterns", &names(&self.topics.patterns))
            .finish_non_exhaustive()
    }
}
