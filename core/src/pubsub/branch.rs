//! One connection of a subscription, made anew whenever it was lost.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::live::Live;
use super::seat::Seat;
use super::stream::Delivery;
use super::topics::Topics;
use crate::connection::{Connector, Pauses};
use crate::direct::is_timeout;
use crate::error::{Error, ErrorKind, Result};

/// After this long without a sign of life the server is asked for one; after as long again the
/// connection counts as lost.
const QUIET: Duration = Duration::from_secs(15);

/// A connection that lived for so long was a good one: the next attempt comes at once.
const PROVEN: Duration = Duration::from_secs(1);

/// Some topics, and the connection that they come by.
pub(super) struct Branch {
    seat: Seat,
    topics: Topics,
    state: State,
    pauses: Pauses,
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
    /// Another server is the primary: what came before that is given out yet.
    Leaving(Box<Live>),
    Opening(Opening),
    /// Until the timer fires.
    Waiting,
}

impl Branch {
    /// Connects and subscribes.
    pub(super) async fn open(mut seat: Seat, topics: Topics) -> Result<Branch> {
        let mut tries = 0;
        let live = loop {
            let (config, connector) = (seat.config()?, seat.connector.clone());
            match Live::open(config, connector, seat.guarded(&topics), QUIET).await {
                Ok(live) => break live,
                // The slot is served elsewhere; so the seat learns where.
                Err(error) if seat.learns_from(&error) && tries < 5 => tries += 1,
                Err(error) => return Err(error),
            }
        };
        Ok(Branch { state: State::Live(Box::new(live)), ..Branch::closed(seat, topics) })
    }

    /// Connects and subscribes once it is polled.
    pub(super) fn later(seat: Seat, topics: Topics) -> Branch {
        let mut branch = Branch::closed(seat, topics);
        branch.reopen();
        branch
    }

    fn closed(seat: Seat, topics: Topics) -> Branch {
        let timed = !matches!(seat.connector, Connector::Blocking);
        Branch {
            pauses: Pauses::new(seat.backoff()),
            seat,
            topics,
            state: State::Waiting,
            pause: None,
            since: Instant::now(),
            heard: Instant::now(),
            pinged: false,
            timer: timed.then(|| Box::pin(sleep(QUIET))),
        }
    }

    pub(super) fn is_blocking(&self) -> bool {
        self.timer.is_none()
    }

    /// What it is subscribed to.
    pub(super) fn topics(&self) -> &Topics {
        &self.topics
    }

    /// Where it is connected to, or tries to be.
    pub(super) fn seat(&self) -> &Seat {
        &self.seat
    }

    fn reopen(&mut self) {
        let (config, connector) = (self.seat.config(), self.seat.connector.clone());
        let topics = self.seat.guarded(&self.topics);
        let opening = async move { Live::open(config?, connector, topics, QUIET).await };
        self.state = State::Opening(Box::pin(opening));
    }

    fn wait(&mut self) {
        let pause = self.pauses.next();
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(Instant::now() + pause),
            None => self.pause = Some(pause),
        }
        self.state = State::Waiting;
    }

    /// Whether the server has ended a subscription.
    fn is_revoked(&self) -> bool {
        matches!(&self.state, State::Live(live) if live.is_revoked())
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

    /// Leaves a server that is the primary no longer, as soon as that is heard.
    fn poll_deposed(&mut self, cx: &mut Context<'_>) {
        let State::Live(live) = &self.state else { return };
        if self.seat.poll_deposed(live.peer(), cx).is_ready()
            && let State::Live(live) = std::mem::replace(&mut self.state, State::Waiting)
        {
            tracing::debug!("subscription leaves a server that is the primary no longer");
            self.state = State::Leaving(live);
        }
    }

    /// The next message or gap, or why the connection could not be made anew; there is no end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Delivery>> {
        let this = self;
        loop {
            if matches!(this.state, State::Live(_)) && this.poll_silence(cx) {
                this.reopen();
            }
            this.poll_deposed(cx);
            match &mut this.state {
                State::Live(live) => match live.poll_message(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(message)) => {
                        this.heard();
                        if let Some(message) = message {
                            return Poll::Ready(Ok(Delivery::Message(message)));
                        }
                    }
                    Poll::Ready(Err(error)) if this.bears_silence(&error) => {}
                    Poll::Ready(Err(error)) => {
                        tracing::debug!(%error, "subscription lost");
                        let revoked = this.is_revoked();
                        match revoked {
                            true => this.seat.revoked(),
                            false => drop(this.seat.learns_from(&error)),
                        }
                        // A node that serves its slots no longer is soon left for good.
                        let leaves = revoked && this.seat.node().is_some();
                        if leaves || this.since.elapsed() < PROVEN {
                            this.wait();
                        } else {
                            this.pauses.reset();
                            this.reopen();
                        }
                    }
                },
                State::Leaving(live) => match live.leftover() {
                    Some(message) => return Poll::Ready(Ok(Delivery::Message(message))),
                    None => {
                        this.pauses.reset();
                        this.reopen();
                    }
                },
                State::Opening(opening) => match opening.as_mut().poll(cx) {
                    Poll::Pending => {
                        ready!(this.seat.poll_moved(cx));
                        this.reopen();
                    }
                    Poll::Ready(Ok(live)) => {
                        this.state = State::Live(Box::new(live));
                        this.since = Instant::now();
                        this.heard();
                        if let Some(timer) = &mut this.timer {
                            timer.as_mut().reset(this.heard + QUIET);
                        }
                        return Poll::Ready(Ok(Delivery::Gap));
                    }
                    Poll::Ready(Err(error)) => {
                        this.wait();
                        if this.seat.learns_from(&error) {
                            continue;
                        }
                        return Poll::Ready(Err(reconnecting(error)));
                    }
                },
                State::Waiting => {
                    match &mut this.timer {
                        Some(_) if this.seat.poll_moved(cx).is_ready() => {}
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
