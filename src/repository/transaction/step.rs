//! The steps of a transaction.

use std::fmt;

use alizarin_core::command::{Flags, IntoCommand};
use alizarin_core::known_keys;
use alizarin_core::resp::{Packed, Reader};

use super::After;
use crate::model::RedisModel;
use crate::repository::outcome::Outcome;
use crate::repository::{
    Call, Delete, Repository, Returned, Save, Set, SetReturning, Upsert, Written,
};
use crate::{Client, Command, Error, ErrorKind, FailedStep, FromReply, Result};

/// As many arguments a script can give to a command.
const ARGUMENTS: usize = 7_000;

/// What can be a step of a [`Transaction`](super::Transaction).
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// use alizarin::repository::{Step, Transaction};
///
/// // Something to be done together with any write.
/// fn logged<S: Step>(tx: &mut Transaction, step: S, log: &str) -> alizarin::repository::Handle<S::Reply> {
///     tx.push(alizarin::Command::<u64>::new("LPUSH").key(log).arg("a write"));
///     tx.push(step)
/// }
///
/// # alizarin_samples::accounts(async |accounts| {
/// # let log = format!("{}log", accounts.namespace());
/// let mut tx = accounts.client().begin();
/// let saved = logged(&mut tx, accounts.save(&Account::new(3, "Cem", 0)), &log);
/// assert!(tx.commit().await?.get(saved)?.created);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a step of a transaction",
    note = "`save`, `insert`, `replace`, `set`, `upsert` and `delete` of a repository can, and raw commands; instead of `create`, take a `next_id` and `insert`"
)]
pub trait Step {
    /// What it gives.
    type Reply;

    /// What it is, for errors; and it, laid out. The errors are `Value` and `Usage`, as when it is
    /// awaited by itself, and what the hooks before it give.
    #[doc(hidden)]
    fn prepare(self) -> (About, Result<Prepared<Self::Reply>>);
}

/// What a step is.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct About {
    pub(super) name: String,
    pub(super) model: Option<&'static str>,
    pub(super) key: Option<String>,
}

impl About {
    /// A step about a document.
    pub(in crate::repository) fn document<M: RedisModel>(
        name: &str,
        repository: &Repository<M>,
        id: &M::Id,
    ) -> About {
        About::at::<M>(name, repository.key(id))
    }

    /// The same, by its key.
    pub(super) fn at<M: RedisModel>(name: &str, key: String) -> About {
        About { name: name.to_owned(), model: Some(M::SCHEMA.name), key: Some(key) }
    }

    pub(super) fn failed(&self, number: usize, done: Vec<usize>) -> FailedStep {
        let About { name, model, key } = self.clone();
        FailedStep { number, name, model: model.map(str::to_owned), key, done }
    }
}

/// A step, laid out.
#[doc(hidden)]
pub struct Prepared<R> {
    /// Whose repository it is of.
    pub(super) client: Option<Client>,
    /// The part of the script that does it.
    pub(super) body: &'static str,
    pub(super) keys: Vec<Vec<u8>>,
    /// Whether it would concern several nodes of a cluster.
    pub(super) scattered: bool,
    pub(super) arguments: Packed,
    pub(super) after: Option<After>,
    pub(super) decode: fn(&mut Reader<'_>) -> Result<R>,
}

impl<R> Prepared<R> {
    /// One of a document.
    pub(super) fn document<M: RedisModel>(
        repository: &Repository<M>,
        body: &'static str,
        call: Call,
        decode: fn(&mut Reader<'_>) -> Result<R>,
    ) -> Result<Prepared<R>> {
        if call.is_apart() {
            let text = format!(
                "the reservations of {}'s unique fields lie in other slots of the cluster: in a \
                 transaction the namespace or the prefix needs a hash tag",
                M::SCHEMA.name
            );
            return Err(Error::new(ErrorKind::Usage, text));
        }
        let (keys, arguments) = call.into_parts();
        let keys = keys.arguments().map(<[u8]>::to_vec).collect();
        let client = Some(repository.client().clone());
        Ok(Prepared { client, body, keys, scattered: false, arguments, after: None, decode })
    }

    /// With a hook that comes after it, where there is what it is called with.
    fn then<T: Send + 'static>(
        mut self,
        with: Option<T>,
        hook: impl FnOnce(&T, &mut Reader<'_>) + Send + 'static,
    ) -> Prepared<R> {
        self.after = with.map(|with| -> After {
            Box::new(move |reply| hook(&with, &mut Reader::shared(reply)))
        });
        self
    }
}

impl<R> fmt::Debug for Prepared<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("body", &self.body).finish_non_exhaustive()
    }
}

fn written(reader: &mut Reader<'_>) -> Result<Written> {
    Outcome::from_reply(reader).map(|outcome| outcome.written)
}

/// The write of a whole document; the hook comes after it where it did what is `wanted`.
fn whole<M: RedisModel>(
    repository: &Repository<M>,
    laid_out: Result<(Call, Option<M>)>,
    wanted: fn(&Written) -> bool,
) -> Result<Prepared<Written>> {
    let (call, model) = laid_out?;
    let prepared = Prepared::document(repository, "write", call, written)?;
    Ok(prepared.then(model, move |model, reply| {
        if let Some(written) = written(reply).ok().filter(wanted) {
            model.hook_after_save(&written);
        }
    }))
}

impl<M: RedisModel> Step for Save<'_, M> {
    type Reply = Written;

    fn prepare(self) -> (About, Result<Prepared<Written>>) {
        let (about, repository) = (self.about(), self.repository);
        (about, whole(repository, self.into_call(), |_| true))
    }
}

impl<M: RedisModel> Step for Upsert<'_, M> {
    type Reply = Written;

    fn prepare(self) -> (About, Result<Prepared<Written>>) {
        let (about, repository) = (self.about(), self.repository);
        (about, whole(repository, self.into_call(), |written| written.created))
    }
}

impl<M: RedisModel> Step for Set<'_, M> {
    type Reply = Written;

    fn prepare(self) -> (About, Result<Prepared<Written>>) {
        let (about, repository) = (self.about(), self.repository);
        let call = self.into_call(&Packed::new());
        (about, call.and_then(|call| Prepared::document(repository, "write", call, written)))
    }
}

impl<M: RedisModel, F: Returned<M>> Step for SetReturning<'_, M, F> {
    type Reply = F::Values;

    fn prepare(self) -> (About, Result<Prepared<F::Values>>) {
        let (about, repository) = (self.set.about(), self.set.repository);
        let mut names = Packed::new();
        F::names(&mut names);
        let prepared = self.set.into_call(&names).and_then(|call| {
            Prepared::document(repository, "write", call, |reader| {
                F::read(&mut Outcome::from_reply(reader)?.values.into_iter())
            })
        });
        (about, prepared)
    }
}

/// Gives whether there was a document; with a version there has to be one.
impl<M: RedisModel> Step for Delete<'_, M> {
    type Reply = bool;

    fn prepare(self) -> (About, Result<Prepared<bool>>) {
        let (about, repository) = (self.about(), self.repository);
        let prepared = self.into_call().and_then(|(call, id)| {
            let prepared = Prepared::document(repository, "delete", call, bool::from_reply)?;
            Ok(prepared.then(Some(id), |id, reply| {
                if bool::from_reply(reply).is_ok_and(|deleted| deleted) {
                    M::hook_after_delete(id);
                }
            }))
        });
        (about, prepared)
    }
}

impl<R: FromReply, C: IntoCommand<Reply = R>> Step for C {
    type Reply = R;

    fn prepare(self) -> (About, Result<Prepared<R>>) {
        let command = self.into_command();
        let key = command.packed().first_key().map(|key| String::from_utf8_lossy(key).into_owned());
        (About { name: command.packed().name(), model: None, key }, of_command(&command))
    }
}

fn of_command<R: FromReply>(command: &Command<R>) -> Result<Prepared<R>> {
    let (packed, flags) = (command.packed(), command.known_flags());
    let refused = |text: &str| Err(Error::new(ErrorKind::Usage, text.to_owned()));
    if flags.contains(Flags::SESSION) {
        return refused("it changes the connection, and cannot be part of a transaction");
    }
    if flags.contains(Flags::BLOCKING) {
        return refused("a command that waits cannot be part of a transaction: run it alone");
    }
    if packed.argc() > ARGUMENTS {
        return refused(&format!("a command of a transaction has at most {ARGUMENTS} arguments"));
    }
    let keys = known_keys(packed);
    Ok(Prepared {
        client: None,
        body: "command",
        scattered: keys.is_none(),
        keys: keys.unwrap_or_default(),
        arguments: packed.clone(),
        after: None,
        decode: R::from_reply,
    })
}
