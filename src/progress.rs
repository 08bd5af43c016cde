//! How far something long is: told to a closure, or read from a stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::Result;

/// Whom the work tells how far it is.
pub(crate) struct Reporter<'r, T>(Option<Box<dyn FnMut(T) + Send + 'r>>);

impl<'r, T> Reporter<'r, T> {
    /// Nobody.
    pub(crate) fn none() -> Reporter<'r, T> {
        Reporter(None)
    }

    pub(crate) fn to(tell: impl FnMut(T) + Send + 'r) -> Reporter<'r, T> {
        Reporter(Some(Box::new(tell)))
    }

    /// Tells it, and lets whoever reads the stream have it before the work goes on.
    pub(crate) async fn tell(&mut self, value: T) {
        let Some(tell) = &mut self.0 else { return };
        tell(value);
        let mut told = false;
        poll_fn(|context| {
            if std::mem::replace(&mut told, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

type Work<'r> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'r>>;

/// Work that tells how far it is while it is done: a `Stream`, and usable without one by
/// [`Progress::next`]. From the `progress` methods of long operations.
///
/// The work goes on only while the stream is read, and ends with the stream. An error is its last
/// item.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::SyncProgress;
/// # alizarin_samples::films(async |films| {
/// let mut steps = films.index().rebuild().progress();
/// while let Some(step) = steps.next().await.transpose()? {
///     if let SyncProgress::Reading { done, .. } = step {
///         println!("{:.0} %", done * 100.0);
///     }
/// }
/// # Ok(()) });
/// ```
///
/// # Cancel safety
/// Dropped, the work stops where it is, as if its future had been dropped.
#[must_use = "a stream does nothing until it is polled"]
pub struct Progress<'r, T> {
    work: Option<Work<'r>>,
    ready: Arc<Mutex<VecDeque<T>>>,
}

impl<'r, T: Send + 'r> Progress<'r, T> {
    /// The steps of the work that `begin` makes.
    pub(crate) fn new(begin: impl FnOnce(Reporter<'r, T>) -> Work<'r>) -> Progress<'r, T> {
        let ready = Arc::new(Mutex::new(VecDeque::new()));
        let told = Arc::clone(&ready);
        let reporter = Reporter::to(move |value| {
            told.lock().unwrap_or_else(PoisonError::into_inner).push_back(value);
        });
        Progress { work: Some(begin(reporter)), ready }
    }
}

impl<T> Progress<'_, T> {
    /// The next step; `None` when the work is done.
    ///
    /// # Errors
    /// That of the work, which ends it.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn pop(&self) -> Option<T> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

impl<T> Stream for Progress<'_, T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(value) = self.pop() {
            return Poll::Ready(Some(Ok(value)));
        }
        let Some(work) = &mut self.work else { return Poll::Ready(None) };
        let outcome = work.as_mut().poll(context);
        let told = self.pop();
        match outcome {
            Poll::Pending => told.map_or(Poll::Pending, |value| Poll::Ready(Some(Ok(value)))),
            Poll::Ready(outcome) => {
                self.work = None;
                match (told, outcome) {
                    (Some(value), Ok(())) => Poll::Ready(Some(Ok(value))),
                    (_, Err(error)) => Poll::Ready(Some(Err(error))),
                    (None, Ok(())) => Poll::Ready(None),
                }
            }
        }
    }
}

impl<T> fmt::Debug for Progress<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("done", &self.work.is_none()).finish_non_exhaustive()
    }
}
