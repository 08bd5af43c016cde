//! Writing a document where there is none, and changing it where there is one.

use std::fmt;
use std::pin::Pin;

use super::draft::Draft;
use super::prepare::{Content, prepare_part, run_write};
use super::script::{Call, Expected, Expiry, Mode, Plan};
use super::transaction::About;
use super::{Assignment, Changes, Repository, Written};
use crate::Result;
use crate::model::RedisModel;

impl<M: RedisModel> Repository<M> {
    /// Writes a document if there is none with its id; else changes single fields of the one there
    /// is, as [`set`](Repository::set) does. One step either way (a script); `created` of what it
    /// gives says which.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let opening = Account::new(3, "Cem", 10);
    /// for created in [true, false] {
    ///     let written = accounts.upsert(&opening, |a| a.cents.add(10)).await?;
    ///     assert_eq!(written.created, created);
    /// }
    /// assert_eq!(accounts.get(&3).await?.map(|cem| cem.cents), Some(20));
    /// # Ok(()) });
    /// ```
    pub fn upsert<'a, A: Assignment<M>>(
        &'a self,
        model: &'a M,
        fields: impl FnOnce(M::Fields) -> A,
    ) -> Upsert<'a, M> {
        let mut changes = Changes::new();
        let outcome = changes.push(fields);
        Upsert { repository: self, model, changes: outcome.map(|()| changes) }
    }
}

/// A write of a document or a change of the one there is, from [`Repository::upsert`].
///
/// A model's `ttl` begins with the document, and stays with a change.
///
/// # Errors
/// As [`Save`](super::Save) and [`Set`](super::Set), whichever of both it does.
///
/// # Cancel safety
/// Dropped before it is done, all of it is written or nothing.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::accounts(async |accounts| {
/// // Two at once: one writes the document, the other one adds to it.
/// let opening = Account::new(3, "Cem", 10);
/// let upsert = || accounts.upsert(&opening, |a| a.cents.add(10));
/// let (one, other) = tokio::join!(async { upsert().await }, async { upsert().await });
/// assert!(one?.created != other?.created);
/// assert_eq!(accounts.get(&3).await?.map(|cem| cem.cents), Some(20));
/// # Ok(()) });
/// ```
#[must_use = "a write does nothing until it is awaited"]
pub struct Upsert<'a, M> {
    pub(super) repository: &'a Repository<M>,
    model: &'a M,
    changes: Result<Changes<M>>,
}

impl<M: RedisModel> Upsert<'_, M> {
    /// What it is as a step of a transaction.
    pub(super) fn about(&self) -> About {
        About::document("upsert", self.repository, &self.model.id())
    }

    /// The script that does it, and the document for the hook that comes after it.
    pub(super) fn into_call(self) -> Result<(Call, Option<M>)> {
        let Upsert { repository, model, changes } = self;
        let draft = Draft::of(model)?;
        let call = lay_out(repository, &changes?, draft.model())?;
        let content = Content::of::<M>(&model.id(), draft.model())?;
        Ok((call, draft.into_owned(&content)?))
    }

    async fn run(self) -> Result<Written> {
        let Upsert { repository, model, changes } = self;
        let changes = changes?;
        let draft = Draft::of(model)?;
        let call = lay_out(repository, &changes, draft.model())?;
        let key = repository.key(&model.id());
        let outcome = run_write(repository.client(), &call, &key).await?;
        if outcome.written.created {
            draft.written(&outcome.written);
        }
        Ok(outcome.written)
    }
}

/// Lays out the script for it.
fn lay_out<M: RedisModel>(
    repository: &Repository<M>,
    changes: &Changes<M>,
    model: &M,
) -> Result<Call> {
    let plan = Plan {
        mode: Mode::Any,
        expected: Expected::Anything,
        expiry: Expiry::of::<M>(),
        lock: None,
        tell: false,
        edits: changes.has_edits(),
    };
    let mut call = prepare_part(repository, &model.id(), changes, Some(model), &plan)?;
    call.section("ttl_of_new", &[""; 0]);
    Ok(call)
}

impl<'a, M: RedisModel> IntoFuture for Upsert<'a, M> {
    type Output = Result<Written>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Written>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: RedisModel> fmt::Debug for Upsert<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upsert")
            .field("key", &self.repository.key(&self.model.id()))
            .field("changes", &self.changes.as_ref().ok())
            .finish()
    }
}
