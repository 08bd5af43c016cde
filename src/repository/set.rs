//! Writing single fields.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use alizarin_core::resp::Packed;

use super::limit::Limits;
use super::outcome::Outcome;
use super::prepare::{prepare_part, run_write};
use super::save::check_versioned;
use super::script::{Call, Expected, Expiry, Mode, Plan};
use super::transaction::About;
use super::{Assignment, Changes, Repository, Written};
use crate::Result;
use crate::model::RedisModel;

impl<M: RedisModel> Repository<M> {
    /// Changes single fields of a document that exists, in one round trip (a script with `HSET` and
    /// `HDEL`, or `JSON.MSET`, `JSON.DEL` and `JSON.ARRAPPEND`): one change, a tuple of up to six, or
    /// what else is an [`Assignment`]. What others do to other fields meanwhile stays.
    ///
    /// - `m.field.to(value)`, `m.field.to_value(value)`: the new value.
    /// - `m.field.clear()`: an optional field goes.
    /// - `m.field.patch(patch)`: set, cleared or kept, as a [`Patch`](super::Patch) says; a whole
    ///   struct of patches derives [`RedisPatch`](derive@crate::RedisPatch).
    /// - `m.field.add(1)`: a number that the server adds to.
    /// - `m.field.push(value)`, `without`, `insert_key`, ...: lists and maps in JSON.
    ///
    /// The version is counted up and the event published as by a save; the time to live stays
    /// unless the call says otherwise. Where nothing is to be changed, nothing is written: then only
    /// the document's existence and version are checked.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.set(&1, |a| a.cents.to(450)).await?;
    /// accounts.set(&1, |a| (a.cents.to(400), a.note.to("gold"))).await?;
    /// let ann = accounts.get(&1).await?.expect("an account of Ann");
    /// assert_eq!((ann.cents, ann.note.as_deref(), ann.version), (400, Some("gold"), 3));
    /// # Ok(()) });
    /// ```
    pub fn set<'a, A: Assignment<M>>(
        &'a self,
        id: &'a M::Id,
        fields: impl FnOnce(M::Fields) -> A,
    ) -> Set<'a, M> {
        let mut changes = Changes::new();
        let outcome = changes.push(fields);
        Set {
            repository: self,
            id,
            changes: outcome.map(|()| changes),
            expected: Expected::Anything,
            expiry: Expiry::Keep,
            limits: Limits::default(),
        }
    }
}

/// A change of single fields, from [`Repository::set`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let error = accounts.set(&99, |a| a.cents.to(0)).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// let error = accounts.set(&1, |a| a.version.to(7)).await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("version")));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `NotFound` when there is no document, or a nested struct that should be changed is not there;
/// `Value`, naming the field, for a value that cannot be stored; `Usage` for the id, the version,
/// one field twice, a field in a list of structs, or any field of a model with computed ones; `Conflict` with
/// [`if_version`](Set::if_version), and `Usage` on a model without a version; `Server(WrongType)`
/// when the key holds something else; `Server(NoPerm)` when the user may not write it or publish
/// its event; `Taken` when another document has the value of a unique field; `Unsupported` when the
/// server has no RedisJSON. In all these cases nothing is
/// written.
///
/// # Cancel safety
/// Dropped before it is done, either all fields are changed or none.
#[must_use = "a change does nothing until it is awaited"]
pub struct Set<'a, M: RedisModel> {
    pub(super) repository: &'a Repository<M>,
    id: &'a M::Id,
    changes: Result<Changes<M>>,
    expected: Expected,
    expiry: Expiry,
    pub(super) limits: Limits,
}

impl<M: RedisModel> Set<'_, M> {
    /// Writes only when the stored document has this version; else `Conflict`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert_eq!(accounts.set(&1, |a| a.cents.to(0)).if_version(1).await?.version, Some(2));
    /// let late = accounts.set(&1, |a| a.cents.to(9)).if_version(1).await.unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Conflict);
    /// # Ok(()) });
    /// ```
    pub fn if_version(mut self, version: u64) -> Self {
        self.expected = Expected::Version(version);
        self
    }

    /// The document expires after this time from now on (`PEXPIRE`), in whole milliseconds, at
    /// least one. By default its time to live stays what it is.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.set(&1, |a| a.cents.to(0)).ttl(Duration::from_secs(60)).await?;
    /// assert!(accounts.ttl(&1).await?.is_some());
    /// accounts.set(&1, |a| a.cents.to(1)).await?;
    /// assert!(accounts.ttl(&1).await?.is_some());
    /// # Ok(()) });
    /// ```
    pub fn ttl(mut self, after: Duration) -> Self {
        self.expiry = Expiry::After(after);
        self
    }

    /// The document does not expire from now on (`PERSIST`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.expire(&1, Duration::from_secs(60)).await?;
    /// accounts.set(&1, |a| a.cents.to(0)).clear_ttl().await?;
    /// assert_eq!(accounts.ttl(&1).await?, None);
    /// # Ok(()) });
    /// ```
    pub fn clear_ttl(mut self) -> Self {
        self.expiry = Expiry::Clear;
        self
    }

    /// What it is as a step of a transaction.
    pub(super) fn about(&self) -> About {
        About::document("set", self.repository, self.id)
    }

    /// The script that does it, which reads the named fields in the same step.
    pub(super) fn into_call(self, returned: &Packed) -> Result<Call> {
        let changes = self.changes?;
        check_versioned::<M>(&self.expected)?;
        let plan = Plan {
            mode: Mode::Replace,
            expected: self.expected,
            expiry: self.expiry,
            lock: None,
            tell: false,
            edits: changes.has_edits(),
        };
        let mut call = prepare_part(self.repository, self.id, &changes, None, &plan)?;
        self.limits.put_into(&mut call)?;
        call.section_of("returned", returned);
        Ok(call)
    }

    /// Writes the changes, and reads the named fields.
    pub(super) async fn send(self, returned: &Packed) -> Result<Outcome> {
        let (repository, id) = (self.repository, self.id);
        let call = self.into_call(returned)?;
        run_write(repository.client(), &call, &repository.key(id)).await
    }

    async fn run(self) -> Result<Written> {
        self.send(&Packed::new()).await.map(|outcome| outcome.written)
    }
}

impl<'a, M: RedisModel> IntoFuture for Set<'a, M> {
    type Output = Result<Written>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Written>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: RedisModel> fmt::Debug for Set<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Set")
            .field("key", &self.repository.key(self.id))
            .field("fields", &self.changes.as_ref().map(Changes::fields).ok())
            .finish()
    }
}
