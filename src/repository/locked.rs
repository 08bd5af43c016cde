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
    /// the same step that it is still held, and that the document is what was read. For a lock to
    /// keep in hand, see [`Repository::lock`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # #[derive(Debug, Clone, PartialEq, RedisModel)]
    /// # #[redis(json, prefix = "film")]
    /// # struct Film { #[redis(id)] id: u32, rating: f32 }
    /// # async fn ask_the_critics(film: &Film) -> Result<f32> { Ok(film.rating + 1.0) }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    /// # let server = alizarin_testkit::Server::start()?;
    /// # let films: Repository<Film> = Client::connect(server.url().as_str()).await?.repository();
    /// # films.save(&Film { id: 1, rating: 7.0 }).await?;
    /// let film = films
    ///     .locked(&1, async |film| {
    ///         film.rating = ask_the_critics(film).await?;
    ///         Ok(())
    ///     })
    ///     .await?;
    /// assert_eq!(film.rating, 8.0);
    /// # Ok(()) }
    /// ```
    pub fn locked<'a, F>(&'a self, id: &'a M::Id, change: F) -> Locked<'a, M, F>
    where
        F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
    {
        Locked { repository: self, id, change, terms: Terms::default() }
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
    terms: Terms,
}

impl<'a, M: RedisModel, F> Locked<'a, M, F>
where
    F: AsyncFnOnce(&mut M) -> Result<()> + for<'x> SendCall<'x, M, ()> + Send + 'a,
{
    /// After this time the lock ends, whether or not the change is done: 10 s by default. It is
    /// not prolonged.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.terms.lease = lease;
        self
    }

    /// How long to wait for the lock: 5 s by default; zero tries once.
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
