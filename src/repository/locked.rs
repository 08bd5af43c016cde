//! Changes under a lock: one at a time, with time for slow work in between.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Repository;
use super::lock::{Held, Terms};
use super::update::{read, write};
use crate::Result;
use crate::model::RedisModel;

/// A closure over a document whose future can be sent between threads: every `async` closure
/// whose captures can. Not called by users: [`Repository::locked`] does.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::accounts(async |accounts| {
/// let (fee, ledger) = (5, std::sync::Mutex::new(Vec::new()));
/// let charge = async |account: &mut Account| {
///     account.cents -= fee;
///     ledger.lock().expect("not poisoned").push(account.id);
///     Ok(())
/// };
/// accounts.locked(&1, charge).await?;
/// assert_eq!(ledger.into_inner()?, [1]);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "this closure cannot change a document under a lock",
    note = "it is `async |m| {{ .. ; Ok(()) }}`, and what it holds across `.await` is `Send`"
)]
pub trait SendCall<'a, M: 'a, T>: FnOnce(&'a mut M) -> <Self as SendCall<'a, M, T>>::Fut {
    /// Its future.
    type Fut: Future<Output = Result<T>> + Send;
}

impl<'a, M: 'a, T, F, Fut> SendCall<'a, M, T> for F
where
    F: FnOnce(&'a mut M) -> Fut,
    Fut: Future<Output = Result<T>> + Send,
{
    type Fut = Fut;
}

/// Calls it by the bound that knows its future to be `Send`.
fn call<'x, M, F: SendCall<'x, M, ()>>(change: F, model: &'x mut M) -> F::Fut {
    change(model)
}

impl<M: RedisModel> Repository<M> {
    /// Changes a document under its lock: no other `locked` call of the same document runs
    /// meanwhile. Gives the document as it was written.
    ///
    /// The lock is a key of its own (`SET NX PX`) that ends with its lease, which is extended for
    /// as long as the closure runs. The time to live stays. For a lock to keep in hand, see
    /// [`Repository::lock`]; to give up at once when it is not free, [`Repository::try_locked`].
    ///
    /// A lock alone makes for efficiency, not for correctness: one whose lease ended unnoticed,
    /// because its process stood still or the server lost the lock in a failover, believes to hold it
    /// still. That is why the write itself checks, in the same step on the server, that the lock's
    /// random token is still there, and that the document is what was read: of two who both believe
    /// to hold the lock, only the one who does can write. What else the closure does, to other
    /// documents or services, nobody checks; give those the number that
    /// [`Lock::fence`](super::Lock::fence) has.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # async fn interest(cents: i64) -> Result<i64> { Ok(cents / 100) }
    /// # alizarin_samples::accounts(async |accounts| {
    /// let ann = accounts
    ///     .locked(&1, async |account| {
    ///         // A call to another service, say.
    ///         account.cents += interest(account.cents).await?;
    ///         Ok(())
    ///     })
    ///     .await?;
    /// assert_eq!(ann.cents, 505);
    /// # Ok(()) });
    /// ```
    ///
    /// It takes an async closure, `async |account| { .. }`: the older form `|account| async move { .. }`
    /// cannot lend the document to its future, and does not compile.
    pub fn locked<'a, F>(&'a self, id: &'a M::Id, change: F) -> Locked<'a, M, F>
    where
        F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
    {
        Locked { repository: self, id, change, terms: Terms::default() }
    }

    /// The same as [`locked`](Repository::locked), if the lock is free at once; else `Locked`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let held = accounts.lock(&1).await?;
    /// let pay = async |account: &mut Account| { account.cents -= 100; Ok(()) };
    /// # use alizarin_samples::Account;
    /// assert_eq!(accounts.try_locked(&1, pay).await.unwrap_err().kind(), ErrorKind::Locked);
    /// held.release().await?;
    /// assert_eq!(accounts.try_locked(&1, pay).await?.cents, 400);
    /// # Ok(()) });
    /// ```
    pub fn try_locked<'a, F>(&'a self, id: &'a M::Id, change: F) -> Locked<'a, M, F>
    where
        F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
    {
        self.locked(id, change).wait(Duration::ZERO)
    }
}

/// A change under a lock, from [`Repository::locked`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let (doubled, tripled) = tokio::join!(
///     accounts.locked(&1, async |account| { account.cents *= 2; Ok(()) }),
///     accounts.locked(&1, async |account| { account.cents *= 3; Ok(()) }),
/// );
/// assert!(doubled.is_ok() && tripled.is_ok());
/// assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(3000));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Locked` when the lock was not free in time; `LockLost` when the lease ended before the
/// write: it could not be extended, or somebody removed the lock. The closure is dropped at the
/// `.await` where it is then, unless it runs on a blocking client; `Conflict` when a writer without the lock changed the document; `NotFound` when there is
/// none; `Value` for a lease that the server cannot count, less than a millisecond or too long;
/// `Usage` when the closure changed the id; what the closure gives; else as [`Get`](super::Get)
/// and [`Save`](super::Save). In all these cases nothing is written.
///
/// # Cancel safety
/// Dropped before it is done, the lock is given back, and the document is either changed as a
/// whole or not at all.
#[must_use = "a change does nothing until it is awaited"]
pub struct Locked<'a, M: RedisModel, F> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    change: F,
    terms: Terms,
}

impl<'a, M: RedisModel, F> Locked<'a, M, F>
where
    F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
{
    /// For how long the lock outlives the last sign of life of its holder, in whole milliseconds:
    /// 5 s by default. While the closure runs it is extended after each third of that time: by the
    /// task that runs the closure, each time that the closure waits, and with a blocking client by a
    /// thread that is started for it. Work without an `.await` that takes longer than the lease loses
    /// the lock.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let slow = accounts.locked(&1, async |account| {
    ///     // Much longer than the lease, as if a service were slow.
    ///     tokio::time::sleep(Duration::from_millis(600)).await;
    ///     account.cents -= 100;
    ///     Ok(())
    /// });
    /// assert_eq!(slow.lease(Duration::from_millis(200)).await?.cents, 400);
    /// # Ok(()) });
    /// ```
    pub fn lease(mut self, lease: Duration) -> Self {
        self.terms.lease = lease;
        self
    }

    /// How long to wait for the lock: 10 s by default, longer than the lease, so that the lock of a
    /// process that died is waited for to its end; zero tries once. The pauses in between are random
    /// and grow to 32 ms.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let held = accounts.lock(&1).await?;
    /// let pay = accounts.locked(&1, async |account| { account.cents -= 100; Ok(()) });
    /// let error = pay.wait(Duration::ZERO).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Locked);
    /// # held.release().await?;
    /// # Ok(()) });
    /// ```
    pub fn wait(mut self, wait: Duration) -> Self {
        self.terms.wait = wait;
        self
    }

    async fn run(self) -> Result<M> {
        let Locked { repository, id, change, terms } = self;
        let key = repository.key(id);
        let held = Held::take(repository, &key, terms).await?;
        let outcome = async {
            let (mut model, expected) = read(repository, &key).await?;
            held.during(&key, call::<M, F>(change, &mut model)).await?;
            write(repository, id, model, expected, Some(held.lock())).await
        }
        .await;
        held.end(outcome).await
    }
}

impl<'a, M: RedisModel, F> IntoFuture for Locked<'a, M, F>
where
    F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
{
    type Output = Result<M>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<M>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: RedisModel, F> fmt::Debug for Locked<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked")
            .field("key", &self.repository.key(self.id))
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}
