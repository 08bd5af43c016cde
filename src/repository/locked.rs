//! Changes under a lock: one at a time, with time for slow work in between.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Repository;
use super::lock::Held;
use super::update::{read, write};
use crate::Result;
use crate::model::RedisModel;

/// A closure over a document whose future can be sent between threads: every `async` closure
/// whose captures can.
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
    /// the same step that it is still held, and that the document is what was read.
    pub fn locked<'a, F>(&'a self, id: &'a M::Id, change: F) -> Locked<'a, M, F>
    where
        F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
    {
        Locked {
            repository: self,
            id,
            change,
            lease: Duration::from_secs(10),
            wait: Duration::from_secs(10),
        }
    }
}

/// A change under a lock, from [`Repository::locked`].
///
/// # Errors
/// `Locked` when the lock was not free in time; `LockLost` when the lease ended before the
/// write; `Conflict` when a writer without the lock changed the document; `NotFound` when there is
/// none; what the closure gives. In all these cases nothing is written.
///
/// # Cancel safety
/// Dropped before it is done, the lock is given back, and the document is either changed as a
/// whole or not at all.
#[must_use = "a change does nothing until it is awaited"]
pub struct Locked<'a, M: RedisModel, F> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    change: F,
    lease: Duration,
    wait: Duration,
}

impl<'a, M: RedisModel, F> Locked<'a, M, F>
where
    F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
{
    /// After this time the lock ends, whether or not the change is done: 10 s by default. It is
    /// not prolonged.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How long to wait for the lock: 10 s by default; zero tries once.
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    async fn run(self) -> Result<M> {
        let key = self.repository.key(self.id);
        let held = Held::take(self.repository, &key, self.lease, self.wait).await?;
        let outcome = self.change(&key, &held).await;
        match outcome {
            // The write gave the lock back itself.
            Ok(model) => {
                held.forget();
                Ok(model)
            }
            Err(error) => {
                held.release().await;
                Err(error)
            }
        }
    }

    async fn change(self, key: &str, held: &Held) -> Result<M> {
        let (mut model, expected) = read(self.repository, key).await?;
        call::<M, F>(self.change, &mut model).await?;
        let lock = Some((held.key.as_str(), held.token.as_str()));
        write(self.repository, self.id, model, expected, lock).await
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
            .field("lease", &self.lease)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
