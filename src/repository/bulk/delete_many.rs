//! Deleting many documents by their ids.

use std::borrow::Borrow;

use super::Bulk;
use super::page::{Job, Jobs, Settled, Steps, Work};
use crate::Result;
use crate::model::RedisModel;
use crate::repository::Repository;
use crate::repository::delete::prepare_delete;
use crate::repository::script::Expected;

impl<M: RedisModel> Repository<M> {
    /// Deletes many documents, pipelined: each as [`Repository::delete`] does. Gives how many there
    /// were. Takes any iterator of ids or of references to them. Where documents of other models are
    /// told to refer to them ([`referred_by`](Repository::referred_by)), one goes after the other.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let report = accounts.delete_many([1, 2, 99]).report().await?;
    /// assert_eq!((report.done, report.absent), (2, 1));
    /// # Ok(()) });
    /// ```
    pub fn delete_many<'a, I>(&'a self, ids: I) -> Bulk<'a, M, DeleteMany<I::IntoIter>>
    where
        I: IntoIterator<Item: Borrow<M::Id>, IntoIter: Send + 'a>,
    {
        Bulk::new(self, DeleteMany { ids: ids.into_iter() })
    }
}

/// The documents that are deleted, by [`Repository::delete_many`].
#[derive(Debug)]
pub struct DeleteMany<I> {
    ids: I,
}

impl<M, I> Jobs<M> for DeleteMany<I>
where
    M: RedisModel,
    I: Iterator<Item: Borrow<M::Id>> + Send,
{
    const FINDS: bool = true;

    async fn next(&mut self, repository: &Repository<M>, most: usize) -> Result<Vec<Job<M::Id>>> {
        let ids = self.ids.by_ref().take(most);
        Ok(ids.map(|id| deletion(repository, id.borrow().clone())).collect())
    }

    fn settled(&mut self, id: &M::Id, outcome: &Result<Settled>) {
        deleted::<M>(id, outcome);
    }
}

/// The deletion of one document.
pub(super) fn deletion<M: RedisModel>(repository: &Repository<M>, id: M::Id) -> Job<M::Id> {
    let work = match M::hook_before_delete(&id) {
        Ok(()) if repository.rules().is_some() => {
            let (repository, id) = (repository.clone(), id.clone());
            Work::Steps(Steps(Box::new(move || {
                Box::pin(async move {
                    let deletion = repository.delete_referred(&id, &Expected::Anything);
                    deletion.await.map(|deletion| Settled::of(&deletion))
                })
            })))
        }
        Ok(()) => Work::Write(prepare_delete(repository, &id, &Expected::Anything)),
        Err(error) => Work::Refused(error),
    };
    Job { id, work }
}

/// Runs the hook that comes after a deletion.
pub(super) fn deleted<M: RedisModel>(id: &M::Id, outcome: &Result<Settled>) {
    if outcome.as_ref().is_ok_and(|settled| settled.there) {
        M::hook_after_delete(id);
    }
}
