//! A model's search index on the server: made from the model, read back, compared.

mod create;
mod drift;
mod entry;
mod info;
mod sync;
mod wait;

pub use drift::Drift;
pub use info::{AttributeInfo, IndexInfo};
pub use sync::Synced;
pub use wait::Wait;

pub(crate) use entry::push_step;

use std::fmt;

use crate::model::{IndexSchema, RedisModel};
use crate::query::scope;
use crate::repository::Repository;
use crate::{Command, Error, ErrorKind, FromReply, Result};

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

    /// The index's name on the server: the repository's namespace, then the model's `index = ".."`,
    /// or `{prefix}_idx`.
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

    /// Creates the index (`FT.CREATE`); the server reads documents that are there already in the
    /// background: see [`Index::wait`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Film;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let films = client.repository::<Film>().with_namespace(prefix);
    /// films.index().create().await?;
    /// let again = films.index().create().await;
    /// assert_eq!(again.unwrap_err().kind(), ErrorKind::Exists);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Exists` when there is one; `Usage` for a model without an index, or without any indexed
    /// field; `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the index created or not.
    pub async fn create(&self) -> Result<()> {
        let name = self.name()?;
        let command = create::create(&name, &self.prefix(), M::SCHEMA, self.schema()?)?;
        match self.run(command).await {
            Err(error) if error.message().contains("already exists") => {
                let message = format!("index `{name}` exists already: `sync` compares it");
                Err(Error::new(ErrorKind::Exists, message)
                    .with_sent(error.sent())
                    .with_command("FT.CREATE")
                    .with_source(error))
            }
            outcome => outcome,
        }
    }

    /// Drops the index (`FT.DROPINDEX`), never the documents.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().drop().await?;
    /// assert!(films.exists(&1).await?);
    /// let found = films.find(|f| f.year.lt(1980)).await;
    /// assert_eq!(found.unwrap_err().kind(), ErrorKind::Index);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Index` when there is none, `Usage` for a model without an index, `Unsupported` when the
    /// server has no RediSearch.
    ///
    /// # Cancel safety
    /// Dropping the future may leave the index or not.
    pub async fn drop(&self) -> Result<()> {
        self.run(Command::new("FT.DROPINDEX").arg(self.name()?)).await
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
        let info = self.info().await?;
        Ok(drift::compare(M::SCHEMA, self.schema()?, &self.prefix(), &info).0)
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
    /// films.index().rebuild().await?;
    /// films.index().wait().await?;
    /// assert_eq!(films.find(|f| f.year.lt(1990)).count().await?, 3);
    /// # Ok(()) });
    /// ```
    pub fn wait(&self) -> Wait<'r, M> {
        Wait::new(Index { repository: self.repository })
    }

    fn schema(&self) -> Result<&'static IndexSchema> {
        self.name()?;
        let index = M::SCHEMA.index.as_ref();
        index.ok_or_else(|| Error::new(ErrorKind::Usage, "the model has no index"))
    }

    fn prefix(&self) -> String {
        scope::key_prefix(self.repository)
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
