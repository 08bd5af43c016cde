//! Whoever waits, and what is left for him.

use bytes::BytesMut;

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

impl<T> Polled<T> {
    fn ready(self) -> Option<T> {
        match self {
            Polled::Ready(value) => Some(value),
            Polled::Pending(_) => None,
        }
    }
}

fn text(slots: &mut Slots, ticket: Ticket) -> String {
    use crate::resp::FromReply;
    let mut place = None;
    slots.poll(ticket, &waker(), &mut place).ready().unwrap().unwrap();
    String::from_reply(&mut place.unwrap().reader()).unwrap()
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
        assert_eq!(text(&mut slots, tickets[n]), n.to_string());
    }
    assert_eq!(slots.free.len(), 5);
}

#[test]
fn slots_are_reused() {
    let mut slots = Slots::default();
    for n in 0..100 {
        let ticket = slots.join(Some(waker()), entry(n));
        assert!(slots.poll(ticket, &waker(), &mut None).ready().is_none());
        slots.deliver(reply("+x\r\n"));
        assert_eq!(text(&mut slots, ticket), "x");
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
    let first = slots.queue(waker(), 10, 0);
    let second = slots.queue(waker(), 20, 0);
    let third = slots.queue(waker(), 30, 0);
    assert!(slots.redeem(first, &waker()).ready().is_none());
    slots.cancel(second);
    assert!(slots.grant(0).is_some());
    assert!(slots.redeem(third, &waker()).ready().is_none());
    assert_eq!((slots.in_flight(), slots.granted_bytes()), (1, 10));
    slots.cancel(first);
    assert_eq!((slots.in_flight(), slots.granted_bytes()), (0, 0));
    assert_eq!(slots.next_queued(), Some(30));
    slots.grant(0);
    assert!(slots.redeem(third, &waker()).ready().unwrap().is_ok());
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
    assert!(slots.poll(failed, &waker(), &mut None).ready().unwrap().is_err());
    assert!(slots.poll(kept, &waker(), &mut None).ready().is_none());
}
