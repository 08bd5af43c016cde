//! A connection that many callers share, and that comes back when it is lost.
//!
//! Two locks: `io` (the socket and both buffers in motion) and `state` (who waits for what, what
//! is to be sent). `io` is taken before `state`; neither is held while anything waits, and under
//! `state` no code of the user's runs: wakers are collected and woken after it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;

use super::dedicated::Dedicated;
use super::inbox::{Inbox, Item};
use super::outbox::Wire;
use super::reply::Reply;
use super::slots::{Entry, Leftover, Polled, Ticket};
use super::state::{Io, Phase, State, wake_after};
use super::stream::Connector;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result, Sent};

/// One shared connection.
pub(crate) struct Link {
    pub(crate) config: Arc<Config>,
    pub(crate) connector: Connector,
    /// Who takes what the server sends unasked; without one it is dropped.
    pushes: Option<Arc<dyn PushSink>>,
    io: Mutex<Io>,
    state: Mutex<State>,
}

/// Takes the pushes of a connection, in order. Called between two reads: it must not wait.
pub(crate) trait PushSink: Send + Sync {
    /// One whole push frame.
    fn push(&self, frame: Bytes);
}

/// The last one that is dropped ends the connection.
pub(crate) struct Handle(pub(crate) Arc<Link>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// What became of a request that was handed in.
pub(crate) enum Submitted {
    /// Joined; the driver takes care of it.
    Waiting(Ticket),
    /// Joined, alone: the caller is to [`Link::drive`] it.
    Alone(Ticket),
    /// Over the limits: waits for its turn.
    Queued(Ticket),
}

/// How far a caller came by itself.
enum Driven {
    Done(Result<Reply>),
    Waits,
    /// The driver has to go on.
    Stuck,
}

impl Link {
    /// A link over a connection that was just made.
    pub(crate) fn new(config: Config, connector: Connector, first: Dedicated) -> Link {
        let state = State::new(first.server.clone());
        let io = Io::new(Inbox::new(&config.limits));
        let link = Link {
            config: Arc::new(config),
            connector,
            pushes: None,
            io: Mutex::new(io),
            state: Mutex::new(state),
        };
        link.install(first);
        link
    }

    /// The same link, with somebody to take its pushes.
    #[cfg_attr(not(test), expect(dead_code, reason = "client-side caching will use it"))]
    pub(crate) fn with_pushes(mut self, sink: Arc<dyn PushSink>) -> Link {
        self.pushes = Some(sink);
        self
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

    /// The time between two ticks.
    pub(crate) fn tick_length(&self) -> Duration {
        let shortest = self.config.response_timeout.min(self.config.connect_timeout) / 4;
        shortest.clamp(Duration::from_millis(5), Duration::from_millis(250))
    }

    /// How many ticks a time is, rounded up.
    pub(crate) fn ticks(&self, time: Duration) -> u32 {
        let ticks = time.as_nanos().div_ceil(self.tick_length().as_nanos().max(1));
        u32::try_from(ticks).unwrap_or(u32::MAX)
    }

    /// Begins to use a new connection.
    pub(crate) fn install(&self, connection: Dedicated) {
        let mut io = self.io();
        io.stream = Some(connection.stream);
        io.inbox = connection.inbox;
        io.broken = None;
        let mut state = self.state();
        state.phase = Phase::Up;
        state.server = connection.server;
        state.progress = state.tick;
        state.counters.connections += 1;
    }

    /// Hands in a request.
    ///
    /// # Errors
    /// `Closed`.
    pub(crate) fn submit(&self, wire: &Wire<'_>, waker: Waker) -> Result<Submitted> {
        let mut state = self.state();
        state.admit()?;
        if state.slots.has_queue() || !state.fits(&self.config, wire.len()) {
            let tick = state.tick;
            let ticket = state.slots.queue(waker, wire.len(), tick);
            // Whoever reads for itself may be left alone, and this one waits for its reply.
            state.caller = None;
            wake_after(state);
            return Ok(Submitted::Queued(ticket));
        }
        Ok(self.join(state, wire, waker))
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
            Ok(()) => Poll::Ready(Ok(self.join(state, wire, waker.clone()))),
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
        state.caller = None;
        wake_after(state);
        Ok(())
    }

    fn join(&self, mut state: MutexGuard<'_, State>, wire: &Wire<'_>, waker: Waker) -> Submitted {
        // Where pushes are awaited, the driver must always read.
        let alone = self.pushes.is_none()
            && state.slots.fifo.is_empty()
            && state.pending.is_empty()
            && state.unwritten == 0
            && matches!(state.phase, Phase::Up);
        let entry = state.append(wire);
        let ticket = state.slots.join(Some(waker), entry);
        if alone {
            state.caller = Some(ticket);
            return Submitted::Alone(ticket);
        }
        state.caller = None;
        wake_after(state);
        Submitted::Waiting(ticket)
    }

    /// The outcome of a request that has joined.
    pub(crate) fn poll(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        {
            let mut state = self.state();
            let replaced = match state.slots.poll(ticket, cx.waker()) {
                Polled::Ready(outcome) => return Poll::Ready(outcome),
                Polled::Pending(replaced) => replaced,
            };
            let reads = state.caller == Some(ticket);
            drop(state);
            drop(replaced);
            if !reads {
                return Poll::Pending;
            }
        }
        self.drive(ticket, cx)
    }

    /// Writes and reads on behalf of the only request in flight.
    pub(crate) fn drive(&self, ticket: Ticket, cx: &mut Context<'_>) -> Poll<Result<Reply>> {
        let Some(mut io) = self.io_if_free() else {
            self.hand_over(ticket);
            return Poll::Pending;
        };
        let mut wakers = Vec::new();
        let driven = self.drive_locked(&mut io, ticket, cx, &mut wakers);
        drop(io);
        wakers.into_iter().for_each(Waker::wake);
        match driven {
            Driven::Done(outcome) => Poll::Ready(outcome),
            Driven::Waits => Poll::Pending,
            Driven::Stuck => {
                self.hand_over(ticket);
                Poll::Pending
            }
        }
    }

    fn drive_locked(
        &self,
        io: &mut Io,
        ticket: Ticket,
        cx: &mut Context<'_>,
        wakers: &mut Vec<Waker>,
    ) -> Driven {
        {
            let mut state = self.state();
            // Under both locks: once the driver has taken over, its interest in the socket must
            // not be replaced by this task's.
            if state.caller != Some(ticket) {
                return Driven::Waits;
            }
            if io.broken.is_some() {
                return Driven::Stuck;
            }
            if io.writing.is_empty() {
                io.writing.refill(&mut state.pending);
            }
            state.unwritten = io.writing.rest().len();
        }
        if !matches!(io.write(cx), Poll::Ready(Ok(()))) {
            return Driven::Stuck;
        }
        {
            let mut state = self.state();
            state.unwritten = 0;
            state.grant(&self.config, wakers);
        }
        while io.broken.is_none() {
            let Poll::Ready(()) = io.read(cx) else { return Driven::Waits };
            if self.deliver(io, Some(ticket), wakers) {
                let mut state = self.state();
                state.caller = state.caller.filter(|caller| *caller != ticket);
                if io.broken.is_some() {
                    // The reply came, but something else came behind it.
                    wakers.extend(state.driver.take());
                }
                if let Polled::Ready(outcome) = state.slots.poll(ticket, cx.waker()) {
                    return Driven::Done(outcome);
                }
            }
        }
        Driven::Stuck
    }

    /// Leaves everything to the driver.
    fn hand_over(&self, ticket: Ticket) {
        let mut state = self.state();
        state.caller = state.caller.filter(|caller| *caller != ticket);
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
            if state.caller == Some(ticket) {
                state.caller = None;
                wakers.extend(state.driver.take());
            }
        }
        drop(leftover);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Leaves what the inbox holds in the slots it belongs to; collects who is to be woken,
    /// except for `own`, of which it says whether its reply came.
    pub(crate) fn deliver(
        &self,
        io: &mut Io,
        own: Option<Ticket>,
        wakers: &mut Vec<Waker>,
    ) -> bool {
        let mut own_came = false;
        let mut pushes = Vec::new();
        let mut guard = self.state();
        let state = &mut *guard;
        let mut any = io.inbox.is_partial();
        loop {
            match io.inbox.next(state.slots.expected()) {
                Ok(None) => break,
                Ok(Some(Item::Push(frame))) if self.pushes.is_some() => pushes.push(frame),
                Ok(Some(Item::Push(_))) => {}
                Ok(Some(Item::Reply(reply))) => {
                    any = true;
                    if let Some((ticket, waker)) = state.slots.deliver(Ok(reply)) {
                        if own == Some(ticket) {
                            own_came = true;
                        } else {
                            wakers.extend(waker);
                        }
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
        state.grant(&self.config, wakers);
        drop(guard);
        if let Some(sink) = &self.pushes {
            pushes.into_iter().for_each(|frame| sink.push(frame));
        }
        own_came
    }

    /// The connection is lost: fails what was written of, keeps the rest for the next one.
    pub(crate) fn lose(&self, error: &Error) {
        let mut wakers = Vec::new();
        let old;
        {
            let mut io = self.io();
            old = io.stream.take();
            io.inbox.clear();
            io.broken = None;
            let mut state = self.state();
            state.phase = Phase::Down;
            state.caller = None;
            let began = state.slots.fifo.iter().take_while(|entry| io.writing.began(entry)).count();
            let unknown = error.duplicate().with_sent(Sent::Unknown);
            state.slots.fail_first(began, &unknown, &mut wakers);
            state.retain(&mut io, &mut wakers, |_| None);
            state.grant(&self.config, &mut wakers);
        }
        drop(old);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Fails requests that wait for a connection: those that `is_due`, or all if that is `None`.
    pub(crate) fn fail_waiting(&self, error: &Error, is_due: Option<&dyn Fn(u32) -> bool>) {
        let mut wakers = Vec::new();
        {
            let mut io = self.io();
            let mut state = self.state();
            let fail = |entry: &Entry| {
                is_due
                    .is_none_or(|is_due| is_due(entry.tick))
                    .then(|| error.duplicate().with_sent(Sent::No))
            };
            state.retain(&mut io, &mut wakers, fail);
            let is_due = |tick| is_due.is_none_or(|is_due| is_due(tick));
            state.slots.fail_queue(&error.duplicate().with_sent(Sent::No), is_due, &mut wakers);
            state.grant(&self.config, &mut wakers);
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ends everything: whoever waits or comes later gets this error.
    pub(crate) fn end(&self, error: &Error) {
        self.lose(error);
        self.fail_waiting(error, None);
        let mut wakers;
        {
            let mut state = self.state();
            state.phase = Phase::Closed(error.duplicate().with_sent(Sent::No));
            wakers = std::mem::take(&mut state.closers);
            // Whoever came between the two locks.
            let left = state.slots.fifo.len();
            state.slots.fail_first(left, error, &mut wakers);
            state.slots.fail_queue(error, |_| true, &mut wakers);
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Accepts nothing more; the driver ends once all is answered.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closing = true;
        state.caller = None;
        wake_after(state);
    }

    /// Waits for the end after [`Link::close`].
    pub(crate) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if matches!(state.phase, Phase::Closed(_)) {
            return Poll::Ready(());
        }
        if !state.closers.iter().any(|closer| closer.will_wake(cx.waker())) {
            state.closers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}
