//! The end of a connection: what becomes of those who wait when it is lost, cannot be made, or is
//! closed.

use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::link::Link;
use super::slots::Entry;
use super::state::{Phase, wake_after};
use crate::config::Address;
use crate::config::Endpoint;
use crate::error::{Error, ErrorKind, Sent};

impl Link {
    /// The connection is lost: fails what was written of, keeps the rest for the next one.
    pub(crate) fn lose(&self, error: &Error) {
        let mut wakers = Vec::new();
        let (old, _bytes);
        {
            let mut io = self.io();
            old = io.stream.take();
            io.inbox.clear();
            io.broken = None;
            let mut state = self.state();
            state.phase = Phase::Down;
            self.up.store(false, Ordering::Relaxed);
            self.caller.clear();
            let began = state.slots.fifo.iter().take_while(|entry| io.writing.began(entry)).count();
            let unknown = error.duplicate().with_sent(Sent::Unknown);
            state.slots.fail_first(began, &unknown, &mut wakers);
            _bytes = state.retain(&mut io, &mut wakers, |_| None);
            state.grant(&self.config, &mut wakers);
        }
        drop(old);
        if let Some(pool) = self.pool.get() {
            pool.renew();
        }
        self.hears_no_more();
        if let Some(alarm) = &self.alarm {
            alarm.ring();
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// No connection can be made, for this reason: where there are other nodes, or failing fast is
    /// asked for, nobody waits for one.
    pub(crate) fn unreachable(&self, error: &Error) {
        if self.alarm.is_none() && !self.config.fail_fast {
            return;
        }
        self.state().refusal = Some(error.duplicate().with_sent(Sent::No));
        self.fail_waiting(error, None);
        if let Some(alarm) = &self.alarm {
            alarm.ring();
        }
    }

    /// Fails requests that wait for a connection: those that `is_due`, or all if that is `None`.
    pub(crate) fn fail_waiting(&self, error: &Error, is_due: Option<&dyn Fn(u32) -> bool>) {
        let mut wakers = Vec::new();
        let _bytes;
        {
            let mut io = self.io();
            let mut state = self.state();
            let fail = |entry: &Entry| {
                is_due
                    .is_none_or(|is_due| is_due(entry.tick))
                    .then(|| error.duplicate().with_sent(Sent::No))
            };
            _bytes = state.retain(&mut io, &mut wakers, fail);
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

    /// Leaves the present server for another one; requests that it was not sent wait.
    pub(crate) fn leave(&self, reason: &'static str) {
        {
            let mut io = self.io();
            if io.stream.is_some() {
                io.broken.get_or_insert(Error::new(ErrorKind::Disconnected, reason));
            }
        }
        let mut state = self.state();
        state.hurry = true;
        self.caller.clear();
        wake_after(state);
    }

    /// The same, unless the connection goes to this server already.
    pub(crate) fn leave_unless_at(&self, server: &Address) {
        self.others().for_each(|other| other.leave_unless_at(server));
        let there = Endpoint::Tcp { host: server.host.clone(), port: server.port };
        let arrived = {
            let state = self.state();
            matches!(state.phase, Phase::Up) && state.peer.as_ref() == Some(&there)
        };
        if !arrived {
            self.leave("another server is the primary from now on");
        }
    }

    /// Cuts the connection, for this reason: what was written of fails as lost, the rest as not
    /// sent. A new connection is made; until there is one, whoever comes is refused.
    pub(crate) fn abandon(&self, error: &Error) {
        self.others().for_each(|other| other.abandon(error));
        self.state().refusal = Some(error.duplicate().with_sent(Sent::No));
        self.lose(error);
        self.fail_waiting(error, None);
        let mut io = self.io();
        // For the driver, if it has not gone to connect anew already.
        io.broken.get_or_insert(error.duplicate());
        wake_after(self.state());
    }

    /// Accepts nothing more; the driver ends once all is answered.
    pub(crate) fn close(&self) {
        if let Some(pool) = self.pool.get() {
            pool.close();
        }
        if let Some(companion) = self.companion.get() {
            companion.abort();
        }
        if let Some(replicas) = self.replicas() {
            replicas.close();
        }
        self.others().for_each(|other| other.close());
        let mut state = self.state();
        state.closing = true;
        self.caller.clear();
        wake_after(state);
    }

    /// Waits for the end of this connection after [`Link::close`].
    pub(super) fn poll_ended(&self, cx: &mut Context<'_>) -> Poll<()> {
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
