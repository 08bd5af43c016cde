//! Streams as typed logs: entries are structs, read in order, shared out among the consumers of a group.
//!
//! An entry is any struct that derives [`RedisNested`](derive@crate::RedisNested): it is stored field by
//! field, in the forms that hashes have.
//!
//! ```
//! use alizarin::prelude::*;
//! use alizarin::streams::StreamSource as _;
//!
//! #[derive(Debug, Clone, PartialEq, RedisNested)]
//! struct Order {
//!     customer: String,
//!     cents: u64,
//!     note: Option<String>,
//! }
//!
//! # alizarin_samples::client(async |client, prefix| {
//! let orders = client.stream::<Order>(format!("{prefix}orders"));
//! let billing = orders.group("billing");
//! billing.create().await?;
//!
//! orders.add(&Order { customer: "Ann".into(), cents: 500, note: None }).await?;
//!
//! let consumer = billing.consumer("worker-1");
//! for entry in consumer.read().limit(10).await? {
//!     let order = entry.value?;
//!     assert_eq!(order.customer, "Ann");
//!     billing.ack([entry.id]).await?;
//! }
//! # assert_eq!(orders.len().await?, 1);
//! # Ok(()) });
//! ```
//!
//! What a consumer has read and not acknowledged stays with it: [`Consumer::pending`] gives it again
//! after a restart, and [`Consumer::claim`] takes over what another consumer has left lying. So every
//! entry is worked on at least once; what must not happen twice is for the application to notice, by the
//! entry's id.

mod add;
mod consumer;
mod entry;
mod failure;
mod group;
mod id;
mod read;

pub use add::AddEntry;
pub use consumer::{Claim, Claimed, Consumer, ReadGroup};
pub use entry::Entry;
pub use group::{CreateGroup, Group};
pub use id::StreamId;
pub use read::{Range, ReadAfter};

use std::fmt;
use std::marker::PhantomData;

use crate::model::Document;
use crate::{Client, Command, Result};
use failure::explain;

/// What gives streams: the client.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::streams::StreamSource;
/// # use alizarin_samples::Address;
/// # alizarin_samples::client(async |client, prefix| {
/// let moves = client.stream::<Address>(format!("{prefix}moves"));
/// assert!(moves.is_empty().await?);
/// # Ok(()) });
/// ```
pub trait StreamSource {
    /// The stream at a key, with entries of type `E`. Sends nothing; the first entry makes the stream.
    fn stream<E: Document>(&self, key: impl Into<String>) -> Stream<E>;
}

impl StreamSource for Client {
    fn stream<E: Document>(&self, key: impl Into<String>) -> Stream<E> {
        Stream { client: self.clone(), key: key.into(), entry: PhantomData }
    }
}

/// A stream of entries of type `E`: cheap to clone, shared by `&self`.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin::streams::StreamSource as _;
/// # use alizarin_samples::Address;
/// # alizarin_samples::client(async |client, prefix| {
/// let moves = client.stream::<Address>(format!("{prefix}moves"));
/// let vienna = Address { street: "Herrengasse 14".into(), city: "Vienna".into() };
/// let first = moves.add(&vienna).await?;
/// let all = moves.range().await?;
/// assert_eq!((all[0].id, all.len()), (first, 1));
/// # Ok(()) });
/// ```
pub struct Stream<E> {
    client: Client,
    key: String,
    entry: PhantomData<fn() -> E>,
}

impl<E: Document> Stream<E> {
    /// The client it works on.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The stream's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Appends an entry (`XADD`); gives its id.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::streams::StreamSource as _;
    /// # use alizarin_samples::Address;
    /// # alizarin_samples::client(async |client, prefix| {
    /// # let moves = client.stream::<Address>(format!("{prefix}moves"));
    /// # let vienna = Address { street: "Herrengasse 14".into(), city: "Vienna".into() };
    /// let first = moves.add(&vienna).await?;
    /// let second = moves.add(&vienna).max_len(1_000).await?;
    /// assert!(first < second);
    /// # Ok(()) });
    /// ```
    pub fn add<'a>(&'a self, entry: &'a E) -> AddEntry<'a, E> {
        AddEntry::new(self, entry)
    }

    /// The entries between two ids, the oldest first (`XRANGE`); all unless the options say
    /// otherwise.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::streams::StreamSource as _;
    /// # use alizarin_samples::Address;
    /// # alizarin_samples::client(async |client, prefix| {
    /// # let moves = client.stream::<Address>(format!("{prefix}moves"));
    /// # let vienna = Address { street: "Herrengasse 14".into(), city: "Vienna".into() };
    /// let first = moves.add(&vienna).await?;
    /// let second = moves.add(&vienna).await?;
    /// let newest = moves.range().newest_first().limit(1).await?;
    /// assert_eq!(newest[0].id, second);
    /// assert_eq!(moves.range().after(first).await?.len(), 1);
    /// # Ok(()) });
    /// ```
    pub fn range(&self) -> Range<'_, E> {
        Range::new(self)
    }

    /// The entries after this id (`XREAD`), at once or as soon as there is one.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::streams::{StreamId, StreamSource as _};
    /// # use alizarin_samples::Address;
    /// # use std::time::Duration;
    /// # alizarin_samples::client(async |client, prefix| {
    /// # let moves = client.stream::<Address>(format!("{prefix}moves"));
    /// # let vienna = Address { street: "Herrengasse 14".into(), city: "Vienna".into() };
    /// let none = moves.read_after(StreamId::ZERO).block(Duration::from_millis(1)).await?;
    /// assert!(none.is_empty());
    /// moves.add(&vienna).await?;
    /// for entry in moves.read_after(StreamId::ZERO).await? {
    ///     assert_eq!(entry.value?, vienna);
    /// }
    /// # Ok(()) });
    /// ```
    pub fn read_after(&self, id: StreamId) -> ReadAfter<'_, E> {
        ReadAfter::new(self, id)
    }

    /// How many entries there are (`XLEN`).
    ///
    /// # Errors
    /// `Server(WrongType)` for a key of another type; else those of the connection.
    pub async fn len(&self) -> Result<u64> {
        let command: Command<u64> = Command::new("XLEN").key(&self.key);
        self.client.run(command).await.map_err(|error| explain(error, &self.key))
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// As [`len`](Stream::len).
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(self.len().await? == 0)
    }

    /// Deletes entries (`XDEL`); gives how many there were.
    ///
    /// # Errors
    /// As [`len`](Stream::len).
    pub async fn delete(&self, ids: impl IntoIterator<Item = StreamId>) -> Result<u64> {
        let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let command: Command<u64> = Command::new("XDEL").key(&self.key).arg(ids);
        self.client.run(command).await.map_err(|error| explain(error, &self.key))
    }

    /// Drops the oldest entries, so that at most `entries` stay (`XTRIM MAXLEN`); gives how many went.
    ///
    /// # Errors
    /// As [`len`](Stream::len).
    pub async fn trim(&self, entries: u64) -> Result<u64> {
        let command: Command<u64> =
            Command::new("XTRIM").key(&self.key).arg(("MAXLEN", "=", entries));
        self.client.run(command).await.map_err(|error| explain(error, &self.key))
    }

    /// A group of consumers that share the entries out among them. Sends nothing.
    pub fn group(&self, name: impl Into<String>) -> Group<E> {
        Group::new(self.clone(), name.into())
    }
}

impl<E> Clone for Stream<E> {
    fn clone(&self) -> Self {
        Stream { client: self.client.clone(), key: self.key.clone(), entry: PhantomData }
    }
}

impl<E> fmt::Debug for Stream<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("key", &self.key).finish_non_exhaustive()
    }
}
