//! Waiting until an index has read the documents that were there before it.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use super::Index;
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result, Sent};

/// The pauses between two looks: the first, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(250));

type Progress<'r> = Box<dyn FnMut(f64) + Send + 'r>;

/// Waits until an index has read the documents that were there before it: from [`Index::wait`].
///
/// [`Index::sync`] does it by itself. It is for an index that somebody else made.
///
/// Awaiting it sends `FT.INFO` at once, after 5 ms, and on with pauses that double, up to 250 ms.
///
/// ```
/// # use alizarin::prelude::*;
/// use std::time::Duration;
/// # alizarin_samples::films(async |films| {
/// films.index().wait().timeout(Duration::from_secs(60)).await?;
/// assert_eq!(films.index().info().await?.percent_indexed, 1.0);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Timeout` when the index is not done within [`timeout`](Wait::timeout); else as [`Index::info`].
///
/// # Cancel safety
/// It only reads.
#[must_use = "it waits when awaited"]
pub struct Wait<'r, M> {
    index: Index<'r, M>,
    timeout: Option<Duration>,
    progress: Option<Progress<'r>>,
}

impl<'r, M: RedisModel> Wait<'r, M> {
    pub(crate) fn new(index: Index<'r, M>) -> Wait<'r, M> {
        Wait { index, timeout: None, progress: None }
    }

    /// Waits no longer than this; without it there is no limit.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::films(async |films| {
    /// films.index().wait().timeout(Duration::from_secs(10)).await?;
    /// # Ok(()) });
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Calls `progress` after each look with how far the index is: from 0 to 1.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let mut done = 0.0;
    /// films.index().wait().on_progress(|now| done = now).await?;
    /// assert_eq!(done, 1.0);
    /// # Ok(()) });
    /// ```
    pub fn on_progress(mut self, progress: impl FnMut(f64) + Send + 'r) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    async fn run(mut self) -> Result<()> {
        // A limit too large to be a point in time is none.
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut pause = PAUSE.0;
        loop {
            let info = self.index.info().await?;
            if let Some(progress) = &mut self.progress {
                progress(info.percent_indexed);
            }
            if !info.indexing && info.percent_indexed >= 1.0 {
                return Ok(());
            }
            if deadline.is_some_and(|deadline| Instant::now() + pause > deadline) {
                let done = info.percent_indexed * 100.0;
                let message = format!("the index has read {done:.0} % of the documents so far");
                return Err(Error::new(ErrorKind::Timeout, message).with_sent(Sent::Yes));
            }
            self.index.repository.client().pause(pause).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }
}

impl<'r, M: RedisModel> IntoFuture for Wait<'r, M> {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<()>> + Send + 'r>>;

    /// Polls `FT.INFO` until the index has read everything.
    ///
    /// # Errors
    /// `Timeout` when it has not by then; else as [`Index::info`].
    ///
    /// # Cancel safety
    /// It only reads.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M> fmt::Debug for Wait<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
