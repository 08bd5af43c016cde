//! One consumer of a group.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use alizarin_core::resp::{Frame, Reader};

use super::StreamId;
use super::entry::{Entries, Entry, OneStream};
use super::failure::explain;
use super::group::Group;
use super::read::options;
use crate::model::Document;
use crate::{Command, Error, FromReply, Result};

/// A consumer of a group, from [`Group::consumer`]: a name by which the server knows which entries are
/// with it. A process that starts again takes the same name, and finds them by
/// [`pending`](Consumer::pending).
pub struct Consumer<E> {
    group: Group<E>,
    name: String,
}

impl<E: Document> Consumer<E> {
    pub(super) fn new(group: Group<E>, name: String) -> Consumer<E> {
        Consumer { group, name }
    }

    /// The consumer's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Entries that no consumer of the group has had (`XREADGROUP .. >`). They stay with this one
    /// until they are acknowledged ([`Group::ack`]).
    pub fn read(&self) -> ReadGroup<'_, E> {
        ReadGroup { consumer: self, after: None, limit: None, block: None }
    }

    /// Entries that this consumer has read and not acknowledged, the oldest first (`XREADGROUP .. 0`).
    pub fn pending(&self) -> ReadGroup<'_, E> {
        ReadGroup { consumer: self, after: Some(StreamId::ZERO), limit: None, block: None }
    }

    /// Takes over entries that have been with any consumer for at least this time without being
    /// acknowledged (`XAUTOCLAIM`, Redis 6.2 or newer), 100 at most unless
    /// [`limit`](Claim::limit) says otherwise.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::streams::StreamSource as _;
    /// # use alizarin_samples::Address;
    /// # use std::time::Duration;
    /// # alizarin_samples::client(async |client, prefix| {
    /// # let moves = client.stream::<Address>(format!("{prefix}moves"));
    /// # let vienna = Address { street: "Herrengasse 14".into(), city: "Vienna".into() };
    /// # let post = moves.group("post");
    /// # post.create().await?;
    /// moves.add(&vienna).await?;
    /// assert_eq!(post.consumer("lost").read().await?.len(), 1);
    /// let claimed = post.consumer("heir").claim(Duration::ZERO).await?;
    /// assert_eq!(claimed.entries.len(), 1);
    /// assert_eq!(post.consumer("heir").pending().await?.len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn claim(&self, idle: Duration) -> Claim<'_, E> {
        Claim { consumer: self, idle, after: StreamId::ZERO, limit: None }
    }
}

impl<E> fmt::Debug for Consumer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("group", &self.group).field("name", &self.name).finish()
    }
}

/// A read of a consumer, from [`Consumer::read`] or [`Consumer::pending`].
///
/// # Errors
/// `NotFound` when there is no such group; what is wrong with single entries is in them.
///
/// # Cancel safety
/// Dropped before it is done, entries may be with the consumer that nobody has seen:
/// [`Consumer::pending`] gives them.
#[must_use = "a read does nothing until it is awaited"]
pub struct ReadGroup<'a, E> {
    consumer: &'a Consumer<E>,
    /// `None` for new entries.
    after: Option<StreamId>,
    limit: Option<u64>,
    block: Option<Duration>,
}

impl<E: Document> ReadGroup<'_, E> {
    /// At most so many (`COUNT`).
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Waits so long for a new entry (`BLOCK`), on a connection of its own; in whole milliseconds, at
    /// least one. Then there are none. What is pending is given at once.
    pub fn block(mut self, wait: Duration) -> Self {
        self.block = Some(wait);
        self
    }

    /// Of what is pending, only what comes after this entry.
    pub fn after(mut self, id: StreamId) -> Self {
        self.after = self.after.map(|_| id);
        self
    }

    async fn run(self) -> Result<Vec<Entry<E>>> {
        let Consumer { group, name } = self.consumer;
        let key = &group.stream.key;
        let mut command: Command<OneStream<E>> =
            Command::new("XREADGROUP").arg(("GROUP", &group.name, name));
        // With ids the server does not wait, whatever it is told.
        let block = if self.after.is_none() { self.block } else { None };
        command = options(command, self.limit, block);
        let after = self.after.map_or_else(|| ">".to_owned(), |id| id.to_string());
        let command = command.arg("STREAMS").key(key).arg(after);
        let read = group.stream.client.run(command).await;
        read.map(|OneStream(entries)| entries).map_err(|error| explain(error, key))
    }
}

/// A claim of what others have left lying, from [`Consumer::claim`].
///
/// # Errors
/// `NotFound` when there is no such group; `Unsupported` before Redis 6.2.
///
/// # Cancel safety
/// As [`ReadGroup`].
#[must_use = "nothing is claimed before it is awaited"]
pub struct Claim<'a, E> {
    consumer: &'a Consumer<E>,
    idle: Duration,
    after: StreamId,
    limit: Option<u64>,
}

impl<E: Document> Claim<'_, E> {
    /// At most so many (`COUNT`).
    pub fn limit(mut self, entries: u64) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Looks from this entry on: [`Claimed::next`] of the claim before.
    pub fn from(mut self, id: StreamId) -> Self {
        self.after = id;
        self
    }

    async fn run(self) -> Result<Claimed<E>> {
        let Consumer { group, name } = self.consumer;
        let key = &group.stream.key;
        let idle = u64::try_from(self.idle.as_millis()).unwrap_or(u64::MAX >> 1);
        let mut command: Command<Claimed<E>> = Command::new("XAUTOCLAIM").key(key).arg((
            &group.name,
            name,
            idle,
            self.after.to_string(),
        ));
        if let Some(limit) = self.limit {
            command = command.arg(("COUNT", limit));
        }
        group.stream.client.run(command).await.map_err(|error| explain(error, key))
    }
}

/// What a claim has brought.
#[derive(Debug)]
#[non_exhaustive]
pub struct Claimed<E> {
    /// The entries that are with this consumer now.
    pub entries: Vec<Entry<E>>,
    /// Where the next claim goes on; `None` when all were looked at.
    pub next: Option<StreamId>,
    /// Entries that were pending and have been deleted from the stream; they are pending no longer.
    pub deleted: Vec<StreamId>,
}

impl<E: Document> FromReply for Claimed<E> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Claimed<E>> {
        let parts = match reader.next()? {
            Frame::Array(parts @ 2..) => parts,
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("a claim", &frame.describe())),
        };
        let next = StreamId::from_reply(reader)?;
        let Entries(entries) = Entries::from_reply(reader)?;
        // Since Redis 7.
        let deleted = if parts > 2 { Vec::from_reply(reader)? } else { Vec::new() };
        for _ in 3..parts {
            reader.skip()?;
        }
        let next = (next != StreamId::ZERO).then_some(next);
        Ok(Claimed { entries, next, deleted })
    }
}

macro_rules! futures {
    ($($name:ident $output:ty;)+) => {$(
        impl<'a, E: Document> IntoFuture for $name<'a, E> {
            type Output = Result<$output>;
            type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(self.run())
            }
        }

        impl<E> fmt::Debug for $name<'_, E> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("consumer", self.consumer)
                    .field("limit", &self.limit)
                    .finish_non_exhaustive()
            }
        }
    )+};
}

futures! {
    ReadGroup Vec<Entry<E>>;
    Claim Claimed<E>;
}
