//! Groups of consumers.

use std::fmt;
use std::pin::Pin;

use super::consumer::Consumer;
use super::failure::explain;
use super::{Stream, StreamId};
use crate::model::Document;
use crate::{Command, Result};

/// A group of consumers: each entry goes to one of them, and stays with it until it is acknowledged.
/// From [`Stream::group`].
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin::streams::StreamSource as _;
/// # use alizarin_samples::Address;
/// # alizarin_samples::client(async |client, prefix| {
/// # let moves = client.stream::<Address>(format!("{prefix}moves"));
/// # let vienna = Address { street: "Herrengasse 14".into(), city: "Vienna".into() };
/// let post = moves.group("post");
/// assert!(post.create().await?);
/// assert!(!post.create().await?);
/// moves.add(&vienna).await?;
/// moves.add(&vienna).await?;
/// assert_eq!(post.consumer("one").read().limit(1).await?.len(), 1);
/// assert_eq!(post.consumer("two").read().await?.len(), 1);
/// assert_eq!(post.pending().await?, 2);
/// # Ok(()) });
/// ```
pub struct Group<E> {
    pub(super) stream: Stream<E>,
    pub(super) name: String,
}

impl<E: Document> Group<E> {
    pub(super) fn new(stream: Stream<E>, name: String) -> Group<E> {
        Group { stream, name }
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the group, and the stream where there is none (`XGROUP CREATE .. MKSTREAM`); gives
    /// whether it is new. It begins with the entries that come from now on, unless
    /// [`from_start`](CreateGroup::from_start) or [`after`](CreateGroup::after) says otherwise.
    pub fn create(&self) -> CreateGroup<'_, E> {
        CreateGroup { group: self, after: None }
    }

    /// Ends the group and forgets what is pending (`XGROUP DESTROY`); gives whether there was one.
    ///
    /// # Errors
    /// `Server(WrongType)` for a key of another type.
    pub async fn destroy(&self) -> Result<bool> {
        let key = &self.stream.key;
        let command: Command<bool> = Command::new("XGROUP").arg("DESTROY").key(key).arg(&self.name);
        self.stream.client.run(command).await.map_err(|error| explain(error, key))
    }

    /// Says that entries are done with (`XACK`); gives how many were pending.
    ///
    /// # Errors
    /// `Server(WrongType)` for a key of another type.
    pub async fn ack(&self, ids: impl IntoIterator<Item = StreamId>) -> Result<u64> {
        let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
        if ids.is_empty() {
            return Ok(0);
        }
        let key = &self.stream.key;
        let command: Command<u64> = Command::new("XACK").key(key).arg(&self.name).arg(ids);
        self.stream.client.run(command).await.map_err(|error| explain(error, key))
    }

    /// How many entries were read and not acknowledged yet, by all consumers (`XPENDING`).
    ///
    /// # Errors
    /// `NotFound` when there is no such group.
    pub async fn pending(&self) -> Result<u64> {
        let key = &self.stream.key;
        let command: Command<(u64, crate::Value, crate::Value, crate::Value)> =
            Command::new("XPENDING").key(key).arg(&self.name);
        let summary = self.stream.client.run(command).await;
        summary.map(|(count, ..)| count).map_err(|error| explain(error, key))
    }

    /// One of the group's consumers, which need not be made before. Sends nothing.
    pub fn consumer(&self, name: impl Into<String>) -> Consumer<E> {
        Consumer::new(self.clone(), name.into())
    }
}

impl<E> Clone for Group<E> {
    fn clone(&self) -> Self {
        Group { stream: self.stream.clone(), name: self.name.clone() }
    }
}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("stream", &self.stream.key)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A group being made, from [`Group::create`].
///
/// # Errors
/// `Server(WrongType)` for a key of another type.
///
/// # Cancel safety
/// Dropped before it is done, there may be the group or not.
#[must_use = "nothing is made before it is awaited"]
pub struct CreateGroup<'a, E> {
    group: &'a Group<E>,
    after: Option<StreamId>,
}

impl<E: Document> CreateGroup<'_, E> {
    /// It begins with the stream's oldest entry.
    pub fn from_start(self) -> Self {
        self.after(StreamId::ZERO)
    }

    /// It begins after this entry.
    pub fn after(mut self, id: StreamId) -> Self {
        self.after = Some(id);
        self
    }

    async fn run(self) -> Result<bool> {
        let Group { stream, name } = self.group;
        let after = self.after.map_or_else(|| "$".to_owned(), |id| id.to_string());
        let command: Command<()> = Command::new("XGROUP").arg("CREATE").key(&stream.key);
        match stream.client.run(command.arg((name, after, "MKSTREAM"))).await {
            Ok(()) => Ok(true),
            Err(error) if error.message().contains("BUSYGROUP") => Ok(false),
            Err(error) => Err(explain(error, &stream.key)),
        }
    }
}

impl<'a, E: Document> IntoFuture for CreateGroup<'a, E> {
    type Output = Result<bool>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<E> fmt::Debug for CreateGroup<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateGroup")
            .field("group", self.group)
            .field("after", &self.after)
            .finish()
    }
}
