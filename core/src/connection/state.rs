//! What the two locks of a [`Link`](super::link::Link) guard.

use std::io;
use std::pin::Pin;
use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};

use tokio::io::AsyncWrite;

use super::dedicated::{Dedicated, lost, poll_fill};
use super::inbox::Inbox;
use super::maintenance::Maintenance;
use super::outbox::{Pending, Wire, Writing};
use super::send::{poll_write, try_write};
use super::slots::{Entry, Slots};
use super::stream::Stream;
use crate::config::{Config, Endpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::Pieces;
use crate::server::ServerInfo;

/// So much of what comes is read before the scheduler lets others run: the runtime's own rule
/// counts reads, of which a large one takes as long as thousands of small ones.
const SHARE: usize = 512 << 10;

/// The socket and what is in motion.
pub(crate) struct Io {
    pub(crate) stream: Option<Stream>,
    pub(crate) inbox: Inbox,
    pub(crate) writing: Writing,
    /// How much was read without letting others run.
    taken: usize,
    /// Why the socket is of no use any more, for the driver to find.
    pub(crate) broken: Option<Error>,
}

/// Who waits for what.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) slots: Slots,
    pub(crate) pending: Pending,
    /// How many bytes were being written when last looked at.
    pub(crate) unwritten: usize,
    /// The driver, if it sleeps and wants to be woken.
    pub(crate) driver: Option<Waker>,
    /// Coarse time.
    pub(crate) tick: u32,
    /// The tick at which the server last showed that it works on what it was sent.
    pub(crate) progress: u32,
    pub(crate) closing: bool,
    /// Why there is no connection, where nobody shall wait for one.
    pub(crate) refusal: Option<Error>,
    pub(crate) closers: Vec<Waker>,
    pub(crate) server: ServerInfo,
    /// Which server the connection goes to.
    pub(crate) peer: Option<Endpoint>,
    /// The number that the server has given this client, where it told it.
    pub(crate) id: Option<i64>,
    /// Whether the next attempt to connect is not to wait.
    pub(crate) hurry: bool,
    pub(crate) maintenance: Maintenance,
    /// The epoch of the credentials that the connection logged in with.
    pub(crate) login: u64,
    pub(crate) counters: Counters,
}

/// What the tests of the fast path look at.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counters {
    pub(crate) driver_polls: u64,
    pub(crate) connections: u64,
}

pub(crate) enum Phase {
    Up,
    Down,
    /// Nothing is accepted any more, for this reason.
    Closed(Error),
}

/// Unlocks, then wakes the driver if it sleeps.
pub(crate) fn wake_after(mut state: MutexGuard<'_, State>) {
    let driver = state.driver.take();
    drop(state);
    if let Some(driver) = driver {
        driver.wake();
    }
}

impl Io {
    pub(crate) fn new(inbox: Inbox) -> Io {
        Io { stream: None, inbox, writing: Writing::default(), taken: 0, broken: None }
    }

    /// Writes until all is written.
    pub(crate) fn write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(())) };
        while !self.writing.is_empty() {
            match poll_write(stream, self.writing.rest(), cx) {
                Poll::Ready(Ok(count)) => self.writing.advance(count),
                Poll::Ready(Err(error)) => {
                    self.broken.get_or_insert(lost(error));
                    return Poll::Ready(Err(()));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        // What an encrypted stream took is on the wire only after this.
        match Pin::new(stream).poll_flush(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(())),
            Poll::Ready(Err(error)) => {
                self.broken.get_or_insert(lost(error));
                Poll::Ready(Err(()))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes what the socket takes at once.
    pub(crate) fn write_now(&mut self) {
        let Some(stream) = &mut self.stream else { return };
        while !self.writing.is_empty() {
            match try_write(stream, self.writing.rest()) {
                Ok(0) => return,
                Ok(count) => self.writing.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    self.broken.get_or_insert(lost(error));
                    return;
                }
            }
        }
    }

    /// Reads once and looks for frames. What is no RESP breaks the connection, but what came
    /// before it counts.
    pub(crate) fn read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else { return Poll::Pending };
        // Who waits for nothing in particular makes no room for it.
        if self.inbox.is_bare() && stream.nothing_came(cx) {
            return Poll::Pending;
        }
        let before = self.inbox.held();
        let Poll::Ready(outcome) = poll_fill(stream, self.inbox.room(), cx) else {
            self.taken = 0;
            return Poll::Pending;
        };
        self.taken = self.taken.saturating_add(self.inbox.held().saturating_sub(before));
        if let Err(error) = outcome.map_err(lost).and_then(|()| self.inbox.scan()) {
            self.broken.get_or_insert(error);
        }
        Poll::Ready(())
    }
}

impl Io {
    /// Whether so much came at once that others shall run before more is read; says so once.
    pub(crate) fn has_its_share(&mut self) -> bool {
        let enough = self.taken >= SHARE;
        if enough {
            self.taken = 0;
        }
        enough
    }
}

impl State {
    pub(crate) fn new(server: ServerInfo) -> State {
        State {
            phase: Phase::Down,
            slots: Slots::default(),
            pending: Pending::default(),
            unwritten: 0,
            driver: None,
            tick: 0,
            progress: 0,
            closing: false,
            refusal: None,
            closers: Vec::new(),
            server,
            peer: None,
            id: None,
            hurry: false,
            maintenance: Maintenance::default(),
            login: 0,
            counters: Counters::default(),
        }
    }

    /// Goes over to another connection, when all that the old one got is answered.
    #[expect(clippy::arithmetic_side_effects, reason = "64 bits of counting do not end")]
    pub(crate) fn replace(&mut self, io: &mut Io, next: Dedicated) {
        io.stream = Some(next.stream);
        io.inbox = next.inbox;
        self.server = next.server;
        self.login = next.login;
        self.peer = Some(next.peer);
        self.id = next.id;
        self.progress = self.tick;
        self.counters.connections += 1;
        self.maintenance.draining = false;
        self.maintenance.leaving = None;
    }

    pub(crate) fn admit(&self) -> Result<()> {
        match &self.phase {
            Phase::Closed(error) => Err(error.duplicate()),
            _ if self.closing => Err(closed()),
            _ => match &self.refusal {
                Some(error) => Err(error.duplicate()),
                None => Ok(()),
            },
        }
    }

    pub(crate) fn append(&mut self, wire: &Wire<'_>) -> Entry {
        let (start, end) = self.pending.append(wire);
        Entry { slot: 0, frames: wire.frames(), start, end, tick: self.tick }
    }

    /// Whether a request of this size may join now.
    pub(crate) fn fits(&self, config: &Config, bytes: usize) -> bool {
        let unsent = self.pending.len().saturating_add(self.unwritten);
        let waiting = unsent.saturating_add(self.slots.granted_bytes());
        self.slots.in_flight() < config.max_in_flight
            && (waiting == 0 || waiting.saturating_add(bytes) <= config.max_pending_bytes)
    }

    /// Whether a request of this size that cannot wait may join now.
    pub(crate) fn bears(&self, config: &Config, bytes: usize) -> bool {
        let waiting = self.pending.len().saturating_add(self.unwritten);
        self.slots.in_flight() / 2 < config.max_in_flight
            && (waiting == 0 || waiting.saturating_add(bytes) / 2 <= config.max_pending_bytes)
    }

    /// Gives those who wait to join their turn, as far as there is room.
    pub(crate) fn grant(&mut self, config: &Config, wakers: &mut Vec<Waker>) {
        while self.slots.has_queue()
            && let Some(bytes) = self.slots.next_queued()
        {
            if !self.fits(config, bytes) {
                break;
            }
            wakers.extend(self.slots.grant(self.tick));
        }
    }

    /// Gives back all room, when nothing was sent or came for a while.
    pub(crate) fn rest(&mut self, io: &mut Io) {
        let idle = self.tick.wrapping_sub(self.progress) > 1 && self.pending.is_empty();
        if idle && io.writing.is_empty() && self.slots.rest() {
            io.inbox.empty();
            io.writing.empty();
            self.pending.empty();
        }
    }

    /// For how many ticks the oldest request has waited without any sign of progress; `None` when
    /// there is none.
    pub(crate) fn silence(&self) -> Option<u32> {
        let head = self.slots.fifo.front()?.tick;
        Some(self.tick.wrapping_sub(head).min(self.tick.wrapping_sub(self.progress)))
    }

    /// Time passes.
    pub(crate) fn advance(&mut self, config: &Config, wakers: &mut Vec<Waker>) {
        self.tick = self.tick.wrapping_add(1);
        self.slots.pass_turns(self.tick);
        self.grant(config, wakers);
    }

    /// Drops the cancelled and the failed of the requests that were not written. Their bytes are to
    /// be dropped outside of the locks.
    pub(crate) fn retain(
        &mut self,
        io: &mut Io,
        wakers: &mut Vec<Waker>,
        fail: impl FnMut(&Entry) -> Option<Error>,
    ) -> [Pieces; 2] {
        self.slots.sift(fail, wakers);
        self.unwritten = 0;
        io.writing.retain(&mut self.pending, &mut self.slots.fifo)
    }
}

/// The error after [`Link::close`].
pub(crate) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the client is closed")
}
