//! Who waits for which reply. No I/O.
//!
//! Replies come in the order of the requests: a queue of entries says whose reply is next, and
//! each entry points to a slot where the reply is left for its waiter. Slots are reused, so a
//! warm connection allocates nothing. Cancelling changes a slot's state and shifts nothing.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::{Bytes, BytesMut};

use crate::error::{Error, Result};
use crate::resp::Reader;

/// Replies up to this size live in the slot, so that they do not pin the read buffer.
const INLINE: usize = 120;

/// All frames of one request's reply.
pub(crate) enum Reply {
    /// Invariant: `len <= INLINE`.
    Inline { len: u8, bytes: [u8; INLINE] },
    /// A view of the read buffer.
    Shared(Bytes),
}

impl Reply {
    /// Cuts the first `len` bytes from `buffer`.
    pub(crate) fn cut(buffer: &mut BytesMut, len: usize) -> Reply {
        let len = len.min(buffer.len());
        if len > INLINE {
            return Reply::Shared(buffer.split_to(len).freeze());
        }
        let mut bytes = [0; INLINE];
        bytes[..len].copy_from_slice(&buffer[..len]);
        bytes::Buf::advance(buffer, len);
        Reply::Inline { len: len as u8, bytes }
    }

    /// A reader over the reply.
    pub(crate) fn reader(&self) -> Reader<'_> {
        match self {
            Reply::Inline { len, bytes } => {
                Reader::new(bytes.get(..usize::from(*len)).unwrap_or_default())
            }
            Reply::Shared(bytes) => Reader::shared(bytes),
        }
    }
}

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
    /// Over the limits: waits for its turn to join, with this many bytes.
    Queued(Waker, usize),
    /// Its turn has come.
    Granted(usize),
    /// Joined; waits for its reply.
    Waiting(Waker),
    /// Joined, and nobody wants the reply. The flag: whether it shall be sent all the same.
    Unwatched {
        wanted: bool,
    },
    Done(Result<Reply>),
}

/// What a dropped ticket leaves to its holder, to be dropped outside of any lock.
#[expect(dead_code, reason = "kept only to be dropped later")]
pub(crate) enum Leftover {
    Nothing,
    Waker(Waker),
    Outcome(Box<Result<Reply>>),
}

#[derive(Default)]
pub(crate) struct Slots {
    slab: Vec<Slot>,
    free: Vec<Ticket>,
    pub(crate) fifo: VecDeque<Entry>,
    /// Requests over the limits, in the order of their coming.
    queue: VecDeque<Ticket>,
    granted: usize,
    granted_bytes: usize,
}

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
        !self.queue.is_empty()
    }

    /// Waits for a turn to join.
    pub(crate) fn queue(&mut self, waker: Waker, bytes: usize) -> Ticket {
        let ticket = self.claim(Slot::Queued(waker, bytes));
        self.queue.push_back(ticket);
        ticket
    }

    /// The size of the next request that waits to join.
    pub(crate) fn next_queued(&self) -> Option<usize> {
        match self.slot(*self.queue.front()?) {
            Slot::Queued(_, bytes) => Some(*bytes),
            _ => None,
        }
    }

    /// Gives the next in the queue its turn.
    pub(crate) fn grant(&mut self) -> Option<Waker> {
        let ticket = self.queue.pop_front()?;
        let Slot::Queued(_, bytes) = *self.slot(ticket) else { return None };
        self.granted += 1;
        self.granted_bytes += bytes;
        match std::mem::replace(self.slot_mut(ticket), Slot::Granted(bytes)) {
            Slot::Queued(waker, _) => Some(waker),
            _ => None,
        }
    }

    /// Whether the ticket's turn to join has come; if so, the ticket is used up.
    pub(crate) fn redeem(&mut self, ticket: Ticket, waker: &Waker) -> Option<Result<()>> {
        match self.slot_mut(ticket) {
            Slot::Queued(old, _) => {
                old.clone_from(waker);
                None
            }
            Slot::Granted(bytes) => {
                self.granted_bytes -= *bytes;
                self.granted -= 1;
                self.release(ticket);
                Some(Ok(()))
            }
            Slot::Done(_) => match self.release(ticket) {
                Slot::Done(Err(error)) => Some(Err(error)),
                _ => Some(Ok(())),
            },
            _ => None,
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

    /// The outcome, if it is there; then the ticket is used up.
    pub(crate) fn poll(&mut self, ticket: Ticket, waker: &Waker) -> Option<Result<Reply>> {
        match self.slot_mut(ticket) {
            Slot::Waiting(old) => {
                old.clone_from(waker);
                None
            }
            Slot::Done(_) => match self.release(ticket) {
                Slot::Done(outcome) => Some(outcome),
                _ => None,
            },
            _ => None,
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
            Slot::Granted(bytes) => {
                self.granted_bytes -= *bytes;
                self.granted -= 1;
                self.release(ticket);
                Leftover::Nothing
            }
            Slot::Queued(..) => {
                self.queue.retain(|other| *other != ticket);
                match self.release(ticket) {
                    Slot::Queued(waker, _) => Leftover::Waker(waker),
                    _ => Leftover::Nothing,
                }
            }
            Slot::Done(_) => match self.release(ticket) {
                Slot::Done(outcome) => Leftover::Outcome(Box::new(outcome)),
                _ => Leftover::Nothing,
            },
            Slot::Free | Slot::Unwatched { .. } => Leftover::Nothing,
        }
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
    pub(crate) fn hand_out(&mut self) {
        if let Some(entry) = self.fifo.pop_front() {
            self.release(entry.slot);
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

    /// Fails everybody who waits to join.
    pub(crate) fn fail_queue(&mut self, error: &Error, wakers: &mut Vec<Waker>) {
        while let Some(ticket) = self.queue.pop_front() {
            wakers.extend(self.finish(ticket, Err(error.duplicate())));
        }
    }

    fn finish(&mut self, ticket: Ticket, outcome: Result<Reply>) -> Option<Waker> {
        match self.slot_mut(ticket) {
            slot @ (Slot::Waiting(_) | Slot::Queued(..)) => {
                match std::mem::replace(slot, Slot::Done(outcome)) {
                    Slot::Waiting(waker) | Slot::Queued(waker, _) => Some(waker),
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

    fn claim(&mut self, slot: Slot) -> Ticket {
        if let Some(ticket) = self.free.pop() {
            *self.slot_mut(ticket) = slot;
            return ticket;
        }
        self.slab.push(slot);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn waker() -> Waker {
        Waker::noop().clone()
    }

    fn entry(start: u64) -> Entry {
        Entry { slot: 0, frames: 1, start, end: start + 1, tick: 0 }
    }

    fn reply(text: &str) -> Result<Reply> {
        Ok(Reply::cut(&mut BytesMut::from(text), text.len()))
    }

    fn text(outcome: Option<Result<Reply>>) -> String {
        use crate::resp::FromReply;
        String::from_reply(&mut outcome.unwrap().unwrap().reader()).unwrap()
    }

    #[test]
    fn replies_follow_the_order_whatever_is_cancelled() {
        let mut slots = Slots::default();
        let tickets: Vec<Ticket> = (0..5).map(|n| slots.join(Some(waker()), entry(n))).collect();
        slots.cancel(tickets[1]);
        slots.cancel(tickets[3]);
        for (n, expected) in tickets.iter().enumerate() {
            assert_eq!(slots.next_ticket(), Some(*expected));
            let woken = slots.deliver(reply(&format!("+{n}\r\n")));
            assert_eq!(woken.is_some(), n % 2 == 0);
        }
        for n in [4, 0, 2] {
            assert_eq!(text(slots.poll(tickets[n], &waker())), n.to_string());
        }
        assert_eq!(slots.free.len(), 5);
    }

    #[test]
    fn slots_are_reused() {
        let mut slots = Slots::default();
        for n in 0..100 {
            let ticket = slots.join(Some(waker()), entry(n));
            assert!(slots.poll(ticket, &waker()).is_none());
            slots.deliver(reply("+x\r\n"));
            assert_eq!(text(slots.poll(ticket, &waker())), "x");
        }
        assert_eq!(slots.slab.len(), 1);
    }

    #[test]
    fn cancelling_after_the_reply_frees_the_slot() {
        let mut slots = Slots::default();
        let ticket = slots.join(Some(waker()), entry(0));
        slots.deliver(reply("+x\r\n"));
        assert!(matches!(slots.cancel(ticket), Leftover::Outcome(_)));
        assert_eq!(slots.free, [ticket]);
    }

    #[test]
    fn turns_are_given_in_order_and_may_be_declined() {
        let mut slots = Slots::default();
        let first = slots.queue(waker(), 10);
        let second = slots.queue(waker(), 20);
        let third = slots.queue(waker(), 30);
        assert!(slots.redeem(first, &waker()).is_none());
        slots.cancel(second);
        assert!(slots.grant().is_some());
        assert!(slots.redeem(third, &waker()).is_none());
        assert_eq!((slots.in_flight(), slots.granted_bytes()), (1, 10));
        slots.cancel(first);
        assert_eq!((slots.in_flight(), slots.granted_bytes()), (0, 0));
        assert_eq!(slots.next_queued(), Some(30));
        slots.grant();
        assert!(slots.redeem(third, &waker()).unwrap().is_ok());
        assert_eq!(slots.free.len(), 3);
    }

    #[test]
    fn sifting_drops_the_cancelled_and_the_failed() {
        let mut slots = Slots::default();
        let kept = slots.join(Some(waker()), entry(0));
        let cancelled = slots.join(Some(waker()), entry(1));
        let failed = slots.join(Some(waker()), entry(2));
        slots.join(None, entry(3));
        slots.cancel(cancelled);
        let mut wakers = Vec::new();
        slots.sift(
            |entry| (entry.start == 2).then(|| Error::new(ErrorKind::Connect, "no")),
            &mut wakers,
        );
        assert_eq!(wakers.len(), 1);
        assert_eq!(slots.fifo.iter().map(|entry| entry.start).collect::<Vec<_>>(), [0, 3]);
        assert!(slots.poll(failed, &waker()).unwrap().is_err());
        assert!(slots.poll(kept, &waker()).is_none());
    }
}
