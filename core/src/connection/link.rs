//! A connection that many callers share, and that comes back when it is lost.
//!
//! Two locks: `io` (the socket and both buffers in motion) and `state` (who waits for what, what
//! is to be sent). `io` is taken before `state`; neither is held while anything waits, and under
//! `state` no code of the user's runs: wakers are collected and woken after it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use tokio::task::AbortHandle;

use super::alarm::Alarm;
use super::caller::Caller;
use super::dedicated::Dedicated;
use super::flight::Submitted;
use super::inbox::{Inbox, Item};
use super::lanes::{Lanes, Seen};
use super::maintenance::{self, Notice};
use super::outbox::Wire;
use super::reply::Place;
use super::slots::{Leftover, Polled, Ticket};
use super::state::{Io, Phase, State, wake_after};
use super::stream::Connector;
use crate::cache::Tracking;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::pool::Pool;
use crate::sentinel::Replicas;
use crate::server::ServerInfo;

/// So many requests are sent without waiting for those that may come behind them.
const WAVE: usize = 128;

/// One shared connection.
pub(crate) struct Link {
    pub(crate) config: Arc<Config>,
    pub(crate) connector: Connector,
    /// Who takes what the server sends unasked; without one it is dropped.
    pub(super) pushes: Option<Arc<dyn PushSink>>,
    io: Mutex<Io>,
    state: Mutex<State>,
    /// Whose future reads the socket itself, because it waits alone.
    pub(crate) caller: Caller,
    /// A hint, without a lock: whether others wait for replies.
    pub(super) busy: AtomicBool,
    /// A hint, without a lock: whether there is a connection.
    pub(super) up: AtomicBool,
    /// Whom to tell when a connection was lost or could not be made. Where there is somebody,
    /// nothing waits here for a connection that cannot be made: there are other nodes.
    pub(super) alarm: Option<Arc<Alarm>>,
    /// Connections to the same server for one caller at a time.
    pub(crate) pool: OnceLock<Arc<Pool>>,
    /// Who answers what only reads, where that is not this server.
    pub(super) replicas: OnceLock<Arc<Replicas>>,
    /// More connections to the same server, and what all of them know of keys.
    pub(super) lanes: OnceLock<Lanes>,
    pub(super) seen: OnceLock<Arc<Seen>>,
    /// The ticks that have passed, to be looked at without a lock.
    pub(super) clock: AtomicU32,
    /// A hint, without a lock: whether something large is under way.
    pub(super) loaded: AtomicBool,
    /// A task that ends with the link.
    pub(super) companion: OnceLock<AbortHandle>,
}

/// Takes the pushes of a connection, in order. Called between two reads: it must not wait.
pub(crate) trait PushSink: Send + Sync {
    /// One whole push frame.
    fn push(&self, frame: Bytes);

    /// The connection is no more: what it would have pushed is unknown. Called before anything is
    /// sent on the next one.
    fn lost(&self);

    /// Which of all links this is.
    fn source(&self) -> u64;
}

/// The last one that is dropped ends the connection.
pub(crate) struct Handle(pub(crate) Arc<Link>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Link {
    /// A link over a connection that was just made.
    pub(crate) fn new(config: Config, connector: Connector, first: Dedicated) -> Link {
        let link = Link::empty(config, connector, None);
        link.install(first);
        link
    }

    /// A link that its driver connects; every loss is told to `alarm`.
    pub(crate) fn unconnected(config: Config, connector: Connector, alarm: Arc<Alarm>) -> Link {
        Link::empty(config, connector, Some(alarm))
    }

    fn empty(config: Config, connector: Connector, alarm: Option<Arc<Alarm>>) -> Link {
        let state = State::new(ServerInfo::new(String::new(), config.protocol));
        Link {
            io: Mutex::new(Io::new(Inbox::new(&config.limits))),
            pushes: config.tracking.as_ref().map(Tracking::sink),
            config: Arc::new(config),
            connector,
            state: Mutex::new(state),
            caller: Caller::nobody(),
            busy: AtomicBool::new(false),
            up: AtomicBool::new(false),
            alarm,
            pool: OnceLock::new(),
            replicas: OnceLock::new(),
            lanes: OnceLock::new(),
            seen: OnceLock::new(),
            clock: AtomicU32::new(0),
            loaded: AtomicBool::new(false),
            companion: OnceLock::new(),
        }
    }

    /// Whether there is a connection, as far as is known.
    pub(crate) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(crate) fn io(&self) -> MutexGuard<'_, Io> {
        // A panic under this lock leaves at worst a broken socket, which is found out.
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The socket, unless somebody uses it at this moment.
    pub(crate) fn io_if_free(&self) -> Option<MutexGuard<'_, Io>> {
        match self.io.try_lock() {
            Ok(io) => Some(io),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to use a new connection.
    #[expect(clippy::arithmetic_side_effects, reason = "64 bits of counting do not end")]
    pub(crate) fn install(&self, connection: Dedicated) {
        let mut io = self.io();
        io.stream = Some(connection.stream);
        io.inbox = connection.inbox;
        io.broken = None;
        let mut state = self.state();
        state.phase = Phase::Up;
        state.maintenance.draining = false;
        state.refusal = None;
        self.up.store(true, Ordering::Relaxed);
        state.server = connection.server;
        state.login = connection.login;
        state.peer = Some(connection.peer);
        state.id = connection.id;
        state.maintenance.withheld = None;
        state.maintenance.leaving = None;
        state.hurry = false;
        state.progress = state.tick;
        state.counters.connections += 1;
        if let Some(moving) = connection.moving {
            self.announced(&mut state, &Notice::Moving(*moving));
        }
    }

    /// Hands in a request; alone on the connection, the caller writes it and begins to read.
    ///
    /// # Errors
    /// `Closed`.
    pub(crate) fn submit(
        &self,
        wire: &Wire<'_>,
        cx: &mut Context<'_>,
        place: &mut Place,
    ) -> Result<Submitted> {
        if !self.busy.load(Ordering::Relaxed)
            && let Some(io) = self.io_if_free()
        {
            let state = self.state();
            state.admit()?;
            if self.is_alone(&io, &state) {
                return Ok(self.begin(io, state, wire, cx, place));
            }
        }
        let mut state = self.state();
        state.admit()?;
        if state.slots.has_queue() || !state.fits(&self.config, wire.len()) {
            let tick = state.tick;
            let ticket = state.slots.queue(cx.waker().clone(), wire.len(), tick);
            // Whoever reads for itself may be left alone, and this one waits for its reply.
            self.caller.clear();
            wake_after(state);
            return Ok(Submitted::Queued(ticket));
        }
        Ok(Submitted::Waiting(self.join(state, wire, cx.waker().clone())))
    }

    /// Whether a request that comes now is the only one on a connection that works.
    fn is_alone(&self, io: &Io, state: &State) -> bool {
        // Where pushes are awaited, the driver must always read.
        self.pushes.is_none()
            && matches!(state.phase, Phase::Up)
            && state.slots.in_flight() == 0
            && !state.slots.has_queue()
            && state.pending.is_empty()
            && !state.maintenance.draining
            && io.writing.is_empty()
            && io.broken.is_none()
    }

    /// Hands in a request that waited for its turn, if that has come.
    pub(crate) fn redeem(
        &self,
        ticket: Ticket,
        wire: &Wire<'_>,
        waker: &Waker,
    ) -> Poll<Result<Submitted>> {
        let mut state = self.state();
        let redeemed = match state.slots.redeem(ticket, waker) {
            Polled::Pending(replaced) => {
                drop(state);
                drop(replaced);
                return Poll::Pending;
            }
            Polled::Ready(redeemed) => redeemed,
        };
        match redeemed.and_then(|()| state.admit()) {
            Ok(()) => Poll::Ready(Ok(Submitted::Waiting(self.join(state, wire, waker.clone())))),
            Err(error) => {
                // The driver may have waited for this one to end.
                wake_after(state);
                Poll::Ready(Err(error))
            }
        }
    }

    /// Hands in a request whose reply nobody wants. It waits for no turn, but where there is no
    /// end to such requests they are not taken.
    ///
    /// # Errors
    /// `Closed`, `TooMany`.
    pub(crate) fn fire(&self, wire: &Wire<'_>) -> Result<()> {
        let mut state = self.state();
        state.admit()?;
        if !state.bears(&self.config, wire.len()) {
            return Err(Error::new(ErrorKind::TooMany, "too much waits to be sent already"));
        }
        let entry = state.append(wire);
        state.slots.join(None, entry);
        self.busy.store(true, Ordering::Relaxed);
        self.caller.clear();
        wake_after(state);
        Ok(())
    }

    /// Joins; the driver takes care of it.
    fn join(&self, mut state: MutexGuard<'_, State>, wire: &Wire<'_>, waker: Waker) -> Ticket {
        let entry = state.append(wire);
        let ticket = state.slots.join(Some(waker), entry);
        self.busy.store(true, Ordering::Relaxed);
        self.caller.clear();
        let due = state.pending.requests() >= WAVE;
        wake_after(state);
        if due {
            self.send_wave();
        }
        ticket
    }

    /// Sends what is pending at once, so that the server works on it while more is made; the
    /// driver, which is awake, does the rest.
    fn send_wave(&self) {
        let Some(mut io) = self.io_if_free() else { return };
        if io.stream.is_none() || io.broken.is_some() || !io.writing.is_empty() {
            return;
        }
        {
            let mut state = self.state();
            if state.maintenance.draining {
                return;
            }
            io.writing.refill(&mut state.pending);
        }
        io.write_now();
        self.state().unwritten = io.writing.rest().len();
    }

    /// Joins as the only one, writes, and tries to read.
    fn begin(
        &self,
        mut io: MutexGuard<'_, Io>,
        mut state: MutexGuard<'_, State>,
        wire: &Wire<'_>,
        cx: &mut Context<'_>,
        place: &mut Place,
    ) -> Submitted {
        let entry = state.append(wire);
        let ticket = state.slots.join(Some(cx.waker().clone()), entry);
        self.busy.store(true, Ordering::Relaxed);
        self.caller.set(ticket);
        io.writing.refill(&mut state.pending);
        drop(state);
        if !matches!(io.write(cx), Poll::Ready(Ok(()))) {
            let unwritten = io.writing.rest().len();
            drop(io);
            self.state().unwritten = unwritten;
            self.hand_over(ticket);
            return Submitted::Waiting(ticket);
        }
        // The answer is hardly ever there at once.
        if io.stream.as_ref().is_some_and(|stream| stream.nothing_came(cx)) {
            return Submitted::Waiting(ticket);
        }
        if self.read_for(io, ticket, place, cx).is_ready() {
            if place.is_some() {
                return Submitted::Done;
            }
            self.hand_over(ticket);
        }
        Submitted::Waiting(ticket)
    }

    /// The outcome of a request that has joined, with the reply in its `place`.
    pub(crate) fn poll(
        &self,
        ticket: Ticket,
        cx: &mut Context<'_>,
        place: &mut Place,
    ) -> Poll<Result<()>> {
        if self.caller.is(ticket) {
            match self.io_if_free() {
                // Looked at under the lock: once the driver has taken over, its interest in the
                // socket must not be replaced by this task's.
                Some(io) if self.caller.is(ticket) => {
                    if self.read_for(io, ticket, place, cx).is_ready() {
                        if place.is_some() {
                            return Poll::Ready(Ok(()));
                        }
                        self.hand_over(ticket);
                    }
                }
                Some(_) => {}
                None => self.hand_over(ticket),
            }
        }
        let mut state = self.state();
        match state.slots.poll(ticket, cx.waker(), place) {
            Polled::Ready(outcome) => Poll::Ready(outcome),
            Polled::Pending(replaced) => {
                drop(state);
                drop(replaced);
                Poll::Pending
            }
        }
    }

    /// Reads on behalf of the only request in flight: leaves its reply in `own`, or nothing when the
    /// driver has to go on.
    fn read_for(
        &self,
        mut io: MutexGuard<'_, Io>,
        ticket: Ticket,
        own: &mut Place,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let mut wakers = Vec::new();
        let outcome = loop {
            if io.broken.is_some() {
                break Poll::Ready(());
            }
            if io.read(cx).is_pending() {
                break Poll::Pending;
            }
            self.deliver(&mut io, Some((ticket, &mut *own)), &mut wakers);
            if own.is_some() {
                break Poll::Ready(());
            }
            if io.has_its_share() {
                cx.waker().wake_by_ref();
                break Poll::Pending;
            }
        };
        drop(io);
        wakers.into_iter().for_each(Waker::wake);
        outcome
    }

    /// Leaves everything to the driver.
    fn hand_over(&self, ticket: Ticket) {
        let state = self.state();
        if self.caller.is(ticket) {
            self.caller.clear();
        }
        wake_after(state);
    }

    /// Gives up a request; what it leaves is dropped outside of the locks.
    pub(crate) fn cancel(&self, ticket: Ticket) {
        let leftover: Leftover;
        let mut wakers = Vec::new();
        {
            let mut state = self.state();
            leftover = state.slots.cancel(ticket);
            state.grant(&self.config, &mut wakers);
            if self.caller.is(ticket) {
                self.caller.clear();
                wakers.extend(state.driver.take());
            }
        }
        drop(leftover);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Leaves what the inbox holds in the slots it belongs to; collects who is to be woken. The
    /// reply for `own` is left there.
    pub(crate) fn deliver(
        &self,
        io: &mut Io,
        mut own: Option<(Ticket, &mut Place)>,
        wakers: &mut Vec<Waker>,
    ) {
        let mut answered = false;
        // Dropped after the lock.
        let mut _waker = None;
        let mut pushes = Vec::new();
        let mut guard = self.state();
        let state = &mut *guard;
        let mut any = io.inbox.has_reply();
        loop {
            match io.inbox.next(state.slots.expected()) {
                Ok(None) => break,
                Ok(Some(Item::Push(frame))) => match maintenance::read(&frame) {
                    Some(notice) if self.announced(state, &notice) => {
                        self.caller.clear();
                        wakers.extend(state.driver.take());
                    }
                    Some(_) => {}
                    None if self.pushes.is_some() => pushes.push(frame),
                    None => {}
                },
                Ok(Some(Item::Reply(reply))) => {
                    any = true;
                    match &mut own {
                        Some((ticket, own)) if Some(*ticket) == state.slots.next_ticket() => {
                            _waker = state.slots.hand_out();
                            self.caller.clear();
                            answered = true;
                            **own = Some(reply);
                        }
                        _ => wakers.extend(state.slots.deliver(Ok(reply))),
                    }
                }
                Err(error) => {
                    io.broken.get_or_insert(error);
                    break;
                }
            }
        }
        if any {
            state.progress = state.tick;
        }
        if answered && io.broken.is_some() {
            // The reply came, but something else came behind it.
            wakers.extend(state.driver.take());
        }
        self.awaits(io.inbox.missing());
        if state.slots.fifo.is_empty() {
            self.busy.store(false, Ordering::Relaxed);
            self.loaded.store(false, Ordering::Relaxed);
        }
        state.grant(&self.config, wakers);
        drop(guard);
        if let Some(sink) = &self.pushes {
            pushes.into_iter().for_each(|frame| sink.push(frame));
        }
    }
}
