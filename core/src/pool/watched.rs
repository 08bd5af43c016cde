//! Transactions on keys that nobody else changes meanwhile.

use std::time::{Duration, Instant};

use super::exclusive::Exclusive;
use super::session::Change;
use crate::client::Client;
use crate::command::{Batch, slot};
use crate::config::Backoff;
use crate::connection::{Pauses, Transaction};
use crate::error::{Error, ErrorKind, Result, Sent, ServerCode};
use crate::resp::{Packed, ToArgs};

/// So often a transaction is tried while others change its keys.
const ATTEMPTS: u32 = 16;

/// The pauses between the attempts.
const PAUSES: Backoff = Backoff::full_jitter(Duration::from_millis(1), Duration::from_millis(50));

/// A closure whose future can move to another thread, which bounds on async closures alone cannot
/// say yet.
#[doc(hidden)]
pub trait SendCall<'a, B>: FnMut(&'a mut Exclusive) -> <Self as SendCall<'a, B>>::Fut {
    /// Its future.
    type Fut: Future<Output = Result<B>> + Send;
}

impl<'a, B, F, Fut> SendCall<'a, B> for F
where
    F: FnMut(&'a mut Exclusive) -> Fut,
    Fut: Future<Output = Result<B>> + Send,
{
    type Fut = Fut;
}

/// Calls it by the bound that knows its future to be `Send`.
fn call<'x, B, F: SendCall<'x, B>>(change: &mut F, tx: &'x mut Exclusive) -> F::Fut {
    change(tx)
}

impl Client {
    /// Reads, decides, and writes as one: `WATCH`es the keys, runs `change`, which reads on the
    /// connection it is given, then runs the commands that `change` gives back between `MULTI` and
    /// `EXEC`. When somebody else changed a key meanwhile nothing is written and all begins anew,
    /// up to 16 times, after pauses of up to 50 milliseconds, but not after the
    /// [`Config::total_timeout`](crate::Config::total_timeout).
    ///
    /// On a cluster all keys must be of one slot (share a `{tag}`), those that are written too.
    ///
    /// ```
    /// # alizarin_core::__example!(client => {
    /// use alizarin_core::commands::{get, incr, set};
    ///
    /// client.set("stock", 3).await?;
    /// let (_, sold) = client
    ///     .transaction_with("stock", async |tx| {
    ///         let stock: u32 = tx.run(get("stock")).await?;
    ///         Ok((set("stock", stock - 1), incr("sold")))
    ///     })
    ///     .await?;
    /// assert_eq!(sold, 1);
    /// assert_eq!(client.get::<u32>("stock").await?, 2);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// Dropping the future closes its connection. Once `EXEC` is sent the server executes all or
    /// nothing of it.
    ///
    /// # Errors
    /// `Conflict` when others were faster every time; those of `change`, after which nothing is
    /// written; `Usage` without a key, or with keys of several slots of a cluster. When the
    /// connection is lost before the answer to `EXEC` comes, the error says that it may have been
    /// executed, and nothing is tried again.
    ///
    /// `change` may run several times: it takes an async closure, `async |tx| { .. }`, which changes
    /// nothing outside of itself but by shared references.
    pub fn transaction_with<B, F, K>(
        &self,
        keys: K,
        change: F,
    ) -> impl Future<Output = Result<B::Reply>> + use<'_, B, F, K>
    where
        B: Batch,
        F: AsyncFnMut(&mut Exclusive) -> Result<B> + for<'x> SendCall<'x, B>,
        K: ToArgs,
    {
        let mut watch = Packed::new();
        watch.push(b"WATCH");
        keys.write_keys(&mut watch);
        self.watch_and_change(watch, change)
    }

    async fn watch_and_change<B: Batch, F>(&self, watch: Packed, mut change: F) -> Result<B::Reply>
    where
        F: for<'x> SendCall<'x, B>,
    {
        let slot = self.slot_of(&watch)?;
        let until = Instant::now() + self.config().total_timeout;
        let mut pauses = Pauses::new(PAUSES);
        let mut attempts = 0;
        let mut losses = 0;
        // Once it begins anew, it has what is left of its time.
        let mut left = None;
        loop {
            let watching = self.watching(&watch, slot, left).await;
            left = Some(until.saturating_duration_since(Instant::now()));
            let mut tx = match watching {
                Ok(tx) => tx,
                Err(error) if self.learns_from(&error, until).await => continue,
                Err(error)
                    if is_lost(&error)
                        && losses < self.config().retries
                        && Instant::now() < until =>
                {
                    // Nothing but WATCH was sent.
                    losses += 1;
                    self.pause(pauses.next()).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let batch = match call(&mut change, &mut tx).await {
                Ok(batch) => batch,
                Err(error) => {
                    tx.forget().await;
                    return Err(error);
                }
            };
            if !tx.is_watching()? {
                let text = "the keys are not watched any more: `EXEC`, `UNWATCH` and `MULTI` are \
                            sent by the transaction itself";
                return Err(Error::new(ErrorKind::Usage, text));
            }
            let transaction = Transaction::new(batch, false);
            let outcome = tx.transact(&transaction).await;
            if tx.is_watching().is_ok_and(|watching| watching) {
                tx.forget().await;
            }
            drop(tx);
            match outcome {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    attempts += 1;
                    if attempts >= ATTEMPTS || Instant::now() >= until {
                        let text =
                            format!("others changed the watched keys each of the {attempts} times");
                        return Err(Error::new(ErrorKind::Conflict, text)
                            .with_sent(error.sent())
                            .with_command("EXEC"));
                    }
                    self.pause(pauses.next()).await;
                }
                Err(error)
                    if is_lost(&error)
                        && error.sent() == Sent::No
                        && losses < self.config().retries =>
                {
                    // Another server is the primary since the keys were watched.
                    losses += 1;
                }
                Err(error) if is_redirection(&error) && self.learns_from(&error, until).await => {}
                outcome => return outcome,
            }
        }
    }

    /// The one slot of all keys, where that matters.
    fn slot_of(&self, watch: &Packed) -> Result<Option<u16>> {
        let mut slots = watch.arguments().skip(1).map(slot);
        let Some(first) = slots.next() else {
            return Err(Error::new(ErrorKind::Usage, "a transaction needs a key to watch"));
        };
        if self.is_cluster() && slots.any(|slot| slot != first) {
            let text = "the watched keys belong to several slots of the cluster: give them the \
                        same {tag}";
            return Err(Error::new(ErrorKind::Usage, text).with_command("WATCH"));
        }
        Ok(Some(first))
    }

    async fn watching(
        &self,
        watch: &Packed,
        slot: Option<u16>,
        left: Option<Duration>,
    ) -> Result<Exclusive> {
        let mut tx = Exclusive::of(&self.pool_for(slot)?, left).await?;
        tx.watch(watch, Change::Watch).await?;
        Ok(tx)
    }
}

impl Exclusive {
    /// Watches nothing any more, so that the connection can be used again.
    async fn forget(&mut self) {
        let mut packed = Packed::new();
        packed.push(b"UNWATCH");
        if self.is_watching().is_ok_and(|watching| watching)
            && let Err(error) = self.watch(&packed, Change::Unwatch).await
        {
            // Then it is closed.
            tracing::debug!(%error, "cannot end watching");
        }
    }
}

fn is_lost(error: &Error) -> bool {
    error.kind() == ErrorKind::Disconnected
}

/// Whether the server refused to queue the commands since others serve the slot: none ran.
fn is_redirection(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(ServerCode::Moved | ServerCode::Ask | ServerCode::TryAgain)
    )
}
