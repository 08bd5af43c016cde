//! Locks to keep in hand.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::draft::Draft;
use super::lock::{Held, Terms};
use super::prepare::{prepare, send};
use super::script::{Expected, Expiry, Mode, Plan};
use super::update::{read, write};
use super::{Repository, Written};
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result};

impl<M: RedisModel> Repository<M> {
    /// Takes the lock of a document, which need not exist: the one that
    /// [`locked`](Repository::locked) takes, to keep in hand (a script with `SET NX PX`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # use alizarin_samples::Account;
    /// # async fn print(page: u32, fence: u64) -> Result<()> { assert!(fence > 0); Ok(()) }
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut lock = accounts.lock(&1).lease(Duration::from_secs(30)).await?;
    /// for page in 1..=3 {
    ///     print(page, lock.fence()).await?;
    ///     lock.extend(Duration::from_secs(30)).await?;
    /// }
    /// let written = lock.save(&Account::new(1, "Ann", 0)).await?;
    /// assert_eq!(written.version, Some(2));
    /// # Ok(()) });
    /// ```
    pub fn lock<'a>(&'a self, id: &'a M::Id) -> TakeLock<'a, M> {
        TakeLock { repository: self, id, terms: Terms { fenced: true, ..Terms::default() } }
    }

    /// The same as [`lock`](Repository::lock), if the lock is free at once; else `Locked`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let held = accounts.try_lock(&1).await?;
    /// assert_eq!(accounts.try_lock(&1).await.unwrap_err().kind(), ErrorKind::Locked);
    /// # held.release().await?;
    /// # Ok(()) });
    /// ```
    pub fn try_lock<'a>(&'a self, id: &'a M::Id) -> TakeLock<'a, M> {
        self.lock(id).wait(Duration::ZERO)
    }
}

/// Takes a lock, from [`Repository::lock`].
///
/// ```
/// # use alizarin::prelude::*;
/// use std::time::Duration;
/// # alizarin_samples::accounts(async |accounts| {
/// let held = accounts.lock(&1).await?;
/// let other = accounts.lock(&1).wait(Duration::from_millis(5));
/// assert_eq!(other.await.unwrap_err().kind(), ErrorKind::Locked);
/// held.release().await?;
/// assert!(accounts.lock(&1).await.is_ok());
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Locked` when the lock was not free in time; `Value` for a lease that the server cannot count,
/// less than a millisecond or too long.
///
/// # Cancel safety
/// Dropped before it is done, the lock is given back.
#[must_use = "a lock is not taken until it is awaited"]
pub struct TakeLock<'a, M: RedisModel> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    terms: Terms,
}

impl<'a, M: RedisModel> TakeLock<'a, M> {
    /// After this time, in whole milliseconds, the lock ends, unless it is extended, by
    /// [`Lock::extend`] or while [`Lock::during`] or [`TakeLock::change`] run: 5 s by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let held = accounts.lock(&1).lease(Duration::from_millis(1)).await?;
    /// // Its lease ends, and another one's wait with it.
    /// let other = accounts.lock(&1).await?;
    /// assert!(other.fence() > held.fence());
    /// assert!(!held.release().await?);
    /// # Ok(()) });
    /// ```
    pub fn lease(mut self, lease: Duration) -> Self {
        self.terms.lease = lease;
        self
    }

    /// How long to wait for the lock: 10 s by default; zero tries once. The pauses in between are
    /// random and grow to 32 ms.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let held = accounts.lock(&1).await?;
    /// let other = accounts.lock(&1).wait(Duration::ZERO);
    /// assert_eq!(other.await.unwrap_err().kind(), ErrorKind::Locked);
    /// # held.release().await?;
    /// # Ok(()) });
    /// ```
    pub fn wait(mut self, wait: Duration) -> Self {
        self.terms.wait = wait;
        self
    }

    /// Changes the document under the lock, as [`Repository::locked`] does, without a box for the
    /// future; any `async` closure will do, also one whose future is not `Send`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// use std::rc::Rc;
    ///
    /// let fee = Rc::new(5);
    /// let ann = accounts.lock(&1).change(async |account| { account.cents -= *fee; Ok(()) }).await?;
    /// assert_eq!(ann.cents, 495);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Locked`](super::Locked).
    ///
    /// # Cancel safety
    /// As [`Locked`](super::Locked).
    pub async fn change(self, change: impl AsyncFnOnce(&mut M) -> Result<()>) -> Result<M> {
        let key = self.repository.key(self.id);
        let terms = Terms { fenced: false, ..self.terms };
        let held = Held::take(self.repository, &key, terms).await?;
        let outcome = async {
            let (mut model, expected) = read(self.repository, &key).await?;
            held.during(&key, change(&mut model)).await?;
            write(self.repository, self.id, model, expected, Some(held.lock())).await
        }
        .await;
        held.end(outcome).await
    }

    async fn take(self) -> Result<Lock<M>> {
        let document = self.repository.key(self.id);
        let held = Held::take(self.repository, &document, self.terms).await?;
        Ok(Lock { repository: self.repository.clone(), id: self.id.clone(), document, held })
    }
}

impl<'a, M: RedisModel> IntoFuture for TakeLock<'a, M> {
    type Output = Result<Lock<M>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Lock<M>>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.take())
    }
}

impl<M: RedisModel> fmt::Debug for TakeLock<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TakeLock")
            .field("key", &self.repository.key(self.id))
            .field("terms", &self.terms)
            .finish()
    }
}

/// The lock of one document, from [`Repository::lock`].
///
/// It ends with its lease, by [`release`](Lock::release), or with the write of
/// [`save`](Lock::save). Dropped, it is given back in the background.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::accounts(async |accounts| {
/// let lock = accounts.lock(&3).await?;
/// if !accounts.exists(&3).await? {
///     lock.save(&Account::new(3, "Cem", 0)).await?;
/// }
/// assert!(accounts.exists(&3).await?);
/// # Ok(()) });
/// ```
#[must_use = "dropped, the lock is given back at once"]
pub struct Lock<M: RedisModel> {
    repository: Repository<M>,
    id: M::Id,
    document: String,
    held: Held,
}

impl<M: RedisModel> Lock<M> {
    /// A number greater than that of every earlier holder of this lock: others that refuse
    /// smaller ones than they have seen are safe from a holder whose lease ended unnoticed.
    ///
    /// It is remembered on the server for a day after its lease; later the server's clock makes
    /// the next one greater, if it was not set back by more than that.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let first = accounts.lock(&1).await?;
    /// let fence = first.fence();
    /// first.release().await?;
    /// assert!(accounts.lock(&1).await?.fence() > fence);
    /// # Ok(()) });
    /// ```
    pub fn fence(&self) -> u64 {
        self.held.fence
    }

    /// Whose it is: the repository, the document's key, and what a write is told of the lock.
    pub(super) fn place(&self) -> (&Repository<M>, &str, (&str, &str)) {
        (&self.repository, &self.document, self.held.lock())
    }

    /// Lets the lease begin anew, with this length (a script with `PEXPIRE`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut lock = accounts.lock(&1).await?;
    /// lock.extend(Duration::from_secs(30)).await?;
    /// # lock.extend(Duration::from_millis(1)).await?;
    /// # let _other = accounts.lock(&1).await?;
    /// // Later, when the lease has ended:
    /// let error = lock.extend(Duration::from_secs(30)).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::LockLost);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `LockLost` when it has ended already; `Value` for a lease that the server cannot count.
    ///
    /// # Cancel safety
    /// Dropped before it is done, it either took place or not.
    pub async fn extend(&mut self, lease: Duration) -> Result<()> {
        self.held.extend(&self.document, lease).await
    }

    /// Does what takes long while the lease is extended, after each third of it. With a blocking
    /// client a thread that is started for it extends it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # async fn print() -> Result<u32> { tokio::time::sleep(Duration::from_millis(600)).await; Ok(3) }
    /// # alizarin_samples::accounts(async |accounts| {
    /// let lock = accounts.lock(&1).lease(Duration::from_millis(200)).await?;
    /// let pages = lock.during(print()).await?;
    /// assert_eq!(pages, 3);
    /// assert!(lock.release().await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `LockLost` as soon as the lock is known to be lost: the work is dropped then, at the `.await`
    /// where it is (a blocking client waits for its end). What the work itself gives.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the work is dropped too; the lock is held until its lease ends.
    pub async fn during<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.held.during(&self.document, work).await
    }

    /// Writes the document, if the lock is still held, and gives the lock back, in one step.
    /// Otherwise as [`Repository::save`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let lock = accounts.lock(&1).await?;
    /// lock.save(&Account::new(1, "Ann", 0)).await?;
    /// assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(0));
    /// # assert!(accounts.lock(&1).wait(std::time::Duration::ZERO).await.is_ok());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `LockLost` when the lease has ended, `Usage` for the document of another id; else as
    /// [`Save`](super::Save). In all these cases nothing is written.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the document is either written as a whole or not at all, and the
    /// lock is given back.
    pub async fn save(self, model: &M) -> Result<Written> {
        let Lock { repository, id, document, held } = self;
        let written = async {
            if *model.id() != id {
                let message = format!("the lock is that of `{document}`, not of this document");
                return Err(
                    Error::new(ErrorKind::Usage, message).with_field(&M::SCHEMA.ids.join(", "))
                );
            }
            let plan = Plan {
                mode: Mode::Any,
                expected: Expected::Anything,
                expiry: Expiry::of::<M>(),
                lock: Some(held.lock()),
                tell: false,
                edits: false,
            };
            let draft = Draft::of(model)?;
            let prepared = prepare(&repository, &id, draft.model(), &plan, &[])?;
            let written = send(repository.client(), prepared, &document).await?;
            draft.written(&written);
            Ok(written)
        }
        .await;
        held.end(written).await
    }

    /// Gives the lock back; says whether it was still held (a script with `DEL`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let lock = accounts.lock(&1).await?;
    /// assert!(lock.release().await?);
    /// # assert!(accounts.lock(&1).wait(std::time::Duration::ZERO).await.is_ok());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// Only those of the connection; the lease ends the lock in any case.
    ///
    /// # Cancel safety
    /// Dropped before it is done, the lock is given back in the background.
    pub async fn release(self) -> Result<bool> {
        self.held.release().await
    }
}

impl<M: RedisModel> fmt::Debug for Lock<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("document", &self.document)
            .field("fence", &self.held.fence)
            .finish_non_exhaustive()
    }
}
