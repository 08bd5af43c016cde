//! Who may hold a connection, in which order. No I/O.

use std::collections::VecDeque;
use std::task::Waker;

/// The turns of a pool, and what lies idle in it.
///
/// Whoever has a turn may take what is idle, or make a new one if nothing is.
pub(super) struct Turns<T> {
    max: usize,
    /// Turns that are given out, those that were not taken up yet included.
    /// Invariant: `taken <= max`, and nobody is in `queue` while `taken < max`.
    taken: usize,
    /// The one used last comes last.
    idle: Vec<T>,
    /// Who waits, by ticket. Invariant: the tickets rise.
    queue: VecDeque<(u64, Waker)>,
    /// The tickets whose turn has come. Invariant: they rise, and are below those in `queue`.
    granted: VecDeque<u64>,
    next: u64,
    closed: bool,
}

/// The answer to whoever wants a turn.
pub(super) enum Turn<T> {
    /// It is his, and this was idle; `None` where nothing is.
    Ready(Option<T>),
    /// Others come first.
    Wait(u64),
}

/// The answer to whoever waits.
pub(super) enum Polled<T> {
    /// It is his; as [`Turn`].
    Ready(Option<T>),
    /// Not yet; the waker that was kept before, to be dropped outside of any lock.
    Pending(Option<Waker>),
}

/// The pool is closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

impl<T> Turns<T> {
    pub(super) fn new(max: usize) -> Turns<T> {
        Turns {
            max: max.max(1),
            taken: 0,
            idle: Vec::new(),
            queue: VecDeque::new(),
            granted: VecDeque::new(),
            next: 0,
            closed: false,
        }
    }

    /// Asks for a turn.
    pub(super) fn ask(&mut self, waker: &Waker) -> Result<Turn<T>, Closed> {
        if let Some(idle) = self.ask_now()? {
            return Ok(Turn::Ready(idle));
        }
        let ticket = self.next;
        self.next += 1;
        self.queue.push_back((ticket, waker.clone()));
        Ok(Turn::Wait(ticket))
    }

    /// Asks for a turn; `None` where others come first.
    pub(super) fn ask_now(&mut self) -> Result<Option<Option<T>>, Closed> {
        if self.closed {
            return Err(Closed);
        }
        if self.taken >= self.max {
            return Ok(None);
        }
        self.taken += 1;
        Ok(Some(self.idle.pop()))
    }

    /// Whether a ticket's turn has come. Once that is so the ticket is used up.
    pub(super) fn poll(&mut self, ticket: u64, waker: &Waker) -> Result<Polled<T>, Closed> {
        if let Ok(at) = self.granted.binary_search(&ticket) {
            self.granted.remove(at);
            return Ok(Polled::Ready(self.idle.pop()));
        }
        let at = self.queue.binary_search_by_key(&ticket, |(ticket, _)| *ticket);
        let Some((_, kept)) = at.ok().and_then(|at| self.queue.get_mut(at)) else {
            return Err(Closed);
        };
        let same = kept.will_wake(waker);
        Ok(Polled::Pending((!same).then(|| std::mem::replace(kept, waker.clone()))))
    }

    /// Gives up a ticket, whether or not its turn has come.
    #[must_use = "the next one is to be woken"]
    pub(super) fn cancel(&mut self, ticket: u64) -> Option<Waker> {
        if let Ok(at) = self.granted.binary_search(&ticket) {
            self.granted.remove(at);
            return self.end();
        }
        if let Ok(at) = self.queue.binary_search_by_key(&ticket, |(ticket, _)| *ticket) {
            // Woken for nothing, so that it is dropped outside of the lock.
            return self.queue.remove(at).map(|(_, waker)| waker);
        }
        None
    }

    /// Ends a turn.
    #[must_use = "the next one is to be woken"]
    pub(super) fn end(&mut self) -> Option<Waker> {
        self.taken = self.taken.saturating_sub(1);
        let (ticket, waker) = self.queue.pop_front()?;
        self.taken += 1;
        self.granted.push_back(ticket);
        Some(waker)
    }

    /// Lays something down before a turn ends; gives it back where nothing may be kept.
    pub(super) fn lay_down(&mut self, item: T) -> Option<T> {
        if self.closed {
            return Some(item);
        }
        self.idle.push(item);
        None
    }

    /// More of what is idle, for whoever has a turn.
    pub(super) fn another(&mut self) -> Option<T> {
        self.idle.pop()
    }

    /// A turn to make one that lies ready, where fewer than `min` do and nobody is kept waiting.
    pub(super) fn ask_spare(&mut self, min: usize) -> bool {
        let spare = !self.closed
            && self.idle.len() < min
            && self.queue.is_empty()
            && self.taken + self.idle.len() < self.max;
        self.taken += usize::from(spare);
        spare
    }

    /// What lies idle; the first was not used for the longest time.
    pub(super) fn idle(&mut self) -> &mut Vec<T> {
        &mut self.idle
    }

    /// How many turns are given out, and how many wait for one.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.taken, self.queue.len())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Ends everything: what was idle, and who is to be told.
    pub(super) fn close(&mut self) -> (Vec<T>, Vec<Waker>) {
        self.closed = true;
        let wakers = self.queue.drain(..).map(|(_, waker)| waker).collect();
        (std::mem::take(&mut self.idle), wakers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(turns: &mut Turns<u32>) -> u64 {
        match turns.ask(Waker::noop()) {
            Ok(Turn::Wait(ticket)) => ticket,
            _ => panic!("nobody should have to wait less"),
        }
    }

    fn has_come(turns: &mut Turns<u32>, ticket: u64) -> bool {
        matches!(turns.poll(ticket, Waker::noop()), Ok(Polled::Ready(_)))
    }

    #[test]
    fn turns_come_in_order_and_idle_ones_are_used_first() {
        let mut turns = Turns::new(1);
        assert!(matches!(turns.ask(Waker::noop()), Ok(Turn::Ready(None))));
        let (first, second) = (wait(&mut turns), wait(&mut turns));
        assert!(!has_come(&mut turns, first));
        assert_eq!(turns.lay_down(7), None);
        assert!(turns.end().is_some());
        assert!(matches!(turns.ask_now(), Ok(None)), "who comes later comes later");
        assert!(!has_come(&mut turns, second));
        match turns.poll(first, Waker::noop()) {
            Ok(Polled::Ready(item)) => assert_eq!(item, Some(7)),
            _ => panic!("the turn has come, and 7 was idle"),
        }
        assert!(turns.end().is_some());
        assert!(has_come(&mut turns, second));
        assert!(turns.end().is_none());
        assert_eq!(turns.count(), (0, 0));
    }

    #[test]
    fn whoever_gives_up_takes_nothing_with_him() {
        let mut turns: Turns<u32> = Turns::new(1);
        assert!(matches!(turns.ask(Waker::noop()), Ok(Turn::Ready(None))));
        let tickets: Vec<u64> = (0..4).map(|_| wait(&mut turns)).collect();
        assert!(turns.cancel(tickets[1]).is_some());
        assert!(turns.end().is_some());
        // Its turn has come, unknown to it.
        assert!(turns.cancel(tickets[0]).is_some(), "the next one is told");
        assert!(has_come(&mut turns, tickets[2]));
        assert!(!has_come(&mut turns, tickets[3]));
        assert!(turns.cancel(tickets[0]).is_none());
        assert_eq!(turns.count(), (1, 1));
    }

    #[test]
    fn closing_tells_all_and_keeps_nothing() {
        let mut turns = Turns::new(2);
        assert!(turns.ask_spare(1));
        assert_eq!(turns.lay_down(1), None);
        assert!(turns.end().is_none());
        assert!(!turns.ask_spare(1));
        for _ in 0..2 {
            assert!(matches!(turns.ask_now(), Ok(Some(_))));
        }
        let waiting = wait(&mut turns);
        assert_eq!(turns.lay_down(1), None);
        let (idle, wakers) = turns.close();
        assert_eq!((idle.len(), wakers.len()), (1, 1));
        assert!(matches!(turns.poll(waiting, Waker::noop()), Err(Closed)));
        assert_eq!(turns.lay_down(2), Some(2));
        assert!(turns.end().is_none());
        assert!(matches!(turns.ask_now(), Err(Closed)));
    }
}
