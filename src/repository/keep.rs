//! Extending a lock while work goes on, and telling of its loss.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::thread::{self, Thread};
use std::time::Duration;

use tokio::time::Instant;

use super::lock::{Extension, Held};
use crate::blocking::Run as _;
use crate::{Error, ErrorKind, Result};

/// So often within one lease it is extended: one attempt may fail and the lock is still held.
const TIMES: u32 = 3;

/// The shortest time between two attempts.
const SHORTEST: Duration = Duration::from_millis(1);

impl Held {
    /// Awaits `work` while the lease is extended; drops it where the lock is lost.
    ///
    /// # Errors
    /// `LockLost`; what the work gives.
    pub(crate) async fn during<T>(
        &self,
        document: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let extension = self.extension(self.lease)?;
        let keeper = Keeper {
            extension,
            document: document.to_owned(),
            lease: self.lease,
            since: Arc::clone(&self.since),
        };
        if keeper.extension.client.is_blocking() {
            return keeper.on_a_thread(work).await;
        }
        let mut keeping = pin!(keeper.keep());
        let mut work = pin!(work);
        poll_fn(|cx| {
            // Of a process that stood still both may be ready: what the work did comes too late.
            match keeping.as_mut().poll(cx) {
                Poll::Ready(lost) => Poll::Ready(Err(lost)),
                Poll::Pending => work.as_mut().poll(cx),
            }
        })
        .await
    }
}

/// Extends a lock until it is lost.
struct Keeper {
    extension: Extension,
    document: String,
    lease: Duration,
    /// When the server was last asked to begin the lease.
    since: Arc<Mutex<Instant>>,
}

/// How the thread of a keeper is told to end, and what it tells.
#[derive(Default)]
struct Watch {
    ended: bool,
    lost: Option<Error>,
}

/// Ends the thread also where the work is dropped.
struct Ending {
    watch: Arc<Mutex<Watch>>,
    thread: Thread,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        self.thread.unpark();
    }
}

impl Keeper {
    /// Ends with the reason for which the lock is lost.
    async fn keep(self) -> Error {
        loop {
            tokio::time::sleep_until(self.due()).await;
            let asked = Instant::now();
            let until = self.until();
            let answer = tokio::time::timeout_at(until, self.extension.send(&self.document));
            let failure = match answer.await {
                Ok(Ok(())) => {
                    self.held_since(asked);
                    continue;
                }
                Ok(Err(error)) if error.kind() == ErrorKind::LockLost => return error,
                Ok(Err(error)) => Some(error),
                Err(_) => None,
            };
            if Instant::now() >= until {
                return self.lost(failure);
            }
            tokio::time::sleep_until(after(asked, self.pause()).min(until)).await;
        }
    }

    /// The same beside work on a blocking client, which gives nobody else a turn on its thread.
    async fn on_a_thread<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let watch = Arc::new(Mutex::new(Watch::default()));
        let watched = Arc::clone(&watch);
        let keeping = thread::Builder::new()
            .name("alizarin-lock".to_owned())
            .spawn(move || self.keep_blocking(&watched))
            .map_err(|error| {
                Error::new(ErrorKind::Unsupported, "no thread to extend the lock can be started")
                    .with_source(error)
            })?;
        let ending = Ending { watch, thread: keeping.thread().clone() };
        let outcome = work.await;
        let lost = ending.watch.lock().unwrap_or_else(PoisonError::into_inner).lost.take();
        lost.map_or(outcome, Err)
    }

    fn keep_blocking(self, watch: &Mutex<Watch>) {
        let mut due = self.due();
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if watch.lock().unwrap_or_else(PoisonError::into_inner).ended {
                return;
            }
            if !left.is_zero() {
                thread::park_timeout(left);
                continue;
            }
            let asked = Instant::now();
            let lost = match self.extension.send(&self.document).run() {
                Ok(()) => {
                    self.held_since(asked);
                    due = self.due();
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::LockLost => error,
                Err(error) if Instant::now() >= self.until() => self.lost(Some(error)),
                Err(_) => {
                    due = after(asked, self.pause()).min(self.until());
                    continue;
                }
            };
            watch.lock().unwrap_or_else(PoisonError::into_inner).lost = Some(lost);
            return;
        }
    }

    /// When the lock is extended next.
    fn due(&self) -> Instant {
        after(self.since(), self.lease / TIMES)
    }

    /// Later than this the lock counts as lost.
    fn until(&self) -> Instant {
        after(self.since(), self.lease)
    }

    fn since(&self) -> Instant {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_since(&self, asked: Instant) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = asked;
    }

    /// What lies between an attempt that failed and the next one.
    fn pause(&self) -> Duration {
        (self.lease / (TIMES * TIMES)).max(SHORTEST)
    }

    fn lost(&self, failure: Option<Error>) -> Error {
        let message = format!(
            "the lock of `{}` could not be extended before its lease ended; nothing was written",
            self.document
        );
        let lost = Error::new(ErrorKind::LockLost, message);
        match failure {
            Some(failure) => lost.with_source(failure),
            None => lost,
        }
    }
}

/// A later instant; for a lease that no clock can count, one in thirty years.
fn after(instant: Instant, time: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    instant.checked_add(time).unwrap_or_else(|| instant + FAR)
}
