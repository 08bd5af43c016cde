//! A model's search index on the server: made from the model, read back, compared, replaced by a
//! new one without downtime.
//!
//! | to | there is |
//! |---|---|
//! | bring it in line with the model | [`sync`](Index::sync), [`rebuild`](Index::rebuild) |
//! | see what that would do | [`plan`](Index::plan), [`drift`](Index::drift) |
//! | be sure of it, at start-up or in CI | [`check`](Index::check) |
//! | go back, or be rid of old versions | [`rollback`](Index::rollback), [`retire`](Index::retire), [`versions`](Index::versions) |
//! | take over one that is there | [`adopt`](Index::adopt) |
//! | list those of a server | [`managed`] |
//!
//! The guide `docs/migrations.md` tells how they work together.

mod adopt;
mod build;
mod create;
mod drift;
mod entry;
mod hidden;
mod info;
mod journal;
mod managed;
mod plan;
mod state;
mod sync;
mod target;
mod versions;
mod wait;

pub use adopt::{Adopt, Adoption};
pub use drift::Drift;
pub use info::{AttributeInfo, IndexInfo};
pub use managed::{Managed, managed};
pub use plan::{Action, ActionKind, Plan};
pub use sync::{SyncIndex, SyncProgress, Synced};
pub use versions::{Role, Version};
pub use wait::Wait;

pub(crate) use entry::push_step;

use std::fmt;

use crate::model::RedisModel;
use crate::query::scope;
use crate::repository::Repository;
use crate::{Command, Error, ErrorKind, FromReply, Result, Sent};

/// A model's search index: from [`Repository::index`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::Synced;
/// use alizarin_samples::Film;
/// # alizarin_samples::client(async |client, prefix| {
/// let films = client.repository::<Film>().with_namespace(prefix);
/// assert_eq!(films.index().sync().await?, Synced::Created);
/// assert_eq!(films.index().sync().await?, Synced::Unchanged);
/// # Ok(()) });
/// ```
pub struct Index<'r, M> {
    repository: &'r Repository<M>,
}

impl<'r, M: RedisModel> Index<'r, M> {
    pub(crate) fn new(repository: &'r Repository<M>) -> Index<'r, M> {
        Index { repository }
    }

    /// The name that queries use, an alias of the live version: the repository's namespace, then
    /// the model's `index = ".."`, or `{prefix}_idx`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let name = films.index().name()?;
    /// assert_eq!(name, format!("{}film_idx", films.namespace()));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` for a model without an index.
    pub fn name(&self) -> Result<String> {
        scope::index_name(self.repository)
    }

    /// Whether there is an index (`FT.INFO`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert!(films.index().exists().await?);
    /// films.index().drop().await?;
    /// assert!(!films.index().exists().await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` for a model without an index, `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn exists(&self) -> Result<bool> {
        match self.info().await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Index => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the server knows of the index (`FT.INFO`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let info = films.index().info().await?;
    /// assert_eq!((info.num_docs, info.percent_indexed), (4, 1.0));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Index` when there is none, `Usage` for a model without an index, `Unsupported` when the
    /// server has no RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn info(&self) -> Result<IndexInfo> {
        self.run(Command::new("FT.INFO").arg(self.name()?)).await
    }

    /// How the index differs from what the model needs (`FT.INFO`); nothing when it does not.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisModel)]
    /// #[redis(hash, prefix = "film", index)]
    /// struct NewFilm {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(tag)]
    ///     studio: String,
    /// }
    ///
    /// let new = films.client().repository::<NewFilm>().with_namespace(films.namespace());
    /// let drift = new.index().drift().await?;
    /// assert!(drift.iter().any(|d| d.to_string() == "field `studio` is not in the index"));
    /// # assert_eq!(films.index().drift().await?, []);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Index::info`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn drift(&self) -> Result<Vec<Drift>> {
        let plan = self.plan().await?;
        match plan.live {
            Some(_) => Ok(plan.drift),
            None => Err(state::absent(&plan.name)),
        }
    }

    /// What [`Index::sync`] would do, with its reasons and exact commands (`FT.INFO`, `FT._LIST`,
    /// `HGETALL`). It needs no right to write.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// # let films = films.with_namespace("");
    /// #[derive(RedisModel)]
    /// #[redis(hash, prefix = "city", index)]
    /// struct City {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(numeric)]
    ///     people: u64,
    /// }
    ///
    /// let cities: Repository<City> = films.client().repository();
    /// assert_eq!(
    ///     cities.index().plan().await?.to_string(),
    ///     "index `city_idx` does not exist
    /// - create `city_idx:v1`: there is no index
    ///     FT.CREATE city_idx:v1 ON HASH PREFIX 1 city: SCHEMA people AS people NUMERIC
    ///     FT.ALIASUPDATE city_idx city_idx:v1"
    /// );
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` for a model without an index, or without any indexed field; `Unsupported` when the
    /// server has no RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn plan(&self) -> Result<Plan> {
        let work = versions::Changing::of(self)?;
        Ok(plan::plan(&work.target, &work.state().await?, false).0)
    }

    /// Checks that [`Index::sync`] would do nothing, and that the index has failed to read no
    /// document. It does not wait for those that it has not come to yet.
    ///
    /// In a program for CI, `films.index().check().await?` at the end of `main` makes the exit code,
    /// and the error's text says what differs.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().check().await?;
    ///
    /// films.client().hset(films.key(&5), ("year", "soon")).await?;
    /// let failed = films.index().check().await;
    /// assert_eq!(failed.unwrap_err().kind(), ErrorKind::Index);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Index` when there is no index, or listing the differences, or saying how many documents it
    /// could not read; `Usage` for a model without an index; `Unsupported` when the server has no
    /// RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn check(&self) -> Result<()> {
        let work = versions::Changing::of(self)?;
        let state = work.state().await?;
        plan::differs(&plan::plan(&work.target, &state, false).0)?;
        let failures = state.live.as_ref().map(Failures::of);
        match failures.filter(|failures| failures.count > 0) {
            Some(failures) => {
                let message = format!("index `{}`: {failures}", work.alias());
                Err(Error::new(ErrorKind::Index, message).with_sent(Sent::Yes))
            }
            None => Ok(()),
        }
    }

    /// How many documents the index could not read (`FT.INFO`), and so does not find.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.client().hset(films.key(&5), ("year", "soon")).await?;
    /// let failures = films.index().failures().await?;
    /// assert_eq!(failures.count, 1);
    /// assert_eq!(failures.last_key, Some(films.key(&5)));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Index::info`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn failures(&self) -> Result<Failures> {
        Ok(Failures::of(&self.info().await?))
    }

    /// Waits until the index has read all documents that were there before it: see [`Wait`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().wait().await?;
    /// assert_eq!(films.find(|f| f.year.lt(1990)).count().await?, 3);
    /// # Ok(()) });
    /// ```
    pub fn wait(&self) -> Wait<'r, M> {
        Wait::new(Index { repository: self.repository })
    }

    async fn run<R: FromReply>(&self, command: Command<R>) -> Result<R> {
        let name = self.name()?;
        let reply = self.repository.client().run(command).await;
        reply.map_err(|error| scope::explain(error, &name))
    }
}

impl<M: RedisModel> fmt::Debug for Index<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index").field("name", &self.name().ok()).finish()
    }
}

/// Documents that an index could not read; its `Display` says it in words. From
/// [`Index::failures`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// films.client().hset(films.key(&5), ("year", "soon")).await?;
/// let words = films.index().failures().await?.to_string();
/// assert!(words.starts_with("1 document could not be indexed, the last one `"), "{words}");
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// The key of the last one.
    pub last_key: Option<String>,
    /// Why the last one could not be read.
    pub last_error: Option<String>,
}

impl Failures {
    fn of(info: &IndexInfo) -> Failures {
        Failures {
            count: info.hash_indexing_failures,
            last_key: info.last_error_key.clone(),
            last_error: info.last_error.clone(),
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let documents = if self.count == 1 { "document" } else { "documents" };
        write!(f, "{} {documents} could not be indexed", self.count)?;
        if let Some(key) = &self.last_key {
            write!(f, ", the last one `{key}`")?;
        }
        if let Some(error) = &self.last_error {
            write!(f, ": {error}")?;
        }
        Ok(())
    }
}
