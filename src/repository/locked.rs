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
    /// The lock is a key of its own (`SET NX PX`) that ends with its lease; the write checks in
    /// the same step that it is still held, and that the document is what was read. The time to
    /// live stays. For a lock to keep in hand, see [`Repository::lock`].
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
/// write; `Conflict` when a writer without the lock changed the document; `NotFound` when there is
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
    /// After this time, in whole milliseconds, the lock ends, whether or not the change is done:
    /// 10 s by default. It is not prolonged.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let slow = accounts.locked(&1, async |account| {
    ///     // This takes longer than the lease.
    ///     # accounts.lock(&1).await?.release().await?;
    ///     account.cents -= 100;
    ///     Ok(())
    /// });
    /// let error = slow.lease(Duration::from_millis(1)).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::LockLost);
    /// # Ok(()) });
    /// ```
    pub fn lease(mut self, lease: Duration) -> Self {
        self.terms.lease = lease;
        self
    }

    /// How long to wait for the lock: 5 s by default; zero tries once.
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
            call::<M, F>(change, &mut model).await?;
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
