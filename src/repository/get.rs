//! Reading documents by their ids.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use alizarin_core::Execute;

use super::Repository;
use super::failure::explain;
use super::reads::load_behind;
use super::script::{Call, READ, storage_word};
use super::take::{Only, Take, Taken, Whole};
use crate::model::{Loaded, RedisModel, RedisProjection, place};
use crate::{Client, Command, Error, ErrorKind, Result};

/// How many documents one pipeline reads.
pub(super) const PAGE: usize = 500;

impl<M: RedisModel> Repository<M> {
    /// Reads a document (`HGETALL`, `JSON.GET`); `None` when there is none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let ann = accounts.get(&1).await?;
    /// assert_eq!(ann.map(|ann| ann.owner).as_deref(), Some("Ann"));
    /// assert_eq!(accounts.get(&99).await?, None);
    /// # Ok(()) });
    /// ```
    pub fn get<'a>(&'a self, id: &'a M::Id) -> Get<'a, M> {
        Get { repository: self, id, take: PhantomData }
    }

    /// Reads several documents in pipelines of 500 (`HGETALL`, `JSON.GET`); each comes in its id's
    /// place, `None` where there is none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let found = accounts.get_many(&[2, 99, 1]).await?;
    /// let owners: Vec<_> = found.iter().flatten().map(|account| &*account.owner).collect();
    /// assert_eq!(owners, ["Bob", "Ann"]);
    /// assert_eq!(found[1], None);
    /// # Ok(()) });
    /// ```
    pub fn get_many<'a>(&'a self, ids: impl IntoIterator<Item = &'a M::Id>) -> GetMany<'a, M> {
        let keys = ids.into_iter().map(|id| self.key(id)).collect();
        GetMany { repository: self, keys, take: PhantomData }
    }

    /// Whether there is a document with this id (`EXISTS`); the document is not read.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert!(accounts.exists(&1).await?);
    /// assert!(!accounts.exists(&99).await?);
    /// # Ok(()) });
    /// ```
    pub fn exists<'a>(&'a self, id: &'a M::Id) -> Exists<'a, M> {
        Exists { repository: self, id }
    }
}

/// A read of one document, from [`Repository::get`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// // Two reads at the same time, in one write to the server.
/// let (ann, bob) = tokio::join!(accounts.get(&1), accounts.get(&2));
/// assert_eq!(ann?.map(|ann| ann.cents), Some(500));
/// assert_eq!(bob?.map(|bob| bob.cents), Some(100));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Decode`, naming the field, for a document that does not parse; `Server(WrongType)` when the
/// key holds something else; `Unsupported` when the server has no RedisJSON.
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct Get<'a, M: RedisModel, T = Whole<M>> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    take: PhantomData<fn() -> T>,
}

impl<'a, M: RedisModel> Get<'a, M> {
    pub(super) fn repository(&self) -> &'a Repository<M> {
        self.repository
    }

    /// Reads only the fields of a [projection](derive@crate::RedisProjection) (`HMGET`, `JSON.GET`
    /// with paths).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// #[derive(Debug, PartialEq, RedisProjection)]
    /// #[redis(of = Account)]
    /// struct Balance {
    ///     cents: i64,
    /// }
    ///
    /// # alizarin_samples::accounts(async |accounts| {
    /// let balance = accounts.get(&1).project::<Balance>().await?;
    /// assert_eq!(balance, Some(Balance { cents: 500 }));
    /// assert_eq!(accounts.get(&99).project::<Balance>().await?, None);
    /// # Ok(()) });
    /// ```
    pub fn project<P: RedisProjection<Model = M>>(self) -> Get<'a, M, Only<P>> {
        Get { repository: self.repository, id: self.id, take: PhantomData }
    }
}

impl<'a, M: RedisModel, T: Take<Model = M>> IntoFuture for Get<'a, M, T> {
    type Output = Result<Option<T::Item>>;
    type IntoFuture = Loading<'a, M, T>;

    fn into_future(self) -> Loading<'a, M, T> {
        let command = T::read(self.repository.key(self.id).as_bytes());
        let reply = self.repository.client().run(command);
        Loading { repository: self.repository, id: self.id, reply }
    }
}

/// The future of a [`Get`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Loading<'a, M: RedisModel, T: Take<Model = M> = Whole<M>> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    reply: Execute<Command<Taken<T>>, &'a Client>,
}

impl<M: RedisModel, T: Take<Model = M>> Future for Loading<'_, M, T> {
    type Output = Result<Option<T::Item>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut outcome = ready!(Pin::new(&mut this.reply).poll(cx));
        // Most documents hold their id, and need no key.
        if M::KEYED
            && let Ok(Taken(Ok(Some(document)))) = &mut outcome
        {
            let key = this.repository.key(this.id);
            T::place(document, key.as_bytes()).map_err(|error| at_key(error, &key))?;
        }
        Poll::Ready(match outcome {
            Ok(Taken(Ok(found))) => Ok(found),
            Ok(Taken(Err(error))) | Err(error) => Err(at_key(error, &this.repository.key(this.id))),
        })
    }
}

impl<M: RedisModel, T: Take<Model = M>> fmt::Debug for Loading<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loading").field("key", &self.repository.key(self.id)).finish()
    }
}

impl<M: RedisModel, T> fmt::Debug for Get<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("key", &self.repository.key(self.id)).finish()
    }
}

/// A read of several documents, from [`Repository::get_many`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let ids: Vec<u32> = (1..=1000).collect();
/// let found = accounts.get_many(&ids).await?;
/// assert_eq!(found.len(), 1000);
/// assert_eq!(found.iter().flatten().count(), 2);
/// # Ok(()) });
/// ```
///
/// # Errors
/// As [`Get`], for the first document that fails.
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct GetMany<'a, M, T = Whole<M>> {
    repository: &'a Repository<M>,
    keys: Vec<String>,
    take: PhantomData<fn() -> T>,
}

impl<'a, M: RedisModel> GetMany<'a, M> {
    pub(super) fn repository(&self) -> &'a Repository<M> {
        self.repository
    }

    /// Reads only the fields of a [projection](derive@crate::RedisProjection) (`HMGET`, `JSON.GET`
    /// with paths).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// #[derive(Debug, PartialEq, RedisProjection)]
    /// #[redis(of = Account)]
    /// struct Balance {
    ///     cents: i64,
    /// }
    ///
    /// # alizarin_samples::accounts(async |accounts| {
    /// let found = accounts.get_many(&[2, 99, 1]).project::<Balance>().await?;
    /// assert_eq!(found, [Some(Balance { cents: 100 }), None, Some(Balance { cents: 500 })]);
    /// # Ok(()) });
    /// ```
    pub fn project<P: RedisProjection<Model = M>>(self) -> GetMany<'a, M, Only<P>> {
        GetMany { repository: self.repository, keys: self.keys, take: PhantomData }
    }
}

impl<'a, M: RedisModel, T: Take<Model = M>> IntoFuture for GetMany<'a, M, T> {
    type Output = Result<Vec<Option<T::Item>>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut documents = Vec::with_capacity(self.keys.len());
            for keys in self.keys.chunks(PAGE) {
                documents = load_behind::<T>(self.repository.client(), keys, documents).await?;
            }
            Ok(documents)
        })
    }
}

impl<M, T> fmt::Debug for GetMany<'_, M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GetMany").field("keys", &self.keys.len()).finish()
    }
}

/// A question after one document, from [`Repository::exists`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// accounts.delete(&1).await?;
/// assert!(!accounts.exists(&1).await?);
/// # Ok(()) });
/// ```
///
/// # Errors
/// Only those of the connection.
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct Exists<'a, M: RedisModel> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
}

impl<'a, M: RedisModel> IntoFuture for Exists<'a, M> {
    type Output = Result<bool>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let command: Command<bool> = Command::new("EXISTS").key(self.repository.key(self.id));
            self.repository.client().run(command).await
        })
    }
}

impl<M: RedisModel> fmt::Debug for Exists<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exists").field("key", &self.repository.key(self.id)).finish()
    }
}

pub(super) fn read_command<M: RedisModel>(key: &[u8]) -> Command<Loaded<M>> {
    Whole::<M>::read(key).replying()
}

/// Reads one document.
pub(crate) async fn load<M: RedisModel>(client: &Client, key: &str) -> Result<Option<M>> {
    match client.run(read_command::<M>(key.as_bytes())).await {
        Ok(loaded) => placed(loaded, key).map_err(|error| at_key(error, key)),
        Err(error) => Err(explain(error, key)),
    }
}

/// A document that was read, with the id of its key where it does not hold its own.
fn placed<M: RedisModel>(loaded: Loaded<M>, key: &str) -> Result<Option<M>> {
    let mut found = loaded.0?;
    if let Some(model) = &mut found {
        place(model, key.as_bytes())?;
    }
    Ok(found)
}

/// Reads one document with the fingerprint of its content.
pub(crate) async fn load_marked<M: RedisModel>(
    client: &Client,
    key: &str,
) -> Result<Option<(M, String)>> {
    let mut call = Call::new(&READ, key);
    call.arg(storage_word(M::SCHEMA.storage));
    let marked: Option<(String, Loaded<M>)> =
        call.run(client).await.map_err(|error| explain(error, key))?;
    let Some((fingerprint, loaded)) = marked else { return Ok(None) };
    let model = placed(loaded, key).map_err(|error| at_key(error, key))?;
    Ok(model.map(|model| (model, fingerprint)))
}

/// A decode error, naming the document.
pub(super) fn at_key(error: Error, key: &str) -> Error {
    if error.kind() == ErrorKind::Decode {
        return name_key(&error, key);
    }
    explain(error, key)
}

fn name_key(error: &Error, key: &str) -> Error {
    let message = format!("document `{key}`: {}", error.message());
    let named = Error::new(ErrorKind::Decode, message).with_sent(error.sent());
    match error.field() {
        Some(field) => named.with_field(field),
        None => named,
    }
}
