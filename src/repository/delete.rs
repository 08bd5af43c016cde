//! Deleting documents.

use std::fmt;
use std::pin::Pin;

use super::Repository;
use super::failure::{explain, not_found};
use super::prepare::Prepared;
use super::save::check_versioned;
use super::script::{Call, Expected, delete_call, id_text, json_string};
use super::transaction::About;
use crate::model::RedisModel;
use crate::{Command, Result};

impl<M: RedisModel> Repository<M> {
    /// Deletes a document; gives whether there was one (`DEL`, or a script where an event is to
    /// be published, a version compared, or unique values given back).
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
/// nothing is deleted.
///
/// # Cancel safety
/// Dropped before it is done, the document is either deleted or not.
#[must_use = "a deletion does nothing until it is awaited"]
pub struct Delete<'a, M: RedisModel> {
    pub(super) repository: &'a Repository<M>,
    id: &'a M::Id,
    expected: Expected,
}

impl<M: RedisModel> Delete<'_, M> {
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
        M::hook_before_delete(self.id)?;
        Ok((scripted(self.repository, self.id, &self.expected), self.id.clone()))
    }

    async fn run(self) -> Result<bool> {
        check_versioned::<M>(&self.expected)?;
        M::hook_before_delete(self.id)?;
        let deleted = self.delete().await?;
        if deleted {
            M::hook_after_delete(self.id);
        }
        Ok(deleted)
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
fn scripted<M: RedisModel>(repository: &Repository<M>, id: &M::Id, expected: &Expected) -> Call {
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
        Box::pin(self.run())
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
