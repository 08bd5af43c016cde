//! Transactions that begin anew when others changed what they read.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use super::{Replies, Transaction, Transactions as _};
use crate::repository::SendCall;
use crate::repository::update::pause;
use crate::{Client, Error, ErrorKind, Result};

/// How often a transaction is tried, unless [`Transact::attempts`] says otherwise.
const ATTEMPTS: u32 = 16;

/// A transaction that is tried until nobody else was faster, from
/// [`Transactions::transact`](super::Transactions::transact).
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// # let client = accounts.client().clone();
/// // No change is lost, however many tasks make one.
/// let transfers = (0..8).map(|_| {
///     let (client, accounts) = (client.clone(), accounts.clone());
///     tokio::spawn(async move {
///         let transfer = client.transact(async |tx| {
///             let (ann, bob) = (tx.get(&accounts, &1).await?, tx.get(&accounts, &2).await?);
///             let (Some(mut ann), Some(mut bob)) = (ann, bob) else {
///                 return Err(Error::new(ErrorKind::NotFound, "an account is closed"));
///             };
///             (ann.cents, bob.cents) = (ann.cents - 10, bob.cents + 10);
///             tx.push(accounts.save(&ann));
///             tx.push(accounts.save(&bob));
///             Ok(())
///         });
///         transfer.attempts(1_000).await
///     })
/// });
/// for transfer in transfers.collect::<Vec<_>>() {
///     transfer.await??;
/// }
/// assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(420));
/// assert_eq!(accounts.get(&2).await?.map(|bob| bob.cents), Some(180));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Conflict` when others were faster in all attempts; what the closure gives; else as
/// [`Commit`](super::Commit). A commit that may have taken place (`Sent::Unknown`) is not tried again.
///
/// # Cancel safety
/// Dropped before it is done, either all of a transaction takes place or nothing.
#[must_use = "a transaction does nothing until it is awaited"]
pub struct Transact<'a, F, T> {
    client: &'a Client,
    change: F,
    attempts: u32,
    value: PhantomData<fn() -> T>,
}

impl<'a, F, T> Transact<'a, F, T>
where
    F: AsyncFnOnce(&mut Transaction) -> Result<T>
        + for<'x> SendCall<'x, Transaction, T>
        + Clone
        + Send
        + 'a,
{
    pub(super) fn new(client: &'a Client, change: F) -> Transact<'a, F, T> {
        Transact { client, change, attempts: ATTEMPTS, value: PhantomData }
    }

    /// How often it is tried at most: 16 times by default, at least once.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let client = accounts.client();
    /// let failed = client.transact(async |tx| {
    ///     tx.get(&accounts, &1).await?;
    ///     // Each time somebody else is faster.
    ///     accounts.update(&1, |ann| ann.cents += 1).await?;
    ///     tx.push(accounts.set(&2, |bob| bob.cents.to(0)));
    ///     Ok(())
    /// });
    /// let error = failed.attempts(3).await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Conflict);
    /// assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(503));
    /// # Ok(()) });
    /// ```
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    async fn run(self) -> Result<(T, Replies)> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let mut transaction = self.client.begin();
            let value = call(self.change.clone(), &mut transaction).await?;
            match transaction.commit().await {
                Ok(replies) => return Ok((value, replies)),
                Err(error) if error.kind() == ErrorKind::Conflict && attempt < self.attempts => {
                    tracing::debug!(%error, attempt, "the transaction begins anew");
                    self.client.pause(pause(attempt)).await;
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    return Err(in_vain(error, attempt));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// The last attempt's conflict, which says how many there were.
fn in_vain(error: Error, attempts: u32) -> Error {
    let text =
        format!("a conflict in each of {attempts} attempts; in the last {}", error.message());
    let mut told = Error::new(ErrorKind::Conflict, text).with_sent(error.sent());
    if let Some(versions) = error.versions() {
        told = told.with_versions(versions);
    }
    if let Some(step) = error.step() {
        told = told.with_step(step.clone());
    }
    told.with_source(error)
}

/// Calls it by the bound that knows its future to be `Send`.
fn call<'x, T, F: SendCall<'x, Transaction, T>>(
    change: F,
    transaction: &'x mut Transaction,
) -> F::Fut {
    change(transaction)
}

impl<'a, F, T> IntoFuture for Transact<'a, F, T>
where
    F: AsyncFnOnce(&mut Transaction) -> Result<T>
        + for<'x> SendCall<'x, Transaction, T>
        + Clone
        + Send
        + 'a,
    T: Send + 'a,
{
    type Output = Result<(T, Replies)>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<(T, Replies)>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<F, T> fmt::Debug for Transact<'_, F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transact").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}
