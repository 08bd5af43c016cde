//! Writing whole documents.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::draft::Draft;
use super::limit::Limits;
use super::prepare::{Content, prepare, scripted, send};
use super::script::{Call, Expected, Expiry, Mode, Plan};
use super::transaction::About;
use super::{Repository, Written};
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result};

impl<M: RedisModel> Repository<M> {
    /// Writes a document, whether or not it exists (`HSET`, `JSON.SET` in a transaction with
    /// `EXISTS`, or a script where more is to be done). A version field is counted up on the server,
    /// whatever the model's says.
    ///
    /// A hash keeps fields that are not the model's; a JSON document is replaced as a whole. The
    /// time to live stays, unless the model has a `ttl`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.save(&Account::new(2, "Bob", 150)).await?;
    /// assert_eq!(accounts.get(&2).await?.map(|bob| (bob.cents, bob.version)), Some((150, 2)));
    /// # Ok(()) });
    /// ```
    pub fn save<'a>(&'a self, model: &'a M) -> Save<'a, M> {
        Save::new(self, model, Mode::Any)
    }

    /// Writes a new document (a script); `Exists` when its key exists.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.insert(&Account::new(3, "Cem", 0)).await?;
    /// let again = accounts.insert(&Account::new(3, "Cleo", 9)).await.unwrap_err();
    /// assert_eq!(again.kind(), ErrorKind::Exists);
    /// # Ok(()) });
    /// ```
    pub fn insert<'a>(&'a self, model: &'a M) -> Save<'a, M> {
        Save::new(self, model, Mode::Insert)
    }

    /// Writes a document that exists (a script); `NotFound` when it does not.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.replace(&Account::new(2, "Bob", 150)).await?;
    /// let absent = accounts.replace(&Account::new(3, "Cem", 0)).await.unwrap_err();
    /// assert_eq!(absent.kind(), ErrorKind::NotFound);
    /// # Ok(()) });
    /// ```
    pub fn replace<'a>(&'a self, model: &'a M) -> Save<'a, M> {
        Save::new(self, model, Mode::Replace)
    }
}

/// A write of a whole document, from [`Repository::save`], [`Repository::insert`] or
/// [`Repository::replace`].
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # use std::time::Duration;
/// # alizarin_samples::accounts(async |accounts| {
/// let cem = Account::new(3, "Cem", 0);
/// let save = accounts.insert(&cem).ttl(Duration::from_secs(3600));
/// // Nothing was sent so far.
/// assert!(!accounts.exists(&3).await?);
/// save.await?;
/// assert!(accounts.exists(&3).await?);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Value` for a value that cannot be stored, naming the field, and for a time to live that the
/// server cannot count; `Exists`, `NotFound` or `Conflict` as the options say; `Usage` for
/// [`if_version`](Save::if_version) on a model without a version; `Taken` when another document has
/// the value of a unique field; `Server(WrongType)` when the key
/// holds something else; `Server(NoPerm)` when the user may not write it or publish its event;
/// `Unsupported` when the server has no RedisJSON. In all these cases nothing is written.
///
/// # Cancel safety
/// Dropped before it is done, the document is either written as a whole or not at all.
#[must_use = "a save does nothing until it is awaited"]
pub struct Save<'a, M> {
    pub(super) repository: &'a Repository<M>,
    model: &'a M,
    mode: Mode,
    expected: Expected,
    expiry: Expiry,
    pub(super) limits: Limits,
}

impl<'a, M: RedisModel> Save<'a, M> {
    fn new(repository: &'a Repository<M>, model: &'a M, mode: Mode) -> Save<'a, M> {
        let expiry = Expiry::of::<M>();
        Save {
            repository,
            model,
            mode,
            expected: Expected::Anything,
            expiry,
            limits: Limits::default(),
        }
    }

    /// The document expires after this time (`PEXPIRE`), in whole milliseconds, at least one.
    /// The default is the model's `ttl`, where it has one.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.save(&Account::new(3, "Cem", 0)).ttl(Duration::from_secs(3600)).await?;
    /// let left = accounts.ttl(&3).await?;
    /// assert!(left > Some(Duration::from_secs(3500)));
    /// # Ok(()) });
    /// ```
    pub fn ttl(mut self, after: Duration) -> Self {
        self.expiry = Expiry::After(after);
        self
    }

    /// The document's time to live stays what it is: the default for models without `ttl`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(hash, prefix = "session", ttl = "1h")]
    /// struct Session {
    ///     #[redis(id)]
    ///     id: u32,
    ///     clicks: u32,
    /// }
    /// # let sessions = client.repository::<Session>().with_namespace(namespace);
    ///
    /// sessions.save(&Session { id: 1, clicks: 0 }).ttl(Duration::from_secs(60)).await?;
    /// sessions.save(&Session { id: 1, clicks: 1 }).keep_ttl().await?;
    /// assert!(sessions.ttl(&1).await? <= Some(Duration::from_secs(60)));
    /// # assert!(sessions.ttl(&1).await? > Some(Duration::from_secs(30)));
    /// # assert_eq!(sessions.get(&1).await?.map(|session| session.clicks), Some(1));
    /// # Ok(()) });
    /// ```
    pub fn keep_ttl(mut self) -> Self {
        self.expiry = Expiry::Keep;
        self
    }

    /// The document does not expire (`PERSIST`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.expire(&2, Duration::from_secs(60)).await?;
    /// accounts.save(&Account::new(2, "Bob", 150)).clear_ttl().await?;
    /// assert_eq!(accounts.ttl(&2).await?, None);
    /// # Ok(()) });
    /// ```
    pub fn clear_ttl(mut self) -> Self {
        self.expiry = Expiry::Clear;
        self
    }

    /// Writes only when the stored document has this version; else `Conflict`, or `NotFound` when
    /// there is none.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut bob = accounts.get(&2).await?.expect("an account of Bob");
    /// # accounts.update(&2, |bob| bob.cents += 1).await?;
    /// bob.cents += 50;
    /// // Another one wrote in between.
    /// let late = accounts.save(&bob).if_version(bob.version).await.unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Conflict);
    /// # Ok(()) });
    /// ```
    pub fn if_version(mut self, version: u64) -> Self {
        self.expected = Expected::Version(version);
        self
    }

    fn plan(&self) -> Plan<'static> {
        Plan {
            mode: self.mode,
            expected: self.expected.clone(),
            expiry: self.expiry,
            lock: None,
            tell: false,
            edits: false,
        }
    }

    /// What it is as a step of a transaction.
    pub(super) fn about(&self) -> About {
        let name = match self.mode {
            Mode::Any => "save",
            Mode::Insert => "insert",
            Mode::Replace => "replace",
        };
        About::document(name, self.repository, &self.model.id())
    }

    /// The script that does it, and the document for the hook that comes after it.
    pub(super) fn into_call(self) -> Result<(Call, Option<M>)> {
        check_versioned::<M>(&self.expected)?;
        let id = self.model.id();
        let draft = Draft::of(self.model)?;
        let content = Content::of::<M>(&id, draft.model())?;
        let mut call = scripted(self.repository, &id, &content, &self.plan())?;
        self.limits.put_into(&mut call)?;
        Ok((call, draft.into_owned(&content)?))
    }

    async fn run(self) -> Result<Written> {
        check_versioned::<M>(&self.expected)?;
        let id = self.model.id();
        let plan = self.plan();
        let draft = Draft::of(self.model)?;
        let mut prepared = prepare(self.repository, &id, draft.model(), &plan, &[])?;
        prepared.limit(&self.limits)?;
        let key = self.repository.key(&id);
        let written = send(self.repository.client(), prepared, &key).await?;
        draft.written(&written);
        Ok(written)
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
            .field("key", &self.repository.key(&self.model.id()))
            .field("mode", &self.mode)
            .field("expected", &self.expected)
            .field("expiry", &self.expiry)
            .finish()
    }
}
