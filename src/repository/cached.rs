//! Reading documents by their ids through a [`Cache`].

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use alizarin_core::resp::Reader;
use alizarin_core::{Cache, FetchShared};

use super::Repository;
use super::get::{PAGE, at_key, read_command};
use crate::model::{Loaded, RedisModel};
use crate::{Error, ErrorKind, FromReply, Result};

impl<M: RedisModel> Repository<M> {
    /// The same documents, read through a cache of the same server and database: those that were read before
    /// and have not changed are given from memory, as the model that was decoded then.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// use alizarin::CacheConfig;
    /// use std::sync::Arc;
    ///
    /// let cache = accounts.client().cache(CacheConfig::new()).await?;
    /// let cached = accounts.cached(&cache);
    /// let ann = cached.get(&1).await?.expect("she has an account");
    /// assert_eq!(ann.owner, "Ann");
    /// let again = cached.get(&1).await?.expect("she has an account");
    /// assert!(Arc::ptr_eq(&ann, &again));
    /// # Ok(()) });
    /// ```
    pub fn cached(&self, cache: &Cache) -> CachedRepository<M> {
        CachedRepository { repository: self.clone(), cache: cache.clone() }
    }
}

/// The documents of one model, read through a [`Cache`]: cheap to clone, shared by all tasks, by
/// `&self`. Made by [`Repository::cached`].
///
/// One cache can serve the repositories of many models. A document is read and decoded once, until
/// the server tells that it has changed: by whatever write, of whomever, also when it expires. How
/// old an answer may be is said at [`Cache`].
///
/// Writes go to the [`Repository`]. Whoever must see his own write in the next read calls
/// [`forget`](CachedRepository::forget) after it.
pub struct CachedRepository<M> {
    repository: Repository<M>,
    cache: Cache,
}

impl<M: RedisModel> CachedRepository<M> {
    /// Reads a document (`HGETALL`, `JSON.GET`), unless it is in the cache; `None` when there is
    /// none, which is kept too.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let cache = accounts.client().cache(alizarin::CacheConfig::new()).await?;
    /// let cached = accounts.cached(&cache);
    /// for _ in 0..100 {
    ///     assert_eq!(cached.get(&2).await?.map(|bob| bob.cents), Some(100));
    ///     assert_eq!(cached.get(&99).await?, None);
    /// }
    /// assert_eq!(cache.metrics().misses, 2);
    /// # Ok(()) });
    /// ```
    pub fn get(&self, id: &M::Id) -> CachedGet<'_, M> {
        self.at(self.repository.key(id))
    }

    fn at(&self, key: String) -> CachedGet<'_, M> {
        let command = read_command::<M>(key.as_bytes()).replying::<Kept<M>>();
        let elsewhere = !self.cache.reads_database_of(self.repository.client());
        CachedGet { fetch: self.cache.shared(command), key, elsewhere }
    }

    /// Reads several documents; those that are not in the cache, in pipelines of up to 500. Each
    /// comes in its id's place, `None` where there is none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let cache = accounts.client().cache(alizarin::CacheConfig::new()).await?;
    /// let cached = accounts.cached(&cache);
    /// let found = cached.get_many(&[2, 99, 1]).await?;
    /// let owners: Vec<_> = found.iter().flatten().map(|account| &*account.owner).collect();
    /// assert_eq!(owners, ["Bob", "Ann"]);
    /// assert_eq!(found[1], None);
    /// # Ok(()) });
    /// ```
    pub fn get_many<'a>(
        &'a self,
        ids: impl IntoIterator<Item = &'a M::Id>,
    ) -> CachedGetMany<'a, M> {
        let keys = ids.into_iter().map(|id| self.repository.key(id)).collect();
        CachedGetMany { cached: self, keys }
    }

    /// Has the next read of this document ask the server, whether or not it has told of a change.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let cache = accounts.client().cache(alizarin::CacheConfig::new()).await?;
    /// let cached = accounts.cached(&cache);
    /// # cached.get(&1).await?;
    /// accounts.update(&1, |ann| ann.cents += 1).await?;
    /// cached.forget(&1);
    /// assert_eq!(cached.get(&1).await?.map(|ann| ann.cents), Some(501));
    /// # Ok(()) });
    /// ```
    pub fn forget(&self, id: &M::Id) {
        self.cache.forget(self.repository.key(id));
    }

    /// The repository that it reads for.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let cache = accounts.client().cache(alizarin::CacheConfig::new()).await?;
    /// let cached = accounts.cached(&cache);
    /// assert!(cached.repository().delete(&1).await?);
    /// # Ok(()) });
    /// ```
    pub fn repository(&self) -> &Repository<M> {
        &self.repository
    }

    /// The cache that it reads through.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let cache = accounts.client().cache(alizarin::CacheConfig::new()).await?;
    /// let cached = accounts.cached(&cache);
    /// assert_eq!(cached.cache().metrics().hits, 0);
    /// # Ok(()) });
    /// ```
    pub fn cache(&self) -> &Cache {
        &self.cache
    }
}

/// A document as the cache keeps it.
struct Kept<M>(Option<Arc<M>>);

impl<M: RedisModel> FromReply for Kept<M> {
    const HELD: usize = size_of::<Self>() + size_of::<M>();

    fn from_reply(reader: &mut Reader<'_>) -> Result<Kept<M>> {
        if M::KEYED {
            let message = format!(
                "{} keeps the id in the key alone, which a cache of documents does not see",
                M::SCHEMA.layout.name()
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let Loaded(model) = Loaded::<M>::from_reply(reader)?;
        Ok(Kept(model?.map(Arc::new)))
    }
}

/// A read of one document, from [`CachedRepository::get`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// # let cache = accounts.client().cache(alizarin::CacheConfig::new()).await?;
/// let cached = accounts.cached(&cache);
/// // Asked at the same time, the server is asked once.
/// let (one, other) = tokio::join!(cached.get(&1), cached.get(&1));
/// assert_eq!(one?, other?);
/// assert_eq!((cache.metrics().misses, cache.metrics().joined), (1, 1));
/// # Ok(()) });
/// ```
///
/// # Errors
/// As [`Get`](super::Get); `Usage` when the cache is one of another database than the repository.
/// An error is not kept.
///
/// # Cancel safety
/// It only reads. Others who wait for the same document get it all the same.
#[must_use = "a read does nothing until it is awaited"]
pub struct CachedGet<'a, M: RedisModel> {
    fetch: FetchShared<'a, Kept<M>>,
    key: String,
    /// Whether the cache is one of another database.
    elsewhere: bool,
}

impl<M: RedisModel> Future for CachedGet<'_, M> {
    type Output = Result<Option<Arc<M>>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Option<Arc<M>>>> {
        let CachedGet { fetch, key, elsewhere } = self.get_mut();
        if *elsewhere {
            let message = format!("document `{key}`: the cache reads another database (`SELECT`)");
            return Poll::Ready(Err(Error::new(ErrorKind::Usage, message)));
        }
        let kept = ready!(Pin::new(fetch).poll(cx)).map_err(|error| at_key(error, key))?;
        Poll::Ready(Ok(kept.0.clone()))
    }
}

/// A read of several documents, from [`CachedRepository::get_many`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// # let cache = accounts.client().cache(alizarin::CacheConfig::new()).await?;
/// let cached = accounts.cached(&cache);
/// let ids: Vec<u32> = (1..=1000).collect();
/// assert_eq!(cached.get_many(&ids).await?.iter().flatten().count(), 2);
/// assert_eq!(cached.get_many(&ids).await?.len(), 1000);
/// assert_eq!((cache.metrics().misses, cache.metrics().hits), (1000, 1000));
/// # Ok(()) });
/// ```
///
/// # Errors
/// As [`Get`](super::Get), for the first document that fails.
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct CachedGetMany<'a, M> {
    cached: &'a CachedRepository<M>,
    keys: Vec<String>,
}

impl<'a, M: RedisModel> IntoFuture for CachedGetMany<'a, M> {
    type Output = Result<Vec<Option<Arc<M>>>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut documents = Vec::with_capacity(self.keys.len());
            let mut keys = self.keys.into_iter();
            loop {
                let reads = keys.by_ref().take(PAGE).map(|key| (self.cached.at(key), None));
                let mut reads: Vec<_> = reads.collect();
                if reads.is_empty() {
                    return Ok(documents);
                }
                poll_fn(|cx| poll_all(&mut reads, cx)).await;
                for document in reads.into_iter().filter_map(|(_, outcome)| outcome) {
                    documents.push(document?);
                }
            }
        })
    }
}

/// A read, and what it gave.
type Read<'a, M> = (CachedGet<'a, M>, Option<Result<Option<Arc<M>>>>);

/// Ready once all reads have given something.
fn poll_all<M: RedisModel>(reads: &mut [Read<'_, M>], cx: &mut Context<'_>) -> Poll<()> {
    let mut all = Poll::Ready(());
    for (read, outcome) in reads.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
        match Pin::new(read).poll(cx) {
            Poll::Ready(document) => *outcome = Some(document),
            Poll::Pending => all = Poll::Pending,
        }
    }
    all
}

impl<M> Clone for CachedRepository<M> {
    fn clone(&self) -> Self {
        CachedRepository { repository: self.repository.clone(), cache: self.cache.clone() }
    }
}

impl<M> fmt::Debug for CachedRepository<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedRepository")
            .field("repository", &self.repository)
            .field("cache", &self.cache)
            .finish()
    }
}

impl<M: RedisModel> fmt::Debug for CachedGet<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedGet").field("key", &self.key).finish_non_exhaustive()
    }
}

impl<M> fmt::Debug for CachedGetMany<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedGetMany").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}
