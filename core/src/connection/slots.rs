//! Who waits for which reply. No I/O.
//!
//! Replies come in the order of the requests: a queue of entries says whose reply is next, and
//! each entry points to a slot where the reply is left for its waiter. Slots are reused, so a
//! warm connection allocates nothing. Cancelling changes a slot's state and shifts nothing.

use std::collections::VecDeque;
use std::task::Waker;

use super::reply::{Place, Reply};
use crate::error::{Error, Result};

/// A claim on a slot. Whoever holds it either takes the outcome or cancels.
pub(crate) type Ticket = u32;

/// One request that is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) slot: Ticket,
    /// How many frames answer it.
    pub(crate) frames: u32,
    /// Its first and last byte in the connection's stream of requests.
    /// Invariant: `start < end`, and entries do not overlap.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The tick at which it joined.
    pub(crate) tick: u32,
}

enum Slot {
    Free,
    /// Over the limits: waits for its turn to join.
    Queued(Queued),
    /// Given up while it waited for its turn; the queue still holds its ticket.
    Left,
    /// Its turn came at this tick, for so many bytes.
    Granted(usize, u32),
    /// Its turn came and was not taken: it may join still, but no room is kept for it.
    Late,
    /// Joined; waits for its reply.
    Waiting(Waker),
    /// Joined, and nobody wants the reply. The flag: whether it shall be sent all the same.
    Unwatched {
        wanted: bool,
    },
    /// Answered; the reply lies in the slot's place.
    Done(Result<()>),
}

struct Queued {
    waker: Waker,
    bytes: usize,
    /// The tick at which it came.
    tick: u32,
}

/// What came of asking for an outcome.
pub(crate) enum Polled<T> {
    Ready(T),
    /// Not there yet; the waker that was replaced, to be dropped outside of any lock.
    Pending(Option<Waker>),
}

/// What a dropped ticket leaves to its holder, to be dropped outside of any lock.
#[expect(dead_code, reason = "kept only to be dropped later")]
pub(crate) enum Leftover {
    Nothing,
    Waker(Waker),
    Outcome(Box<(Result<()>, Place)>),
}

#[derive(Default)]
pub(crate) struct Slots {
    slab: Vec<Slot>,
    /// The replies, apart from the slots: they are large, and a slot changes often.
    /// Invariant: as many as slots, and those of slots that are not done are empty.
    places: Vec<Place>,
    free: Vec<Ticket>,
    pub(crate) fifo: VecDeque<Entry>,
    /// Requests over the limits, in the order of their coming.
    queue: VecDeque<Ticket>,
    /// How many in the queue were given up.
    left: usize,
    granted: usize,
    granted_bytes: usize,
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "counts of what is held in memory cannot overflow, and what is taken off was added before"
)]
impl Slots {
    /// How many requests are to be answered, those included whose turn has come to join.
    pub(crate) fn in_flight(&self) -> usize {
        self.fifo.len() + self.granted
    }

    /// Bytes that granted requests will bring.
    pub(crate) fn granted_bytes(&self) -> usize {
        self.granted_bytes
    }

    /// Whether somebody waits to join.
    pub(crate) fn has_queue(&self) -> bool {
        self.queue.len() > self.left
    }

    /// Waits for a turn to join.
    pub(crate) fn queue(&mut self, waker: Waker, bytes: usize, tick: u32) -> Ticket {
        let ticket = self.claim(Slot::Queued(Queued { waker, bytes, tick }));
        self.queue.push_back(ticket);
        ticket
    }

    /// The size of the next request that waits to join.
    pub(crate) fn next_queued(&mut self) -> Option<usize> {
        self.front_queued().map(|queued| queued.bytes)
    }

    /// Who waits longest, once those that were given up are out of the way.
    fn front_queued(&mut self) -> Option<&Queued> {
        while let Some(ticket) = self.queue.front().copied()
            && matches!(self.slot(ticket), Slot::Left)
        {
            self.queue.pop_front();
            self.left -= 1;
            self.release(ticket);
        }
        match self.slot(*self.queue.front()?) {
            Slot::Queued(queued) => Some(queued),
            _ => None,
        }
    }

    /// Gives the next in the queue its turn.
    pub(crate) fn grant(&mut self, tick: u32) -> Option<Waker> {
        let bytes = self.next_queued()?;
        let ticket = self.queue.pop_front()?;
        self.granted += 1;
        self.granted_bytes += bytes;
        match std::mem::replace(self.slot_mut(ticket), Slot::Granted(bytes, tick)) {
            Slot::Queued(queued) => Some(queued.waker),
            _ => None,
        }
    }

    /// Keeps no more room for those who had their turn a while ago: others wait behind them.
    pub(crate) fn pass_turns(&mut self, tick: u32) {
        if self.granted == 0 {
            return;
        }
        for slot in &mut self.slab {
            if let Slot::Granted(bytes, since) = slot
                && tick.wrapping_sub(*since) > 1
            {
                self.granted -= 1;
                self.granted_bytes -= *bytes;
                *slot = Slot::Late;
            }
        }
    }

    /// Whether the ticket's turn to join has come; if so, the ticket is used up.
    pub(crate) fn redeem(&mut self, ticket: Ticket, waker: &Waker) -> Polled<Result<()>> {
        if let Slot::Queued(queued) = self.slot_mut(ticket) {
            return Polled::Pending(exchange(&mut queued.waker, waker));
        }
        match self.release(ticket) {
            Slot::Granted(bytes, _) => {
                self.granted -= 1;
                self.granted_bytes -= bytes;
                Polled::Ready(Ok(()))
            }
            Slot::Done(Err(error)) => Polled::Ready(Err(error)),
            _ => Polled::Ready(Ok(())),
        }
    }

    /// Adds a request to the end of the order. Without a waker, nobody waits for the reply.
    pub(crate) fn join(&mut self, waker: Option<Waker>, mut entry: Entry) -> Ticket {
        entry.slot = self.claim(match waker {
            Some(waker) => Slot::Waiting(waker),
            None => Slot::Unwatched { wanted: true },
        });
        self.fifo.push_back(entry);
        entry.slot
    }

    /// The outcome, if it is there, with the reply in its `place`; then the ticket is used up.
    pub(crate) fn poll(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
        place: &mut Place,
    ) -> Polled<Result<()>> {
        match self.slot_mut(ticket) {
            Slot::Waiting(old) => return Polled::Pending(exchange(old, waker)),
            Slot::Done(_) => {}
            _ => return Polled::Pending(None),
        }
        if let Some(left) = self.places.get_mut(ticket as usize) {
            *place = left.take();
        }
        match self.release(ticket) {
            Slot::Done(outcome) => Polled::Ready(outcome),
            _ => Polled::Pending(None),
        }
    }

    /// Gives up a ticket.
    pub(crate) fn cancel(&mut self, ticket: Ticket) -> Leftover {
        match self.slot_mut(ticket) {
            slot @ Slot::Waiting(_) => {
                match std::mem::replace(slot, Slot::Unwatched { wanted: false }) {
                    Slot::Waiting(waker) => Leftover::Waker(waker),
                    _ => Leftover::Nothing,
                }
            }
            Slot::Granted(bytes, _) => {
                self.granted_bytes -= *bytes;
                self.granted -= 1;
                self.release(ticket);
                Leftover::Nothing
            }
            Slot::Late => {
                self.release(ticket);
                Leftover::Nothing
            }
            slot @ Slot::Queued(_) => {
                let old = std::mem::replace(slot, Slot::Left);
                self.left += 1;
                self.tidy_queue();
                match old {
                    Slot::Queued(queued) => Leftover::Waker(queued.waker),
                    _ => Leftover::Nothing,
                }
            }
            Slot::Done(_) => match self.release(ticket) {
                Slot::Done(outcome) => {
                    let left = self.places.get_mut(ticket as usize).and_then(Option::take);
                    Leftover::Outcome(Box::new((outcome, left)))
                }
                _ => Leftover::Nothing,
            },
            Slot::Free | Slot::Left | Slot::Unwatched { .. } => Leftover::Nothing,
        }
    }

    /// Takes those that were given up out of the queue, once they are most of it.
    fn tidy_queue(&mut self) {
        if self.left * 2 <= self.queue.len() {
            return;
        }
        let mut queue = std::mem::take(&mut self.queue);
        queue.retain(|ticket| {
            let left = matches!(self.slot(*ticket), Slot::Left);
            if left {
                self.release(*ticket);
            }
            !left
        });
        self.queue = queue;
        self.left = 0;
    }

    /// How many frames answer the oldest request.
    pub(crate) fn expected(&self) -> Option<u32> {
        self.fifo.front().map(|entry| entry.frames)
    }

    /// The ticket of the oldest request.
    pub(crate) fn next_ticket(&self) -> Option<Ticket> {
        self.fifo.front().map(|entry| entry.slot)
    }

    /// Leaves the oldest request's outcome in its slot; gives who to wake.
    pub(crate) fn deliver(&mut self, outcome: Result<Reply>) -> Option<Waker> {
        let entry = self.fifo.pop_front()?;
        self.finish(entry.slot, outcome)
    }

    /// The oldest request's outcome goes to its waiter by another way: its ticket is used up.
    pub(crate) fn hand_out(&mut self) -> Option<Waker> {
        let entry = self.fifo.pop_front()?;
        match self.release(entry.slot) {
            Slot::Waiting(waker) => Some(waker),
            _ => None,
        }
    }

    /// Fails the first `count` requests of the order.
    pub(crate) fn fail_first(&mut self, count: usize, error: &Error, wakers: &mut Vec<Waker>) {
        for _ in 0..count.min(self.fifo.len()) {
            wakers.extend(self.deliver(Err(error.duplicate())));
        }
    }

    /// Takes entries out of the order for which `fail` gives an error, or which were cancelled.
    /// Only for requests of which no byte was written.
    pub(crate) fn sift(
        &mut self,
        mut fail: impl FnMut(&Entry) -> Option<Error>,
        wakers: &mut Vec<Waker>,
    ) {
        let mut fifo = std::mem::take(&mut self.fifo);
        fifo.retain(|entry| {
            if matches!(self.slot(entry.slot), Slot::Unwatched { wanted: false }) {
                self.release(entry.slot);
                return false;
            }
            let Some(error) = fail(entry) else { return true };
            wakers.extend(self.finish(entry.slot, Err(error)));
            false
        });
        self.fifo = fifo;
    }

    /// Whether a request is still in the order that nobody wants any more.
    pub(crate) fn has_cancelled(&self) -> bool {
        let cancelled = |slot: &Slot| matches!(slot, Slot::Unwatched { wanted: false });
        self.fifo.iter().any(|entry| cancelled(self.slot(entry.slot)))
    }

    /// The tick since which somebody waits, in the order or in the queue before it.
    pub(crate) fn oldest(&mut self) -> Option<u32> {
        let queued = self.front_queued().map(|queued| queued.tick);
        let joined = self.fifo.front().map(|entry| entry.tick);
        // Ticks wrap, and the one that joined first may have come after one that still waits.
        match (joined, queued) {
            (Some(joined), Some(queued)) if queued.wrapping_sub(joined) > u32::MAX / 2 => {
                Some(queued)
            }
            (joined, queued) => joined.or(queued),
        }
    }

    /// Fails those who have waited to join since a tick that `is_due`.
    pub(crate) fn fail_queue(
        &mut self,
        error: &Error,
        is_due: impl Fn(u32) -> bool,
        wakers: &mut Vec<Waker>,
    ) {
        while self.front_queued().is_some_and(|queued| is_due(queued.tick)) {
            let Some(ticket) = self.queue.pop_front() else { break };
            wakers.extend(self.finish(ticket, Err(error.duplicate())));
        }
    }

    fn finish(&mut self, ticket: Ticket, outcome: Result<Reply>) -> Option<Waker> {
        match self.slot_mut(ticket) {
            Slot::Waiting(_) | Slot::Queued(..) => {
                let outcome = outcome.map(|reply| {
                    if let Some(place) = self.places.get_mut(ticket as usize) {
                        *place = Some(reply);
                    }
                });
                match std::mem::replace(self.slot_mut(ticket), Slot::Done(outcome)) {
                    Slot::Waiting(waker) | Slot::Queued(Queued { waker, .. }) => Some(waker),
                    _ => None,
                }
            }
            Slot::Unwatched { .. } => {
                self.release(ticket);
                None
            }
            _ => None,
        }
    }

    /// Gives back all room, if nobody holds a ticket: then nothing is in flight, nor waits to be.
    pub(crate) fn rest(&mut self) -> bool {
        (self.free.len() == self.slab.len()).then(|| *self = Slots::default()).is_some()
    }

    #[inline(always)]
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "a ticket for each request that is held in memory: max_in_flight and who waits are far from 2^32"
    )]
    fn claim(&mut self, slot: Slot) -> Ticket {
        if let Some(ticket) = self.free.pop() {
            *self.slot_mut(ticket) = slot;
            return ticket;
        }
        self.slab.push(slot);
        self.places.push(None);
        (self.slab.len() - 1) as Ticket
    }

    fn release(&mut self, ticket: Ticket) -> Slot {
        self.free.push(ticket);
        std::mem::replace(self.slot_mut(ticket), Slot::Free)
    }

    #[expect(clippy::indexing_slicing, reason = "tickets are indices that `claim` gave out")]
    fn slot(&self, ticket: Ticket) -> &Slot {
        &self.slab[ticket as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "tickets are indices that `claim` gave out")]
    fn slot_mut(&mut self, ticket: Ticket) -> &mut Slot {
        &mut self.slab[ticket as usize]
    }
}

/// Puts `new` in the place of `old`; gives back what must not be dropped under a lock.
fn exchange(old: &mut Waker, new: &Waker) -> Option<Waker> {
    (!old.will_wake(new)).then(|| std::mem::replace(old, new.clone()))
}

#[cfg(test)]
mod tests;
