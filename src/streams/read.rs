//! Reading entries, without a group.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::entry::{Entries, Entry, OneStream};
use super::failure::explain;
use super::{Stream, StreamId};
use crate::model::Document;
use crate::{Command, Result};

/// A read of entries between two ids, from [`Stream::range`].
///
/// # Errors
/// `Server(WrongType)` for a key of another type; what is wrong with single entries is in them.
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct Range<'a, E> {
    stream: &'a Stream<E>,
    first: String,
    last: String,
    newest: bool,
    limit: Option<u64>,
}

impl<'a, E: Document> Range<'a, E> {
    pub(super) fn new(stream: &'a Stream<E>) -> Range<'a, E> {
        let (first, last) = ("-".to_owned(), "+".to_owned());
        Range { stream, first, last, newest: false, limit: None }
    }

    /// From this entry on.
    pub fn from(mut self, id: StreamId) -> Self {
        self.first = id.to_string();
        self
    }

    /// From the first entry after this one on.
    pub fn after(mut self, id: StreamId) -> Self {
        self.first = format!("({id}");
        self
    }

    /// Up to this entry.
    pub fn until(mut self, id: StreamId) -> Self {
        self.last = id.to_string();
        self
    }

    /// At most so many (`COUNT`).
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// The newest first (`XREVRANGE`).
    pub fn newest_first(mut self) -> Self {
        self.newest = true;
        self
    }

    async fn run(self) -> Result<Vec<Entry<E>>> {
        let key = &self.stream.key;
        let mut command: Command<Entries<E>> = match self.newest {
            true => Command::new("XREVRANGE").key(key).arg((&self.last, &self.first)),
            false => Command::new("XRANGE").key(key).arg((&self.first, &self.last)),
        };
        if let Some(limit) = self.limit {
            command = command.arg(("COUNT", limit));
        }
        let read = self.stream.client.run(command).await;
        read.map(|Entries(entries)| entries).map_err(|error| explain(error, key))
    }
}

/// A read of what comes after an id, from [`Stream::read_after`].
///
/// # Errors
/// As [`Range`].
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct ReadAfter<'a, E> {
    stream: &'a Stream<E>,
    after: StreamId,
    limit: Option<u64>,
    block: Option<Duration>,
}

impl<'a, E: Document> ReadAfter<'a, E> {
    pub(super) fn new(stream: &'a Stream<E>, after: StreamId) -> ReadAfter<'a, E> {
        ReadAfter { stream, after, limit: None, block: None }
    }

    /// At most so many (`COUNT`).
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Waits so long for the first entry (`BLOCK`), on a connection of its own; in whole
    /// milliseconds, at least one. Then there are none.
    pub fn block(mut self, wait: Duration) -> Self {
        self.block = Some(wait);
        self
    }

    async fn run(self) -> Result<Vec<Entry<E>>> {
        let mut command: Command<OneStream<E>> = Command::new("XREAD");
        command = options(command, self.limit, self.block);
        let key = &self.stream.key;
        let command = command.arg("STREAMS").key(key).arg(self.after.to_string());
        let read = self.stream.client.run(command).await;
        read.map(|OneStream(entries)| entries).map_err(|error| explain(error, key))
    }
}

/// `COUNT` and `BLOCK`.
pub(super) fn options<R>(
    mut command: Command<R>,
    limit: Option<u64>,
    block: Option<Duration>,
) -> Command<R> {
    if let Some(limit) = limit {
        command = command.arg(("COUNT", limit));
    }
    if let Some(wait) = block {
        let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX >> 1);
        command = command.arg(("BLOCK", milliseconds.max(1)));
    }
    command
}

macro_rules! futures {
    ($($name:ident)+) => {$(
        impl<'a, E: Document> IntoFuture for $name<'a, E> {
            type Output = Result<Vec<Entry<E>>>;
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.run())
            }
        }

        impl<E> fmt::Debug for $name<'_, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("stream", &self.stream)
                    .field("limit", &self.limit)
                    .finish_non_exhaustive()
            }
        }
    )+};
}

futures! { Range ReadAfter }
