//! Several writes as one: documents of several repositories, and raw commands.

mod attempts;
mod failure;
mod read;
mod replies;
mod step;

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};

use alizarin_core::command::slot;
use bytes::Bytes;

use super::script::{Call, TRANSACTION};
use super::{SendCall, explain};
use crate::{Client, Error, ErrorKind, Result, ServerCode};

pub use attempts::Transact;
pub use replies::{Handle, Replies};
pub(super) use step::About;
use step::Prepared;
pub use step::Step;

/// Makes transactions: implemented by [`Client`], and in the prelude.
pub trait Transactions {
    /// An empty transaction: writes are [pushed](Transaction::push) into it, and take place together
    /// or not at all when it is [committed](Transaction::commit). Nothing is sent before that.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use alizarin::commands::incr;
    ///
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let (client, namespace) = (accounts.client(), accounts.namespace());
    /// # let transfers = format!("{namespace}transfers");
    /// let mut tx = client.begin();
    /// let ann = tx.push(accounts.set(&1, |a| a.cents.add(-50)).returning(|a| a.cents));
    /// let bob = tx.push(accounts.set(&2, |a| a.cents.add(50)));
    /// let count = tx.push(incr(&transfers));
    /// let done = tx.commit().await?;
    ///
    /// assert_eq!(done.get(ann)?, 450);
    /// assert_eq!(done.get(bob)?.version, Some(2));
    /// assert_eq!(done.get(count)?, 1);
    /// # Ok(()) });
    /// ```
    fn begin(&self) -> Transaction;

    /// Reads, decides and writes as one: calls `change` with an empty transaction, commits it, and
    /// begins anew when somebody else changed in between what it [read](Transaction::get) or
    /// [watched](Transaction::watch). Gives what `change` gave, and the replies.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let client = accounts.client();
    /// let missing = || Error::new(ErrorKind::NotFound, "no such account");
    /// let (left, _) = client
    ///     .transact(async |tx| {
    ///         let mut ann = tx.get(&accounts, &1).await?.ok_or_else(missing)?;
    ///         let mut bob = tx.get(&accounts, &2).await?.ok_or_else(missing)?;
    ///         let half = ann.cents / 2;
    ///         (ann.cents, bob.cents) = (ann.cents - half, bob.cents + half);
    ///         tx.push(accounts.save(&ann));
    ///         tx.push(accounts.save(&bob));
    ///         Ok(ann.cents)
    ///     })
    ///     .await?;
    /// assert_eq!(left, 250);
    /// assert_eq!(accounts.get(&2).await?.map(|bob| bob.cents), Some(350));
    /// # Ok(()) });
    /// ```
    ///
    /// It takes an async closure, `async |tx| { .. }`, which may run several times: what it does
    /// outside of the transaction, it does with every attempt. What it captures it captures by shared
    /// reference, or can be cloned.
    fn transact<'a, F, T>(&'a self, change: F) -> Transact<'a, F, T>
    where
        F: AsyncFnOnce(&mut Transaction) -> Result<T>
            + for<'x> SendCall<'x, Transaction, T>
            + Clone
            + Send
            + 'a;
}

impl Transactions for Client {
    fn begin(&self) -> Transaction {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Transaction {
            client: self.clone(),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            steps: Vec::new(),
            written: HashMap::new(),
            first: None,
            refused: None,
        }
    }

    fn transact<'a, F, T>(&'a self, change: F) -> Transact<'a, F, T>
    where
        F: AsyncFnOnce(&mut Transaction) -> Result<T>
            + for<'x> SendCall<'x, Transaction, T>
            + Clone
            + Send
            + 'a,
    {
        Transact::new(self, change)
    }
}

/// Writes that take place together or not at all, from [`Transactions::begin`]:
/// [`save`](super::Repository::save), [`insert`](super::Repository::insert),
/// [`replace`](super::Repository::replace), [`set`](super::Repository::set),
/// [`upsert`](super::Repository::upsert) and [`delete`](super::Repository::delete) of any repository
/// of the same client, with their options, and raw commands. Generated ids are taken beforehand, from
/// [`next_id`](super::Repository::next_id).
///
/// # All or nothing
/// It is one script, which runs each step up to its first write before any of them writes: types,
/// versions, existence, unique values, locks and permissions of all are checked. A step that is
/// refused leaves nothing behind, and the error says which it was ([`Error::step`]), and what it says
/// when it stands alone. Versions are counted, stamps set, events published, times to live begun,
/// and hooks run as ever.
///
/// The server rolls nothing back. Of raw commands the name, the number of arguments, the permission
/// and the slot are checked beforehand, and of the usual ones of strings, hashes, lists, sets, sorted
/// sets and streams the type of the key. One that fails all the same (`HINCRBY` of text, say) does so
/// when it runs. That is why raw commands run before the documents are written, in their order: then
/// no document is written, and of the commands those before it took place, which
/// [`FailedStep::done`](crate::FailedStep::done) names.
///
/// # What a step sees
/// Each step is checked against what was there before the transaction. So a document can be in one
/// writing step only, and its key in no command. Unique values are an exception: what one step gives
/// up another may have, in whatever order.
///
/// # Cluster
/// All keys have to be in one slot (share a `{tag}`). Others are refused before anything is sent, with
/// `Server(CrossSlot)`; the slots of keys that the client cannot know, since they were given to a
/// command by `arg`, are checked on the server, before any write. Unique fields need a hash tag in the
/// namespace or prefix, since their reservations lie in other slots otherwise (`Usage`).
///
/// # What it costs
/// One round trip. Other clients wait while the script runs, as with any script.
#[must_use = "nothing is written before `commit`"]
pub struct Transaction {
    client: Client,
    /// Tells its handles from those of others.
    number: u64,
    steps: Vec<Planned>,
    /// The keys that steps write: which step, and whether it is a document's.
    written: HashMap<Vec<u8>, (usize, bool)>,
    /// The first key, by which a cluster finds the node.
    first: Option<Vec<u8>>,
    /// Why it cannot be committed.
    refused: Option<Error>,
}

/// Runs the hook after a step, given its reply.
type After = Box<dyn FnOnce(&Bytes) + Send>;

/// A step, ready to be sent.
struct Planned {
    about: About,
    body: &'static str,
    keys: Vec<Vec<u8>>,
    arguments: alizarin_core::resp::Packed,
    after: Option<After>,
}

impl Planned {
    fn is_document(&self) -> bool {
        matches!(self.body, "write" | "delete")
    }
}

impl Transaction {
    /// Adds a step; by the handle its reply is taken out of the [`Replies`]. Nothing is sent. A step
    /// that cannot be right (a value that cannot be stored, keys of several slots of a cluster) lets
    /// [`commit`](Transaction::commit) fail before anything is sent.
    ///
    /// The document or id is not borrowed any longer than this takes: its hooks before the write run
    /// here.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use alizarin::Command;
    ///
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let key = format!("{}log", accounts.namespace());
    /// let mut tx = accounts.client().begin();
    /// tx.push(accounts.delete(&1).if_version(1));
    /// let length = tx.push(Command::<u64>::new("LPUSH").key(&key).arg("account 1 is closed"));
    /// assert_eq!(tx.commit().await?.get(length)?, 1);
    /// assert!(!accounts.exists(&1).await?);
    /// # Ok(()) });
    /// ```
    pub fn push<S: Step>(&mut self, step: S) -> Handle<S::Reply> {
        let (number, at) = (self.number, self.steps.len());
        match step.prepare() {
            (about, Ok(prepared)) => {
                let decode = prepared.decode;
                self.add(about, prepared);
                Handle { transaction: number, at, decode }
            }
            (about, Err(error)) => {
                self.refuse(&about, error);
                Handle { transaction: number, at, decode: replies::never }
            }
        }
    }

    /// Adds a step that is laid out.
    fn add<R>(&mut self, about: About, prepared: Prepared<R>) {
        if let Err(error) = self.check(&prepared) {
            self.refuse(&about, error);
        }
        let Prepared { body, keys, arguments, after, .. } = prepared;
        let planned = Planned { about, body, keys, arguments, after };
        if self.first.is_none() {
            self.first = planned.keys.first().cloned();
        }
        if planned.is_document() || body == "command" {
            let at = (self.steps.len(), planned.is_document());
            // Of a document the first key, since the others are its lock and the like.
            let most = if at.1 { 1 } else { planned.keys.len() };
            for key in planned.keys.iter().take(most) {
                self.written.entry(key.clone()).or_insert(at);
            }
        }
        self.steps.push(planned);
    }

    fn refuse(&mut self, about: &About, error: Error) {
        let number = self.steps.len() + 1;
        self.refused.get_or_insert_with(|| error.with_step(about.failed(number, Vec::new())));
    }

    /// Whether a step can be in the transaction, as far as it can be known before it is sent.
    fn check<R>(&self, step: &Prepared<R>) -> Result<()> {
        if step.client.as_ref().is_some_and(|client| !client.is_same(&self.client)) {
            let text = "the repository is one of another client than the transaction";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let document = matches!(step.body, "write" | "delete");
        let writes = document || step.body == "command";
        for key in step.keys.iter().take(if document { 1 } else { usize::MAX }) {
            let Some((at, other)) = self.written.get(key).filter(|_| writes) else { continue };
            if document || *other {
                return Err(failure::twice(at + 1, &String::from_utf8_lossy(key)));
            }
        }
        if !self.client.is_cluster() {
            return Ok(());
        }
        if step.scattered {
            let text =
                "it concerns several nodes of the cluster: it cannot be part of a transaction";
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let first = self.first.as_ref().or(step.keys.first());
        let Some(first) = first else { return Ok(()) };
        match step.keys.iter().find(|key| slot(key) != slot(first)) {
            None => Ok(()),
            Some(key) => Err(failure::cross_slot(first, &String::from_utf8_lossy(key), slot(key))),
        }
    }

    /// Sends it: all of it takes place, or nothing (one script).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut tx = accounts.client().begin();
    /// tx.push(accounts.save(&Account::new(1, "Ann", 0)));
    /// tx.push(accounts.insert(&Account::new(2, "Bob", 0)));
    /// let error = tx.commit().await.unwrap_err();
    ///
    /// assert_eq!(error.kind(), ErrorKind::Exists);
    /// let step = error.step().expect("a step that failed");
    /// assert_eq!((step.number, step.name.as_str()), (2, "insert"));
    /// assert_eq!(step.key.as_deref(), Some(&*accounts.key(&2)));
    /// // Nothing was written.
    /// assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(500));
    /// # Ok(()) });
    /// ```
    pub fn commit(self) -> Commit {
        Commit { transaction: self }
    }

    async fn run(self) -> Result<Replies> {
        let Transaction { client, number, mut steps, first, refused, .. } = self;
        if let Some(error) = refused {
            return Err(error);
        }
        if steps.is_empty() {
            return Ok(Replies::none(number));
        }
        let slot = match first {
            _ if !client.is_cluster() => String::new(),
            Some(first) => slot(&first).to_string(),
            None => {
                let text = "none of the transaction's steps has a key, so it belongs to no node of \
                            the cluster";
                return Err(Error::new(ErrorKind::Server(ServerCode::CrossSlot), text));
            }
        };
        let call = lay_out(&slot, &steps);
        let replies = match call.run::<Replies>(&client).await {
            Ok(replies) => replies.of(number, steps.len())?,
            Err(error) => return Err(failure::in_step(error, &steps)),
        };
        for (at, step) in steps.iter_mut().enumerate() {
            if let (Some(after), Some(reply)) = (step.after.take(), replies.at(at)) {
                after(reply);
            }
        }
        Ok(replies)
    }
}

fn lay_out(slot: &str, steps: &[Planned]) -> Call {
    let mut call = Call::without_keys(&TRANSACTION);
    call.arg(slot).arg(steps.len().to_string());
    for step in steps {
        for key in &step.keys {
            call.key(key);
        }
        call.arg(step.body)
            .arg(step.keys.len().to_string())
            .arg(step.arguments.argc().to_string())
            .args(&step.arguments);
    }
    call
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.steps.iter().map(|step| &step.about).collect();
        f.debug_struct("Transaction")
            .field("steps", &steps)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

/// A transaction on its way, from [`Transaction::commit`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let mut tx = accounts.client().begin();
/// let deleted = tx.push(accounts.delete(&1));
/// let commit = tx.commit();
/// // Nothing was sent so far.
/// assert!(accounts.exists(&1).await?);
/// assert!(commit.await?.get(deleted)?);
/// # Ok(()) });
/// ```
///
/// # Errors
/// What the first refused step gives when it stands alone (`Exists`, `NotFound`, `Conflict`, `Taken`,
/// `LockLost`, `Value`, `Server(WrongType)`, `Server(NoPerm)`, ...), with [`Error::step`] naming the
/// step; `Usage` for a document that two steps write, or a repository of another client;
/// `Server(CrossSlot)` for keys of several slots of a cluster. In all these cases nothing was written.
/// What a raw command gives that failed when it ran: then the steps that
/// [`FailedStep::done`](crate::FailedStep::done) names took place, and no others.
///
/// When the answer is lost the error's [`sent`](Error::sent) is `Unknown`: either all of it took place
/// or nothing. It is never sent again by itself.
///
/// # Cancel safety
/// Dropped before it is done, either all of it takes place or nothing.
#[must_use = "a transaction does nothing until it is awaited"]
pub struct Commit {
    transaction: Transaction,
}

impl IntoFuture for Commit {
    type Output = Result<Replies>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Replies>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.transaction.run())
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Commit").field(&self.transaction).finish()
    }
}
