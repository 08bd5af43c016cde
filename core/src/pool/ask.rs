//! Waiting for a turn.

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::held::{Conn, Held};
use super::turns::{Closed, Polled, Turn};
use super::{Pool, State, within};
use crate::error::{Error, ErrorKind, Result};

/// A place among those who wait, if there is one yet; dropping it gives it up.
struct Ask<'p> {
    pool: &'p Pool,
    ticket: Option<u64>,
}

impl Ask<'_> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<Option<Box<Conn>>>> {
        let mut state = self.pool.state();
        let replaced;
        let given = match self.ticket {
            None => match state.turns.ask(waker) {
                Ok(Turn::Ready(idle)) => Ok(idle),
                Ok(Turn::Wait(ticket)) => {
                    self.ticket = Some(ticket);
                    return Poll::Pending;
                }
                Err(Closed) => Err(closed()),
            },
            Some(ticket) => match state.turns.poll(ticket, waker) {
                Ok(Polled::Ready(idle)) => Ok(idle),
                Ok(Polled::Pending(waker)) => {
                    replaced = waker;
                    drop(state);
                    drop(replaced);
                    return Poll::Pending;
                }
                Err(Closed) => Err(closed()),
            },
        };
        self.ticket = None;
        Poll::Ready(given)
    }
}

impl Drop for Ask<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let waker = self.pool.state().turns.cancel(ticket);
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// A turn in the pool, in the order in which it was asked for; with `left`, no longer than that.
///
/// # Cancel safety
/// A dropped future gives up its place, or passes its turn on.
pub(super) async fn turn<P: Deref<Target = Pool>>(
    pool: P,
    left: Option<Duration>,
) -> Result<Held<P>> {
    if pool.is_blocking() {
        return turn_here(pool, left);
    }
    let wait = within(pool.config.pool.wait, left);
    let given = {
        let mut ask = Ask { pool: &pool, ticket: None };
        let asked = poll_fn(|cx: &mut Context<'_>| ask.poll(cx.waker()));
        tokio::time::timeout(wait, asked).await
    };
    match given {
        Ok(given) => Ok(Held::new(pool, given?)),
        Err(_) => Err(late(&mut pool.state(), wait)),
    }
}

/// The same, on this thread.
pub(super) fn turn_here<P: Deref<Target = Pool>>(
    pool: P,
    left: Option<Duration>,
) -> Result<Held<P>> {
    let at_once = pool.state().turns.ask_now();
    match at_once {
        Ok(Some(idle)) => return Ok(Held::new(pool, idle)),
        Ok(None) => {}
        Err(Closed) => return Err(closed()),
    }
    let wait = within(pool.config.pool.wait, left);
    let given = wait_here(&pool, wait);
    match given {
        Some(given) => Ok(Held::new(pool, given?)),
        None => Err(late(&mut pool.state(), wait)),
    }
}

/// `None` when the time is over.
fn wait_here(pool: &Pool, wait: Duration) -> Option<Result<Option<Box<Conn>>>> {
    let until = Instant::now() + wait;
    let waker = Waker::from(Arc::new(Parked(thread::current())));
    let mut ask = Ask { pool, ticket: None };
    loop {
        if let Poll::Ready(given) = ask.poll(&waker) {
            return Some(given);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

fn late(state: &mut State, wait: Duration) -> Error {
    state.timeouts += 1;
    let (taken, _) = state.turns.count();
    let text = format!(
        "no connection of the pool became free within {wait:?}: {taken} are in use (`pool_max`)"
    );
    Error::new(ErrorKind::Timeout, text)
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the client is closed")
}
