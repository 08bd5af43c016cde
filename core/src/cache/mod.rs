//! Replies kept in the client, until the server says that they have changed.
//!
//! `keys` says what may be kept, `store` and `shard` keep it, `fill` asks the server once for all
//! who wait, `request` is what is sent, `sink` takes what the server tells, `line` is the way to a
//! deployment, `direct` that of blocking clients, `seats` that of a cluster's, and `several` that of
//! a client of several databases.

mod config;
mod direct;
mod fetch;
mod fill;
mod keys;
mod line;
mod request;
mod seats;
mod several;
mod shard;
mod sink;
mod store;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use config::CacheConfig;
pub(crate) use config::Tracking;
pub use fetch::{Fetch, FetchShared};
pub use store::CacheMetrics;

use line::Line;
use several::Several;
use store::Store;

use crate::client::Client;
use crate::command::IntoCommand;
use crate::commands;
use crate::error::Result;
use crate::resp::{FromReply, Packed, ToArgs};

/// A server that has said nothing for so long is asked for a sign of life.
const SILENCE: Duration = Duration::from_secs(1);

/// Replies kept in this process, until the server says that they have changed: cheap to clone,
/// shared by all tasks, by `&self`. Made by [`Client::cache`].
///
/// A read that was made before is answered from memory; any other is sent, once for all who ask for
/// it at the same time. The server remembers what the cache has read (`CLIENT TRACKING`), and tells
/// it of every change: writes of any client, scripts, renames, expiry, eviction, flushes.
///
/// ```
/// # alizarin_core::__example!(client => {
/// use alizarin_core::CacheConfig;
/// use alizarin_core::commands::hgetall;
/// use std::collections::HashMap;
///
/// client.set("greeting", "hello").await?;
/// let cache = client.cache(CacheConfig::new()).await?;
/// let greeting: Option<String> = cache.get("greeting").await?;
/// assert_eq!(greeting.as_deref(), Some("hello"));
/// let again: Option<String> = cache.get("greeting").await?;
/// assert_eq!(again, greeting);
/// assert_eq!((cache.metrics().misses, cache.metrics().hits), (1, 1));
///
/// // Any command that reads keys, decoded as its result is used.
/// let user: HashMap<String, String> = cache.run(hgetall("user:1")).await?;
/// assert!(user.is_empty());
/// # });
/// ```
///
/// # What may be kept
///
/// Commands that only read, name their keys, and are answered alike as long as these stay: `GET`,
/// `MGET`, `HGETALL`, `JSON.GET`, `ZRANGE`, `SINTER` and so on. A missing key is kept as such; an
/// error is not kept. Others (`TTL`, `SRANDMEMBER`, `SCAN`, `FT.SEARCH`, scripts, writes) are
/// refused with a `Usage` error before anything is sent. A command that is not known, as one of a
/// module, can be read if it is marked as [`READ`](crate::command::Flags::READ) and has one key,
/// given by [`Command::key`](crate::Command::key).
///
/// # How old an answer may be
///
/// The server tells of a change as it happens, but not before the writer has its answer: for the
/// time that the message travels, the cache gives what was there before. Whoever has written and
/// must see it calls [`Cache::forget`] after the write. An answer is never older than a change
/// that the client has been told of, also where both cross on the way.
///
/// When the connection is lost, the cache is emptied at once, and works again when it is back. A
/// connection that has been silent for a second is asked for a sign (`PING`); a server that then
/// gives none within [`Config::response_timeout`](crate::Config::response_timeout) counts as lost,
/// so no answer is older than these together, or than [`CacheConfig::ttl`].
///
/// Of some changes no server tells: of fields of a hash that expire (`HEXPIRE`) before it removes
/// them, and of `SWAPDB`.
///
/// # Topologies
///
/// The cache has a connection of its own, which speaks RESP3; the client's stays as it is. On a
/// cluster it has one to each primary, reads from primaries alone, and keeps what was read from a
/// node as long as that node serves the slot and its connection lives; commands over several slots
/// are answered, and not kept. Who serves a slot is asked every second, so a key that was missing,
/// and is written to its slot's next node, is answered as missing for about a second. Of several
/// databases ([`Multi`](crate::multi::Multi)) it reads the one in use, and gives what it has from
/// another only when that is in use again and has told of changes all the time. A blocking client's cache has no task that listens: each read
/// first takes in what the server has said, which costs a look at the socket, and one thread reads
/// from a server at a time.
#[derive(Clone)]
pub struct Cache {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<Store>,
    home: Home,
}

/// Where it reads.
enum Home {
    One(Line),
    Several(Several),
}

impl Client {
    /// A cache of what is read from this client's server, on a connection of its own
    /// (`CLIENT TRACKING`).
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::CacheConfig;
    ///
    /// let cache = client.cache(CacheConfig::new().max_entries(1_000)).await?;
    /// let none: Option<String> = cache.get("none").await?;
    /// assert_eq!((none, cache.metrics().entries), (None, 1));
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future closes the new connection.
    ///
    /// # Errors
    /// `Usage` when the options contradict each other; `Unsupported` when the server cannot tell of
    /// changes, or only in RESP2; else as [`Client::connect`].
    pub async fn cache(&self, config: CacheConfig) -> Result<Cache> {
        config.check()?;
        let store = Arc::new(Store::new(config));
        let tracking = Tracking::new(Arc::clone(&store));
        let home = match self.databases() {
            Some(databases) => Home::Several(Several::connect(self, databases, tracking).await?),
            None => Home::One(Line::open(self, tracking).await?),
        };
        Ok(Cache { inner: Arc::new(Inner { store, home }) })
    }
}

impl Cache {
    /// The value at a key (`GET`); `Option` for what may be missing.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// # let cache = client.cache(alizarin_core::CacheConfig::new()).await?;
    /// client.set("visits", 7).await?;
    /// let visits: u64 = cache.get("visits").await?;
    /// assert_eq!(visits, 7);
    /// # });
    /// ```
    ///
    /// # Errors
    /// As [`Cache::run`].
    pub fn get<R: FromReply>(&self, key: impl ToArgs) -> Fetch<'_, R> {
        Fetch::new(self, commands::get(key))
    }

    /// The reply to a command that reads; the same bytes are decoded for each caller.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// # let cache = client.cache(alizarin_core::CacheConfig::new()).await?;
    /// use alizarin_core::commands::{mget, zscore};
    ///
    /// client.zadd("scores", (1.5, "ann")).await?;
    /// assert_eq!(cache.run(zscore("scores", "ann")).await?, Some(1.5));
    /// let values: Vec<Option<u64>> = cache.run(mget(["a", "b"])).await?;
    /// assert_eq!(values, [None, None]);
    /// # });
    /// ```
    ///
    /// # Errors
    /// `Usage` for a command whose reply cannot be kept, or for a key outside of
    /// [`CacheConfig::broadcast`]; else as the command itself.
    pub fn run<C: IntoCommand>(&self, command: C) -> Fetch<'_, C::Reply> {
        Fetch::new(self, command.into_command())
    }

    /// The reply to a command that reads, decoded once for all who ask for it as this type.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// # let cache = client.cache(alizarin_core::CacheConfig::new()).await?;
    /// use alizarin_core::commands::lrange;
    /// use std::sync::Arc;
    ///
    /// client.rpush("names", ["Ann", "Bob"]).await?;
    /// let names: Arc<Vec<String>> = cache.shared(lrange("names", 0, -1)).await?;
    /// let again: Arc<Vec<String>> = cache.shared(lrange("names", 0, -1)).await?;
    /// assert!(Arc::ptr_eq(&names, &again));
    /// # });
    /// ```
    ///
    /// # Errors
    /// As [`Cache::run`].
    pub fn shared<C>(&self, command: C) -> FetchShared<'_, C::Reply>
    where
        C: IntoCommand<Reply: Send + Sync + 'static>,
    {
        FetchShared::new(self, command.into_command())
    }

    /// Drops what concerns these keys, and keeps nothing of reads that are under way. After a write
    /// of one's own, the next read sees it.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// # let cache = client.cache(alizarin_core::CacheConfig::new()).await?;
    /// # let _: Option<u64> = cache.get("stock").await?;
    /// client.set("stock", 3).await?;
    /// cache.forget("stock");
    /// let stock: u64 = cache.get("stock").await?;
    /// assert_eq!(stock, 3);
    /// # });
    /// ```
    pub fn forget(&self, keys: impl ToArgs) {
        let mut packed = Packed::new();
        keys.write_args(&mut packed);
        packed.arguments().for_each(|key| self.inner.store.invalidate(key));
    }

    /// Drops everything, and keeps nothing of reads that are under way.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// # let cache = client.cache(alizarin_core::CacheConfig::new()).await?;
    /// # let _: Option<u64> = cache.get("stock").await?;
    /// cache.clear();
    /// assert_eq!((cache.metrics().entries, cache.metrics().bytes), (0, 0));
    /// # });
    /// ```
    pub fn clear(&self) {
        self.inner.store.clear();
    }

    /// What the cache has done and holds.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// # let cache = client.cache(alizarin_core::CacheConfig::new()).await?;
    /// let metrics = cache.metrics();
    /// let reads = metrics.hits + metrics.joined + metrics.misses;
    /// assert_eq!(reads, 0);
    /// # });
    /// ```
    pub fn metrics(&self) -> CacheMetrics {
        self.inner.store.metrics()
    }

    /// Whether it reads the database of this number that the client does.
    #[doc(hidden)]
    pub fn reads_database_of(&self, client: &Client) -> bool {
        self.client().config().database == client.config().database
    }

    fn is_blocking(&self) -> bool {
        match &self.inner.home {
            Home::One(line) => line.is_blocking(),
            Home::Several(several) => several.is_blocking(),
        }
    }

    /// A client over the cache's own connection, for what [`CacheConfig::opt_in`] and
    /// [`CacheConfig::no_loop`] tell apart. Its replies are not kept. The cache of a blocking client,
    /// or of one of several databases, gives that client.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::CacheConfig;
    ///
    /// let cache = client.cache(CacheConfig::new().no_loop()).await?;
    /// # let _: Option<u64> = cache.get("stock").await?;
    /// cache.client().set("stock", 3).await?;
    /// cache.forget("stock");
    /// # });
    /// ```
    pub fn client(&self) -> &Client {
        match &self.inner.home {
            Home::One(line) => &line.client,
            Home::Several(several) => &several.client,
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("address", &self.client().config().address())
            .field("config", &self.inner.store.config)
            .field("metrics", &self.metrics())
            .finish()
    }
}
