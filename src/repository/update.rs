//! Optimistic changes: read, change, write if nobody else wrote; else again.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Repository;
use super::draft::Draft;
use super::failure::not_found;
use super::get::{load, load_marked};
use super::prepare::{prepare, send};
use super::script::{Expected, Expiry, Mode, Plan};
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result};

/// How often a change is tried, unless [`Update::attempts`] says otherwise.
const ATTEMPTS: u32 = 16;

/// What the closure of [`Repository::update`] may give: nothing, or a `Result<()>` whose error
/// ends the update. Not called by users.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::accounts(async |accounts| {
/// let withdraw = |account: &mut Account| {
///     if account.cents < 200 {
///         return Err(Error::new(ErrorKind::Usage, "not enough on the account"));
///     }
///     account.cents -= 200;
///     Ok(())
/// };
/// assert_eq!(accounts.update(&1, withdraw).await?.cents, 300);
/// let error = accounts.update(&2, withdraw).await.unwrap_err();
/// assert_eq!(error.message(), "not enough on the account");
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "the closure of `update` gives `{Self}`, which says neither yes nor no",
    note = "end it with `;`, or give a `Result<()>`"
)]
pub trait Outcome {
    /// As a result.
    ///
    /// # Errors
    /// The closure's own.
    fn into_result(self) -> Result<()>;
}

impl Outcome for () {
    fn into_result(self) -> Result<()> {
        Ok(())
    }
}

impl Outcome for Result<()> {
    fn into_result(self) -> Result<()> {
        self
    }
}

impl<M: RedisModel> Repository<M> {
    /// Changes a document: reads it, calls `change`, and writes it if nobody else did in between;
    /// else all of it again. Gives the document as it was written.
    ///
    /// Another writer is known by the version field, or where there is none by the whole content
    /// (its SHA-1). It reads as [`get`](Repository::get) does, and writes by a script; the time to
    /// live stays.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let ann = accounts.update(&1, |account| account.cents += 25).await?;
    /// assert_eq!((ann.cents, ann.version), (525, 2));
    /// # Ok(()) });
    /// ```
    pub fn update<'a, F, R>(&'a self, id: &'a M::Id, change: F) -> Update<'a, M, F>
    where
        F: FnMut(&mut M) -> R + Send + 'a,
        R: Outcome + 'a,
    {
        Update { repository: self, id, change, attempts: ATTEMPTS }
    }
}

/// An optimistic change, from [`Repository::update`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// // No change is lost, however many tasks make one.
/// let deposits = (0..8).map(|_| {
///     let accounts = accounts.clone();
///     tokio::spawn(async move { accounts.update(&1, |account| account.cents += 10).await })
/// });
/// for deposit in deposits.collect::<Vec<_>>() {
///     deposit.await??;
/// }
/// assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(580));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `NotFound` when there is no document; `Conflict` when others were faster in all attempts;
/// `Usage` when the closure changed the id; what the closure gives; else as [`Get`](super::Get)
/// and [`Save`](super::Save). A write that may have happened (`Sent::Unknown`) is not tried again.
///
/// # Cancel safety
/// Dropped before it is done, the document is either changed as a whole or not at all.
#[must_use = "an update does nothing until it is awaited"]
pub struct Update<'a, M: RedisModel, F> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    change: F,
    attempts: u32,
}

impl<'a, M, F, R> Update<'a, M, F>
where
    M: RedisModel,
    F: FnMut(&mut M) -> R + Send + 'a,
    R: Outcome + 'a,
{
    /// How often it is tried at most: 16 times by default, at least once.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let add = |account: &mut Account| account.cents += 1;
    /// let (one, other) = tokio::join!(
    ///     accounts.update(&1, add).attempts(1),
    ///     accounts.update(&1, add).attempts(1),
    /// );
    /// // Both read the same version: only one could write.
    /// assert!(one.is_ok() != other.is_ok());
    /// # Ok(()) });
    /// ```
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    async fn run(mut self) -> Result<M> {
        let key = self.repository.key(self.id);
        for attempt in 1.. {
            let (mut model, expected) = read(self.repository, &key).await?;
            (self.change)(&mut model).into_result()?;
            match write(self.repository, self.id, model, expected, None).await {
                Err(error) if error.kind() == ErrorKind::Conflict && attempt < self.attempts => {
                    tracing::debug!(key, attempt, "conflict; the update starts again");
                    self.repository.client().pause(pause(attempt)).await;
                }
                outcome => return outcome,
            }
        }
        Err(not_found(&key))
    }
}

/// The pause after a conflict: up to some milliseconds, different from task to task.
pub(crate) fn pause(attempt: u32) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    let chance = RandomState::new().hash_one(attempt);
    let most = 500u64 << attempt.min(6);
    Duration::from_micros(chance % most)
}

/// Reads a document and what a later write has to find unchanged.
pub(crate) async fn read<M: RedisModel>(
    repository: &Repository<M>,
    key: &str,
) -> Result<(M, Expected)> {
    let client = repository.client();
    if M::SCHEMA.version.is_some() {
        let model: M = load(client, key).await?.ok_or_else(|| not_found(key))?;
        // Version 0 was never written by a repository: the document may have none.
        if let Some(version @ 1..) = model.version() {
            return Ok((model, Expected::Version(version)));
        }
    }
    let marked = load_marked(client, key).await?;
    let (model, fingerprint) = marked.ok_or_else(|| not_found(key))?;
    Ok((model, Expected::Fingerprint(fingerprint)))
}

/// Writes a document that was read before; gives it with its new version.
pub(crate) async fn write<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    mut model: M,
    expected: Expected,
    lock: Option<(&str, &str)>,
) -> Result<M> {
    if *model.id() != *id {
        let message = "the id of a document cannot be changed: insert a new one, delete the old";
        return Err(Error::new(ErrorKind::Usage, message).with_field(&M::SCHEMA.ids.join(", ")));
    }
    let plan = Plan {
        mode: Mode::Replace,
        expected,
        expiry: Expiry::Keep,
        lock,
        tell: false,
        edits: false,
    };
    let draft = Draft::of(&model)?;
    let prepared = prepare(repository, id, draft.model(), &plan, &[])?;
    let key = repository.key(id);
    let written = send(repository.client(), prepared, &key).await?;
    if let Some(made) = draft.into_made() {
        model = made;
    }
    written.apply_to(&mut model);
    model.hook_after_save(&written);
    Ok(model)
}

impl<'a, M, F, R> IntoFuture for Update<'a, M, F>
where
    M: RedisModel,
    F: FnMut(&mut M) -> R + Send + 'a,
    R: Outcome + 'a,
{
    type Output = Result<M>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<M>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: RedisModel, F> fmt::Debug for Update<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update")
            .field("key", &self.repository.key(self.id))
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
