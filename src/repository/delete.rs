//! Deleting documents.

use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;

use super::failure::{explain, not_found};
use super::prepare::Prepared;
use super::save::check_versioned;
use super::script::{Call, Expected, delete_call, id_text, json_string};
use super::transaction::About;
use super::{Deletion, Repository};
use crate::model::RedisModel;
use crate::{Command, Error, ErrorKind, Result};

impl<M: RedisModel> Repository<M> {
    /// Deletes a document; gives whether there was one (`DEL`, or a script where an event is to
    /// be published, a version compared, or unique values given back). What becomes of documents that
    /// refer to it says [`referred_by`](Repository::referred_by).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert!(accounts.delete(&1).await?);
    /// assert!(!accounts.delete(&1).await?);
    /// # Ok(()) });
    /// ```
    pub fn delete<'a>(&'a self, id: &'a M::Id) -> Delete<'a, M> {
        Delete { repository: self, id, expected: Expected::Anything }
    }
}

/// A deletion, from [`Repository::delete`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let mut gone = Vec::new();
/// for id in [1, 99] {
///     if accounts.delete(&id).await? {
///         gone.push(id);
///     }
/// }
/// assert_eq!(gone, [1]);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Conflict` or `NotFound` with [`if_version`](Delete::if_version), and `Usage` on a model without
/// a version; where a script does it, `Server(WrongType)` when the key holds something else, and
/// `Server(NoPerm)` when the user may not delete it or publish the event. In all these cases
/// nothing is deleted. `Referred` when documents refer to it that `restrict` it, which the repository
/// [was told of](Repository::referred_by).
///
/// # Cancel safety
/// Dropped before it is done, the document is either deleted or not; with
/// [referring documents](super::Referrer#in-one-step-or-in-several), some of those may be.
#[must_use = "a deletion does nothing until it is awaited"]
pub struct Delete<'a, M: RedisModel> {
    pub(super) repository: &'a Repository<M>,
    id: &'a M::Id,
    expected: Expected,
}

impl<'a, M: RedisModel> Delete<'a, M> {
    /// Deletes only when the stored document has this version; else `Conflict`, or `NotFound`
    /// when there is none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let bob = accounts.get(&2).await?.expect("an account of Bob");
    /// # accounts.update(&2, |bob| bob.cents += 1).await?;
    /// // Another one wrote in between.
    /// let late = accounts.delete(&2).if_version(bob.version).await.unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Conflict);
    /// # Ok(()) });
    /// ```
    pub fn if_version(mut self, version: u64) -> Self {
        self.expected = Expected::Version(version);
        self
    }

    /// What it is as a step of a transaction.
    pub(super) fn about(&self) -> About {
        About::document("delete", self.repository, self.id)
    }

    /// The script that does it, and the id for the hook that comes after it.
    pub(super) fn into_call(self) -> Result<(Call, M::Id)> {
        check_versioned::<M>(&self.expected)?;
        if self.repository.rules().is_some() {
            let message = format!(
                "the repository of {} was told who refers to its documents, whom a transaction does \
                 not look for: delete outside of it, or by a repository that was not told",
                M::SCHEMA.name
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        M::hook_before_delete(self.id)?;
        Ok((scripted(self.repository, self.id, &self.expected), self.id.clone()))
    }

    /// What becomes of documents that refer to this one too, where the repository
    /// [was told of them](Repository::referred_by); it gives a [`Deletion`].
    pub fn report(self) -> ReportedDelete<'a, M> {
        ReportedDelete { delete: self, dry_run: false }
    }

    /// Deletes nothing, and gives what would be deleted and changed. It fails as the deletion would
    /// where documents `restrict` it; no hook runs.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert!(accounts.delete(&1).dry_run().await?.found);
    /// assert!(accounts.exists(&1).await?);
    /// # Ok(()) });
    /// ```
    pub fn dry_run(self) -> ReportedDelete<'a, M> {
        ReportedDelete { delete: self, dry_run: true }
    }

    async fn run(self, dry_run: bool) -> Result<Deletion> {
        check_versioned::<M>(&self.expected)?;
        if !dry_run {
            M::hook_before_delete(self.id)?;
        }
        let Delete { repository, id, expected } = &self;
        let deletion = match repository.rules() {
            Some(_) if dry_run => {
                repository.rehearse_referred(id, expected, &mut HashSet::new()).await?
            }
            Some(_) => repository.delete_referred(id, expected).await?,
            None if dry_run => {
                let exists = repository.exists(id).await?;
                Deletion { found: exists, ..Deletion::default() }
            }
            None => Deletion { found: self.delete().await?, atomic: true, ..Deletion::default() },
        };
        if deletion.found && !dry_run {
            M::hook_after_delete(self.id);
        }
        Ok(deletion)
    }

    async fn delete(&self) -> Result<bool> {
        let (client, key) = (self.repository.client(), self.repository.key(self.id));
        let deleted = match prepare_delete(self.repository, self.id, &self.expected) {
            Prepared::Plain(command, _) => client.run(command.replying::<bool>()).await,
            Prepared::Script(call) => call.run(client).await,
        };
        let deleted = deleted.map_err(|error| explain(error, &key))?;
        if !deleted && self.expected != Expected::Anything {
            return Err(not_found(&key));
        }
        Ok(deleted)
    }
}

/// Lays out the deletion of a document.
pub(crate) fn prepare_delete<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    expected: &Expected,
) -> Prepared {
    let plain = !M::SCHEMA.events && M::SCHEMA.unique.is_empty();
    if *expected == Expected::Anything && plain {
        return Prepared::Plain(Command::new("DEL").key(repository.key(id)), 0);
    }
    Prepared::Script(Box::new(scripted(repository, id, expected)))
}

/// The same, always by the script.
pub(crate) fn scripted<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    expected: &Expected,
) -> Call {
    let mut call = delete_call(repository, id, expected);
    if M::SCHEMA.events {
        let id = json_string(&id_text(id));
        let message = format!("{{\"op\":\"deleted\",\"id\":{id}}}");
        call.section("event", &[repository.channel(), message]);
    }
    call
}

impl<'a, M: RedisModel> IntoFuture for Delete<'a, M> {
    type Output = Result<bool>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.run(false).await.map(|deletion| deletion.found) })
    }
}

/// A deletion that gives a [`Deletion`], from [`Delete::report`] and [`Delete::dry_run`].
///
/// # Errors
/// As [`Delete`].
///
/// # Cancel safety
/// As [`Delete`]; a dry run only reads.
#[must_use = "a deletion does nothing until it is awaited"]
#[derive(Debug)]
pub struct ReportedDelete<'a, M: RedisModel> {
    delete: Delete<'a, M>,
    dry_run: bool,
}

impl<'a, M: RedisModel> IntoFuture for ReportedDelete<'a, M> {
    type Output = Result<Deletion>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Deletion>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.delete.run(self.dry_run))
    }
}

impl<M: RedisModel> fmt::Debug for Delete<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delete")
            .field("key", &self.repository.key(self.id))
            .field("expected", &self.expected)
            .finish()
    }
}
