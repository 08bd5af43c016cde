//! Changing fields of many documents.

use std::borrow::Borrow;

use super::Bulk;
use super::page::{Job, Jobs, Settled, Work};
use crate::model::RedisModel;
use crate::repository::prepare::{Prepared, prepare_part};
use crate::repository::script::{Expected, Expiry, Mode, Plan};
use crate::repository::{Assignment, Changes, Repository};
use crate::{Error, Result};

impl<M: RedisModel> Repository<M> {
    /// Makes the same changes to many documents, pipelined: each as [`Repository::set`] does. Gives
    /// how many there were; one that does not exist counts as absent. Takes any iterator of ids or
    /// of references to them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let gifts = accounts.set_many([1, 2, 99], |a| (a.cents.add(5), a.note.to("gift")));
    /// let report = gifts.report().await?;
    /// assert_eq!((report.done, report.absent), (2, 1));
    /// assert_eq!(accounts.get(&2).await?.map(|bob| bob.cents), Some(105));
    /// # Ok(()) });
    /// ```
    pub fn set_many<'a, I, A>(
        &'a self,
        ids: I,
        changes: impl FnOnce(M::Fields) -> A,
    ) -> Bulk<'a, M, SetMany<M, I::IntoIter>>
    where
        I: IntoIterator<Item: Borrow<M::Id>, IntoIter: Send + 'a>,
        A: Assignment<M>,
    {
        Bulk::new(self, SetMany { ids: ids.into_iter(), changes: Changing::new(changes) })
    }
}

/// The documents that are changed, by [`Repository::set_many`].
#[derive(Debug)]
pub struct SetMany<M, I> {
    ids: I,
    changes: Changing<M>,
}

impl<M, I> Jobs<M> for SetMany<M, I>
where
    M: RedisModel,
    I: Iterator<Item: Borrow<M::Id>> + Send,
{
    const FINDS: bool = true;

    async fn next(&mut self, repository: &Repository<M>, most: usize) -> Result<Vec<Job<M::Id>>> {
        let changes = self.changes.ready()?;
        let ids = self.ids.by_ref().take(most);
        Ok(ids.map(|id| changes.job(repository, id.borrow().clone())).collect())
    }

    fn settled(&mut self, _: &M::Id, _: &Result<Settled>) {}
}

/// Changes that are made to each document, or why they cannot be made.
#[derive(Debug)]
pub(super) enum Changing<M> {
    Ready(Box<Changes<M>>),
    Refused(Option<Error>),
}

impl<M: RedisModel> Changing<M> {
    pub(super) fn new<A: Assignment<M>>(changes: impl FnOnce(M::Fields) -> A) -> Changing<M> {
        let mut all = Changes::new();
        match all.push(changes) {
            Ok(()) => Changing::Ready(Box::new(all)),
            Err(error) => Changing::Refused(Some(error)),
        }
    }

    /// The changes; once the error.
    pub(super) fn ready(&mut self) -> Result<&Self> {
        if let Changing::Refused(error) = self
            && let Some(error) = error.take()
        {
            return Err(error);
        }
        Ok(self)
    }

    /// The changes of one document.
    pub(super) fn job(&self, repository: &Repository<M>, id: M::Id) -> Job<M::Id> {
        let work = match self {
            Changing::Ready(changes) => {
                let plan = Plan {
                    mode: Mode::Replace,
                    expected: Expected::Anything,
                    expiry: Expiry::Keep,
                    lock: None,
                    tell: false,
                    edits: changes.has_edits(),
                };
                match prepare_part(repository, &id, changes, None, &plan) {
                    Ok(call) => Work::Write(Prepared::Script(Box::new(call))),
                    Err(error) => Work::Refused(error),
                }
            }
            Changing::Refused(_) => Work::Pretend,
        };
        Job { id, work }
    }
}
