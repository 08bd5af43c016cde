//! What is told of a change of the active database.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;

use crate::error::{Error, ErrorKind, Result};

/// A reader that falls behind by more than this misses switches.
const KEPT: usize = 64;

/// The active database changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Switch {
    /// The name of the one before; `None` when there was none.
    pub from: Option<String>,
    /// The name of the one that is active now; `None` when none is healthy.
    pub to: Option<String>,
    /// Why.
    pub reason: SwitchReason,
}

/// Why the active database changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SwitchReason {
    /// The one before failed.
    Failed,
    /// None was healthy, and now one is.
    Recovered,
    /// A healthy one has a higher weight than the one before.
    Preferred,
    /// The program chose it ([`Multi::set_active`](super::Multi::set_active)).
    Chosen,
    /// The one before was removed.
    Removed,
}

/// A stream of the switches from now on; made by [`Multi::switches`](super::Multi::switches). It
/// ends with the client. A reader that falls behind by more than 64 gets a `TooMany` error in
/// place of those that it missed.
pub struct Switches(pub(super) Arc<Queue>);

/// What one reader has not read yet.
#[derive(Default)]
pub(super) struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    switches: VecDeque<Switch>,
    missed: u64,
    ended: bool,
    waker: Option<Waker>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, switch: &Switch) {
        let mut waiting = self.lock();
        if waiting.switches.len() >= KEPT {
            waiting.missed += waiting.switches.drain(..).count() as u64;
        }
        waiting.switches.push_back(switch.clone());
        wake(waiting);
    }

    pub(super) fn end(&self) {
        let mut waiting = self.lock();
        waiting.ended = true;
        wake(waiting);
    }
}

fn wake(mut waiting: MutexGuard<'_, Waiting>) {
    let waker = waiting.waker.take();
    drop(waiting);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Switches {
    /// The next switch; also available as a `Stream`.
    ///
    /// # Errors
    /// `TooMany` in place of switches that were missed; the stream goes on.
    ///
    /// # Cancel safety
    /// Cancel safe: nothing is lost when the future is dropped.
    #[expect(clippy::should_implement_trait, reason = "the name that streams give it")]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<Switch>>> + Send + '_ {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
    }
}

impl Stream for Switches {
    type Item = Result<Switch>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut waiting = self.0.lock();
        if waiting.missed > 0 {
            let text = format!("{} switches were not read in time", waiting.missed);
            waiting.missed = 0;
            return Poll::Ready(Some(Err(Error::new(ErrorKind::TooMany, text))));
        }
        if let Some(switch) = waiting.switches.pop_front() {
            return Poll::Ready(Some(Ok(switch)));
        }
        if waiting.ended {
            return Poll::Ready(None);
        }
        waiting.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for Switches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Switches")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(name: usize) -> Switch {
        Switch { from: None, to: Some(name.to_string()), reason: SwitchReason::Recovered }
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_what_it_missed() {
        let mut switches = Switches(Arc::default());
        let queue = Arc::clone(&switches.0);
        let reader = tokio::spawn(async move {
            let first = switches.next().await;
            (first, switches)
        });
        queue.push(&switch(0));
        let (first, mut switches) = reader.await.unwrap();
        assert_eq!(first.unwrap().unwrap(), switch(0));
        (0..=KEPT).for_each(|name| queue.push(&switch(name)));
        let missed = switches.next().await.unwrap().unwrap_err();
        assert_eq!(missed.kind(), ErrorKind::TooMany);
        assert!(missed.message().starts_with("64 "), "{missed}");
        assert_eq!(switches.next().await.unwrap().unwrap(), switch(KEPT));
        queue.end();
        assert!(switches.next().await.is_none());
    }
}
