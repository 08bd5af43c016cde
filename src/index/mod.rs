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

/// A model's search index: from `Repository::index`.
pub struct Index<'r, M> {
    repository: &'r Repository<M>,
}

impl<'r, M: RedisModel> Index<'r, M> {
    pub(crate) fn new(repository: &'r Repository<M>) -> Index<'r, M> {
        Index { repository }
    }

    /// The index's name on the server.
    ///
    /// # Errors
    /// `Usage` for a model without an index.
    pub fn name(&self) -> Result<String> {
        scope::index_name(self.repository)
    }

    /// Creates the index (`FT.CREATE`); the server reads documents that are there already in the
    /// background: see [`Index::wait`].
    ///
    /// # Errors
    /// `Exists` when there is one; `Usage` for a model without an index; `Unsupported` when the
    /// server has no RediSearch.
    ///
    /// # Cancel safety
    /// Dropping it may leave the index created or not.
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
    /// # Errors
    /// `Index` when there is none, `Usage` for a model without an index.
    ///
    /// # Cancel safety
    /// Dropping it may leave the index or not.
    pub async fn drop(&self) -> Result<()> {
        self.run(Command::new("FT.DROPINDEX").arg(self.name()?)).await
    }

    /// Whether there is an index.
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
    /// # Errors
    /// `Index` when there is none, `Usage` for a model without an index.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn info(&self) -> Result<IndexInfo> {
        self.run(Command::new("FT.INFO").arg(self.name()?)).await
    }

    /// How the index differs from what the model needs; nothing when it does not.
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

    /// The documents that the index could not read, and so does not find.
    ///
    /// # Errors
    /// As [`Index::info`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn failures(&self) -> Result<Failures> {
        Ok(Failures::of(&self.info().await?))
    }

    /// Waits until the index has read all documents that were there before it.
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

/// Documents that an index could not read.
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
