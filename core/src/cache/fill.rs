//! One question to the server for all who wait for its answer.
//!
//! Nobody in particular asks it: whoever polls drives it on, so that any of those who wait may go.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use bytes::Bytes;

use super::request::Answer;
use super::shard::Value;
use super::store::{Kept, Store};
use crate::error::{Error, ErrorKind, Result};

/// The question on its way.
pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;

/// Makes the value to keep of a reply, and says how large it is.
pub(super) type Decode = fn(&Bytes) -> Result<(Value, usize)>;

/// A read under way.
pub(super) struct Fill {
    /// Where its node is.
    pub(super) part: usize,
    pub(super) node: usize,
    /// What it takes to find the command.
    pub(super) name_size: usize,
    /// When it began, before anything was sent.
    pub(super) begun: Instant,
    decode: Decode,
    waiters: AtomicUsize,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    /// `None` while somebody polls it, and once it is done.
    asking: Option<Asking>,
    outcome: Option<Result<Value>>,
    wakers: Vec<Option<Waker>>,
}

impl Fill {
    /// With one who waits.
    pub(super) fn new(part: usize, node: usize, name_size: usize, decode: Decode) -> Fill {
        Fill {
            part,
            node,
            name_size,
            begun: Instant::now(),
            decode,
            waiters: AtomicUsize::new(1),
            progress: Mutex::default(),
        }
    }

    /// What is to be polled; before anybody polls.
    pub(super) fn start(&self, asking: Asking) {
        self.progress().asking = Some(asking);
        // Whoever joined in the meantime had nothing to poll.
        self.wake_all();
    }

    /// One more waits; under the lock of the node's part.
    pub(super) fn join(&self) {
        self.waiters.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn has_waiters(&self) -> bool {
        self.waiters.load(Ordering::Acquire) > 0
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        // Nothing is half done under this lock.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_all(&self) {
        let wakers: Vec<Waker> =
            self.progress().wakers.iter_mut().filter_map(Option::take).collect();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Keeps what an answer gives, if it may be kept, and gives it to all who wait.
    pub(super) fn finish(self: &Arc<Fill>, store: &Store, answer: Result<Answer>) -> Result<Value> {
        let outcome = answer.and_then(|answer| {
            let decoded = (self.decode)(&answer.reply);
            let kept = match (&decoded, answer.source) {
                (Ok((value, size)), Some(source)) if !answer.is_error => {
                    let value = (value.clone(), *size);
                    Some(Kept::new(store, self, value, source, answer.expiry))
                }
                _ => None,
            };
            store.settle(self, kept);
            decoded.map(|(value, _)| value)
        });
        if outcome.is_err() {
            store.settle(self, None);
        }
        self.progress().outcome = Some(duplicate(&outcome));
        self.wake_all();
        outcome
    }
}

fn duplicate(outcome: &Result<Value>) -> Result<Value> {
    match outcome {
        Ok(value) => Ok(value.clone()),
        Err(error) => Err(error.duplicate()),
    }
}

impl Wake for Fill {
    fn wake(self: Arc<Fill>) {
        self.wake_all();
    }
}

/// One of those who wait for a read.
pub(super) struct Waiter {
    store: Arc<Store>,
    fill: Arc<Fill>,
    /// Which waker is its own.
    seat: Option<usize>,
}

impl Waiter {
    /// For one who is counted already.
    pub(super) fn new(store: &Arc<Store>, fill: Arc<Fill>) -> Waiter {
        Waiter { store: Arc::clone(store), fill, seat: None }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Value>> {
        let (asking, replaced) = {
            let mut progress = self.fill.progress();
            if let Some(outcome) = &progress.outcome {
                return Poll::Ready(duplicate(outcome));
            }
            let seat = *self.seat.get_or_insert_with(|| {
                progress.wakers.push(None);
                progress.wakers.len() - 1
            });
            let own = progress.wakers.get_mut(seat);
            let replaced = own.and_then(|own| own.replace(cx.waker().clone()));
            (progress.asking.take(), replaced)
        };
        drop(replaced);
        // Without it somebody else polls right now, and wakes everybody who is to go on.
        let Some(asking) = asking else { return Poll::Pending };
        let mut polling = Polling { waiter: self, asking: Some(asking) };
        polling.poll()
    }
}

/// While the question is polled; leaves no waiter behind if that panics.
struct Polling<'w> {
    waiter: &'w Waiter,
    asking: Option<Asking>,
}

impl Polling<'_> {
    fn poll(&mut self) -> Poll<Result<Value>> {
        let Waiter { store, fill, .. } = self.waiter;
        let Some(asking) = &mut self.asking else { return Poll::Pending };
        let waker = Waker::from(Arc::clone(fill));
        match asking.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => {
                fill.progress().asking = self.asking.take();
                Poll::Pending
            }
            Poll::Ready(answer) => {
                let outcome = fill.finish(store, answer);
                self.asking = None;
                Poll::Ready(outcome)
            }
        }
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        if self.asking.is_some() && self.waiter.fill.progress().outcome.is_none() {
            let error = Error::new(ErrorKind::Decode, "decoding the reply panicked");
            // Not twice, should it be that which panicked.
            self.waiter.store.settle(&self.waiter.fill, None);
            self.waiter.fill.progress().outcome = Some(Err(error));
            self.waiter.fill.wake_all();
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let last = self.fill.waiters.fetch_sub(1, Ordering::AcqRel) == 1;
        let (own, done) = {
            let mut progress = self.fill.progress();
            let own = self.seat.and_then(|seat| progress.wakers.get_mut(seat)?.take());
            (own, progress.outcome.is_some())
        };
        drop(own);
        if done {
            return;
        }
        if last && self.store.abandon(&self.fill) {
            // The connection may hold the fill as a waker: the question ends here all the same.
            let asking = self.fill.progress().asking.take();
            drop(asking);
        } else {
            // It may have been this one who was to go on.
            self.fill.wake_all();
        }
    }
}
