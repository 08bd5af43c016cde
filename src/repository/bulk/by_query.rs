//! Deleting and changing what a query finds.

use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::Bulk;
use super::delete_many::{deleted, deletion};
use super::page::{Job, Jobs, Settled, Steps, Work};
use super::set_many::Changing;
use crate::model::RedisModel;
use crate::query::{Filter, KeyPages, Node};
use crate::repository::script::Expected;
use crate::repository::{Assignment, Repository};
use crate::{Error, ErrorKind, Result};

impl<M: RedisModel> Repository<M> {
    /// Deletes all documents that a query finds (`FT.AGGREGATE` with a cursor, and pipelines of
    /// deletions): what matched when the search began, each once, in the order of the keys. One that
    /// has been deleted meanwhile counts as absent.
    ///
    /// A filter that every document fulfils is refused, unless
    /// [`everything`](Bulk::everything) says that it is meant.
    ///
    /// When it ends before its end, begin it again: what is gone is found no more. Keys that the
    /// index has and the model does not write are left alone.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let old = films.delete_where(|f| f.year.lt(1980));
    /// assert_eq!(old.dry_run().await?, 1);
    /// assert_eq!(films.delete_where(|f| f.year.lt(1980)).await?, 1);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Bulk`]; `Usage` for a filter that every document fulfils and for a model without an
    /// index; as [`find`](Repository::find) for the search.
    pub fn delete_where<E: Node + 'static>(
        &self,
        filter: impl FnOnce(M::Fields) -> Filter<M, E>,
    ) -> Bulk<'_, M, DeleteWhere<M, E>> {
        let found = Found::new(filter(M::Fields::default()));
        Bulk::new(self, DeleteWhere { found, gone: Gone::default() })
    }

    /// Changes all documents that a query finds, each as [`Repository::set`] does: what matched when
    /// the search began, each once, in the order of the keys, whether or not it matches afterwards.
    /// One that has been deleted meanwhile counts as absent.
    ///
    /// A filter that every document fulfils is refused, unless
    /// [`everything`](Bulk::everything) says that it is meant.
    ///
    /// When it ends before its end, [`after`](Bulk::after) the last id that
    /// [`on_each`](Bulk::on_each) has told goes on where it was: changes that start from what is
    /// stored, such as sums, are made once only then.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let old = films.set_where(|f| f.year.lt(1990), |f| f.rating.to(10.0));
    /// assert_eq!(old.await?, 3);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Bulk`]; `Usage` for a filter that every document fulfils and for a model without an
    /// index; as [`find`](Repository::find) for the search, and as [`set`](Repository::set) for
    /// the changes.
    pub fn set_where<E: Node + 'static, A: Assignment<M>>(
        &self,
        filter: impl FnOnce(M::Fields) -> Filter<M, E>,
        changes: impl FnOnce(M::Fields) -> A,
    ) -> Bulk<'_, M, SetWhere<M, E>> {
        let found = Found::new(filter(M::Fields::default()));
        Bulk::new(self, SetWhere { found, changes: Changing::new(changes) })
    }
}

/// What is deleted by [`Repository::delete_where`].
pub struct DeleteWhere<M: RedisModel, E> {
    found: Found<M, E>,
    gone: Gone,
}

/// Keys of the documents that a dry run has come across and that would be gone by now.
type Gone = Arc<Mutex<HashSet<String>>>;

/// What is changed by [`Repository::set_where`].
pub struct SetWhere<M: RedisModel, E> {
    found: Found<M, E>,
    changes: Changing<M>,
}

/// Work on what a query finds.
trait ByQuery<M: RedisModel, E> {
    fn found(&mut self) -> &mut Found<M, E>;
}

impl<M: RedisModel, E> ByQuery<M, E> for DeleteWhere<M, E> {
    fn found(&mut self) -> &mut Found<M, E> {
        &mut self.found
    }
}

impl<M: RedisModel, E> ByQuery<M, E> for SetWhere<M, E> {
    fn found(&mut self) -> &mut Found<M, E> {
        &mut self.found
    }
}

#[expect(private_bounds, reason = "it names the two sorts of work above")]
impl<M: RedisModel, J> Bulk<'_, M, J> {
    /// All documents of the model may be meant.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// let refused = films.delete_where(|_| everything()).await.unwrap_err();
    /// assert_eq!(refused.kind(), ErrorKind::Usage);
    /// assert_eq!(films.delete_where(|_| everything()).everything().await?, 4);
    /// # Ok(()) });
    /// ```
    pub fn everything<E>(mut self) -> Self
    where
        J: ByQuery<M, E>,
    {
        self.jobs.found().everything = true;
        self
    }

    /// Changes nothing, and gives what would be done. No hook runs.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let mut doomed = Vec::new();
    /// let dry = films.delete_where(|f| f.year.lt(1990)).dry_run();
    /// dry.on_each(|id, _| doomed.push(*id)).await?;
    /// assert_eq!(doomed, [1, 2, 3]);
    /// assert_eq!(films.find(|f| f.year.lt(1990)).count().await?, 3);
    /// # Ok(()) });
    /// ```
    ///
    /// Of a repository that was told who refers to its documents
    /// ([`referred_by`](Repository::referred_by)) it finds out too what would become of those, one
    /// deletion after the other, as they would take place: what an earlier one takes away is absent
    /// when its turn comes, and stands in no later one's way. Deletions that would be refused fail
    /// here too; the [`report`](Bulk::report) counts who would stand against them
    /// ([`restricting`](super::Report::restricting)), who would go (`cascaded`) and who would lose a
    /// reference (`unset`). The keys of all that would go are held in memory.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # {
    /// #[derive(Debug, RedisModel)]
    /// #[redis(hash, prefix = "folder", index)]
    /// struct Folder {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(numeric)]
    ///     year: u32,
    ///     #[redis(tag, on_delete = "cascade")]
    ///     parent: Option<Ref<Folder>>,
    ///     #[redis(tag, on_delete = "restrict")]
    ///     link: Option<Ref<Folder>>,
    /// }
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// let folders = client.repository::<Folder>().referred_by::<Folder>();
    /// # let folders = folders.with_namespace(namespace);
    /// # folders.index().sync().await?;
    /// let folder = |id, year, parent: Option<u32>, link: Option<u32>| Folder {
    ///     id,
    ///     year,
    ///     parent: parent.map(Ref::new),
    ///     link: link.map(Ref::new),
    /// };
    /// folders.save(&folder(1, 1999, None, None)).await?;
    /// folders.save(&folder(2, 2024, Some(1), None)).await?;
    /// folders.save(&folder(3, 1999, None, None)).await?;
    /// folders.save(&folder(4, 2024, None, Some(3))).await?;
    /// # folders.index().wait().await?;
    /// let old = folders.delete_where(|f| f.year.lt(2000)).dry_run().report().await?;
    /// assert_eq!((old.done, old.cascaded), (1, 1));
    /// assert_eq!((old.failed, old.restricting), (1, 1));
    /// assert_eq!(old.failures[0].error.kind(), ErrorKind::Referred);
    /// # assert!(folders.exists(&1).await? && folders.exists(&2).await?);
    /// # Ok(()) });
    /// # }
    /// ```
    pub fn dry_run<E>(mut self) -> Self
    where
        J: ByQuery<M, E>,
    {
        self.jobs.found().pretend = true;
        self
    }

    /// Begins behind this document, in the order of the keys: goes on with work that ended early.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// // Film 1 was seen to when something broke.
    /// let rest = films.set_where(|f| f.year.lt(1990), |f| f.rating.to(10.0)).after(&1);
    /// assert_eq!(rest.await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn after<E>(mut self, id: &M::Id) -> Self
    where
        J: ByQuery<M, E>,
    {
        self.jobs.found().after = Some(self.repository.key(id));
        self
    }
}

impl<M: RedisModel, E: Node> Jobs<M> for DeleteWhere<M, E> {
    const FINDS: bool = true;

    async fn next(&mut self, repository: &Repository<M>, most: usize) -> Result<Vec<Job<M::Id>>> {
        let (dry_run, gone) = (self.found.pretend, &self.gone);
        let ids = self.found.next(repository, most).await?;
        let job = |id| match dry_run {
            true => rehearsal(repository, id, gone),
            false => deletion(repository, id),
        };
        Ok(ids.into_iter().map(job).collect())
    }

    fn settled(&mut self, id: &M::Id, outcome: &Result<Settled>) {
        if !self.found.pretend {
            deleted::<M>(id, outcome);
        }
    }
}

/// The deletion of one document, which does not take place.
fn rehearsal<M: RedisModel>(repository: &Repository<M>, id: M::Id, gone: &Gone) -> Job<M::Id> {
    if repository.rules().is_none() {
        return Job { id, work: Work::Pretend };
    }
    let (repository, gone, itself) = (repository.clone(), Arc::clone(gone), id.clone());
    let steps = Steps(Box::new(move || {
        Box::pin(async move {
            let mut gone = gone.lock().await;
            let outcome = repository.rehearse_referred(&itself, &Expected::Anything, &mut gone);
            outcome.await.map(|deletion| Settled::of(&deletion))
        })
    }));
    Job { id, work: Work::Steps(steps) }
}

impl<M: RedisModel, E: Node> Jobs<M> for SetWhere<M, E> {
    const FINDS: bool = true;

    async fn next(&mut self, repository: &Repository<M>, most: usize) -> Result<Vec<Job<M::Id>>> {
        let (dry_run, changes) = (self.found.pretend, self.changes.ready()?);
        let ids = self.found.next(repository, most).await?;
        let job = |id| match dry_run {
            true => Job { id, work: Work::Pretend },
            false => changes.job(repository, id),
        };
        Ok(ids.into_iter().map(job).collect())
    }

    fn settled(&mut self, _: &M::Id, _: &Result<Settled>) {}
}

impl<M: RedisModel, E: Node> fmt::Debug for DeleteWhere<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteWhere").field("found", &self.found).finish()
    }
}

impl<M: RedisModel, E: Node> fmt::Debug for SetWhere<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetWhere").field("found", &self.found).finish_non_exhaustive()
    }
}

/// The ids of what a filter finds, each once.
struct Found<M: RedisModel, E> {
    filter: Filter<M, E>,
    everything: bool,
    /// Nothing is done really.
    pretend: bool,
    pages: Option<KeyPages>,
    ids: VecDeque<M::Id>,
    /// Ids up to this key were seen to before.
    after: Option<String>,
}

impl<M: RedisModel, E: Node> Found<M, E> {
    fn new(filter: Filter<M, E>) -> Found<M, E> {
        Found {
            filter,
            everything: false,
            pretend: false,
            pages: None,
            ids: VecDeque::new(),
            after: None,
        }
    }

    /// The next ids, at most so many; none at the end.
    async fn next(&mut self, repository: &Repository<M>, most: usize) -> Result<Vec<M::Id>> {
        if self.pages.is_none() {
            self.pages = Some(self.begin(repository)?);
        }
        while self.ids.is_empty() {
            let Some(pages) = &mut self.pages else { break };
            let Some(keys) = pages.next().await? else { break };
            let after = self.after.as_deref().map(str::as_bytes);
            let new = keys.iter().filter(|key| after.is_none_or(|after| key.as_slice() > after));
            self.ids.extend(new.filter_map(|key| repository.id_of(key)));
        }
        let count = self.ids.len().min(most);
        Ok(self.ids.drain(..count).collect())
    }

    fn begin(&self, repository: &Repository<M>) -> Result<KeyPages> {
        if self.filter.node().constant() == Some(true) && !self.everything {
            let message = format!(
                "the filter holds for every document of {}: say `.everything()` if that is meant",
                M::SCHEMA.name
            );
            return Err(Error::new(ErrorKind::Usage, message));
        }
        KeyPages::sorted(repository, &self.filter.render()?, None)
    }
}

impl<M: RedisModel, E: Node> fmt::Debug for Found<M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found")
            .field("filter", &self.filter)
            .field("everything", &self.everything)
            .field("dry_run", &self.pretend)
            .finish_non_exhaustive()
    }
}
