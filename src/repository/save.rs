//! Writing whole documents.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Repository;
use super::script::{Expected, Expiry, Mode, Plan, prepare, send};
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result};

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The document's new version, for models with `#[redis(version)]`.
    pub version: Option<u64>,
}

impl<M: RedisModel> Repository<M> {
    /// Writes a document, whether or not it exists (`HSET`, `JSON.SET`, or a script where more is
    /// to be done). A version field is counted up on the server, whatever the model's says.
    ///
    /// A hash keeps fields that are not the model's; a JSON document is replaced as a whole.
    pub fn save<'a>(&'a self, model: &'a M) -> Save<'a, M> {
        Save::new(self, model, Mode::Any)
    }

    /// Writes a new document; `Exists` when its key exists.
    pub fn insert<'a>(&'a self, model: &'a M) -> Save<'a, M> {
        Save::new(self, model, Mode::Insert)
    }

    /// Writes a document that exists; `NotFound` when it does not.
    pub fn replace<'a>(&'a self, model: &'a M) -> Save<'a, M> {
        Save::new(self, model, Mode::Replace)
    }
}

/// A write of a whole document, from [`Repository::save`], [`Repository::insert`] or
/// [`Repository::replace`].
///
/// # Errors
/// `Value` for a value that cannot be stored, `Exists`, `NotFound` or `Conflict` as the options
/// say, `Server(WrongType)` when the key holds something else, `Unsupported` when the server has
/// no RedisJSON. When the event cannot be published, nothing is written.
///
/// # Cancel safety
/// Dropped before it is done, the document is either written as a whole or not at all.
#[must_use = "a save does nothing until it is awaited"]
pub struct Save<'a, M> {
    repository: &'a Repository<M>,
    model: &'a M,
    mode: Mode,
    expected: Expected,
    expiry: Expiry,
}

impl<'a, M: RedisModel> Save<'a, M> {
    fn new(repository: &'a Repository<M>, model: &'a M, mode: Mode) -> Save<'a, M> {
        let expiry = Expiry::of::<M>();
        Save { repository, model, mode, expected: Expected::Anything, expiry }
    }

    /// The document expires after this time (`PEXPIRE`), in whole milliseconds.
    pub fn ttl(mut self, after: Duration) -> Self {
        self.expiry = Expiry::After(after);
        self
    }

    /// The document's time to live stays what it is: the default for models without `ttl`.
    pub fn keep_ttl(mut self) -> Self {
        self.expiry = Expiry::Keep;
        self
    }

    /// The document does not expire (`PERSIST`).
    pub fn clear_ttl(mut self) -> Self {
        self.expiry = Expiry::Clear;
        self
    }

    /// Writes only when the stored document has this version; else `Conflict`, or `NotFound` when
    /// there is none.
    pub fn if_version(mut self, version: u64) -> Self {
        self.expected = Expected::Version(version);
        self
    }

    async fn run(self) -> Result<Written> {
        check_versioned::<M>(&self.expected)?;
        let id = self.model.id();
        let plan =
            Plan { mode: self.mode, expected: self.expected, expiry: self.expiry, lock: None };
        let prepared = prepare(self.repository, id, self.model, &plan)?;
        let key = self.repository.key(id);
        let version = send(self.repository.client(), prepared, &key).await?;
        Ok(Written { version })
    }
}

/// Refuses to compare versions where there are none.
pub(crate) fn check_versioned<M: RedisModel>(expected: &Expected) -> Result<()> {
    if matches!(expected, Expected::Version(_)) && M::SCHEMA.version.is_none() {
        let message = format!("{} has no field with `#[redis(version)]`", M::SCHEMA.name);
        return Err(Error::new(ErrorKind::Usage, message));
    }
    Ok(())
}

impl<'a, M: RedisModel> IntoFuture for Save<'a, M> {
    type Output = Result<Written>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Written>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: RedisModel> fmt::Debug for Save<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Save")
            .field("key", &self.repository.key(self.model.id()))
            .field("mode", &self.mode)
            .field("expected", &self.expected)
            .field("expiry", &self.expiry)
            .finish()
    }
}
