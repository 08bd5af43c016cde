//! Many documents at once: pipelined, in bounded memory, each item with its own outcome.

mod by_query;
mod delete_many;
mod page;
mod report;
mod save_all;
mod set_many;

use std::fmt;
use std::pin::Pin;

pub use by_query::{DeleteWhere, SetWhere};
pub use delete_many::DeleteMany;
pub use page::{Job, Jobs, Settled};
pub(crate) use page::{send_in_steps, step};
pub use report::{Failure, Item, Report};
pub use save_all::SaveAll;
pub use set_many::SetMany;

use super::Repository;
use crate::Result;
use crate::model::RedisModel;
use page::Page;

/// How many documents one pipeline writes, unless [`Bulk::batch`] says otherwise.
const BATCH: usize = 500;

/// How many failures a report keeps with their errors, unless [`Bulk::keep_failures`] says
/// otherwise.
const FAILURES: usize = 1_000;

type Progress<'a> = Box<dyn FnMut(usize) + Send + 'a>;
type Each<'a, I> = Box<dyn FnMut(&I, Item<'_>) + Send + 'a>;

/// Work on many documents: options first, then `.await`, which gives how many were done, or
/// [`report`](Bulk::report). From [`Repository::save_all`], [`Repository::set_many`],
/// [`Repository::set_where`], [`Repository::delete_many`] and [`Repository::delete_where`].
///
/// Pipelines of 500 go to the server, one after the other; no more is held in memory, however many
/// documents there are. Each document is written as a whole, all together not atomically. One that
/// fails does not stop the others, unless [`stop_at_failure`](Bulk::stop_at_failure) is asked for.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::accounts(async |accounts| {
/// let new = [Account::new(3, "Cem", 0), Account::new(4, "Dora", 70)];
/// let rich = new.iter().filter(|account| account.cents > 50);
/// assert_eq!(accounts.save_all(rich).await?, 1);
/// assert_eq!(accounts.delete_many([1, 4, 99]).await?, 2);
/// # Ok(()) });
/// ```
///
/// # Errors
/// Awaited as it is: the first failure, naming the key, when any document failed; the others are
/// done nevertheless. By [`report`](Bulk::report): only what ends the work before its end.
///
/// # Cancel safety
/// Dropped before it is done, some documents are done and some are not, each as a whole.
#[must_use = "bulk work does nothing until it is awaited"]
pub struct Bulk<'a, M: RedisModel, J> {
    repository: &'a Repository<M>,
    jobs: J,
    batch: usize,
    keep: usize,
    stop: bool,
    progress: Option<Progress<'a>>,
    each: Option<Each<'a, M::Id>>,
}

impl<'a, M, J> Bulk<'a, M, J>
where
    M: RedisModel,
    J: Jobs<M> + 'a,
{
    fn new(repository: &'a Repository<M>, jobs: J) -> Bulk<'a, M, J> {
        Bulk {
            repository,
            jobs,
            batch: BATCH,
            keep: FAILURES,
            stop: false,
            progress: None,
            each: None,
        }
    }

    /// How many documents one pipeline writes: 500 by default, at least one. One of more than a
    /// mebibyte is sent sooner.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let more: Vec<Account> = (3..=12).map(|id| Account::new(id, "Cem", 0)).collect();
    /// let mut pipelines = 0;
    /// let save = accounts.save_all(&more).batch(4).on_progress(|_| pipelines += 1);
    /// assert_eq!(save.await?, 10);
    /// assert_eq!(pipelines, 3);
    /// # Ok(()) });
    /// ```
    pub fn batch(mut self, documents: usize) -> Self {
        self.batch = documents.max(1);
        self
    }

    /// Calls `progress` after each pipeline with the number of documents seen to so far, whatever
    /// became of them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let more: Vec<Account> = (3..=12).map(|id| Account::new(id, "Cem", 0)).collect();
    /// let mut written = Vec::new();
    /// accounts.save_all(&more).batch(4).on_progress(|done| written.push(done)).await?;
    /// assert_eq!(written, [4, 8, 10]);
    /// # Ok(()) });
    /// ```
    pub fn on_progress(mut self, progress: impl FnMut(usize) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Calls `each` with every document's id and what became of it, in order.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::repository::Item;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let mut gone = Vec::new();
    /// let delete = accounts.delete_many([1, 99]).on_each(|id, item| {
    ///     if let Item::Absent = item {
    ///         gone.push(*id);
    ///     }
    /// });
    /// assert_eq!(delete.await?, 1);
    /// assert_eq!(gone, [99]);
    /// # Ok(()) });
    /// ```
    pub fn on_each(mut self, each: impl FnMut(&M::Id, Item<'_>) + Send + 'a) -> Self {
        self.each = Some(Box::new(each));
        self
    }

    /// Ends with the pipeline in which the first document fails.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Cafe;
    /// # alizarin_samples::cafes(async |cafes| {
    /// let sacher = cafes.get(&"sacher".into()).await?.expect("the café");
    /// let named = |id: &str| Cafe { id: id.into(), ..sacher.clone() };
    /// // An empty id makes no key.
    /// let all = [named("a"), named(""), named("c")];
    /// let report = cafes.save_all(&all).batch(1).stop_at_failure().report().await?;
    /// assert_eq!((report.done, report.failed), (1, 1));
    /// # Ok(()) });
    /// ```
    pub fn stop_at_failure(mut self) -> Self {
        self.stop = true;
        self
    }

    /// How many failures [`report`](Bulk::report) keeps with their errors: 1,000 by default. All
    /// are counted.
    pub fn keep_failures(mut self, most: usize) -> Self {
        self.keep = most;
        self
    }

    /// What became of the documents: how many were done, were not there, and failed, and why.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// // Somebody has put a list where a document should be.
    /// accounts.client().command("RPUSH").key(accounts.key(&3)).arg("x").exec().await?;
    /// let all = [Account::new(3, "Cem", 0), Account::new(4, "Dora", 70)];
    /// let report = accounts.save_all(&all).report().await?;
    /// assert_eq!((report.done, report.failed), (1, 1));
    /// assert_eq!(report.failures[0].id, 3);
    /// assert!(accounts.exists(&4).await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// What ends the work before its end: a search that fails, or a server that is not there for
    /// two pipelines in a row. What fails for single documents is in the report.
    pub fn report(self) -> Reported<'a, M, J> {
        Reported(self)
    }

    async fn run(mut self) -> Result<Report<M::Id>> {
        let mut report = Report::default();
        let mut lost = false;
        let repository = self.repository;
        let key = |id: &M::Id| repository.key(id);
        let mut jobs = self.jobs.next(repository, self.batch).await?;
        while !jobs.is_empty() {
            let send = Page::send(repository.client(), &key, jobs, J::FINDS);
            // While the server works, the next ones are made.
            let (page, next) =
                tokio::join!(biased; send, self.jobs.next(self.repository, self.batch));
            for (id, outcome) in &page.outcomes {
                self.jobs.settled(id, outcome);
                if let Some(each) = &mut self.each {
                    each(id, Item::of(outcome));
                }
            }
            let failed = report.failed;
            report.add(page.outcomes, self.keep);
            if let Some(progress) = &mut self.progress {
                progress(report.seen());
            }
            // One pipeline that is lost says little: the client connects anew. Two say that there is
            // no use in going on.
            match page.lost {
                Some(error) if lost => return Err(error),
                error => lost = error.is_some(),
            }
            if self.stop && report.failed > failed {
                return Ok(report);
            }
            jobs = next?;
        }
        report.finished = true;
        Ok(report)
    }
}

impl<'a, M, J> IntoFuture for Bulk<'a, M, J>
where
    M: RedisModel,
    J: Jobs<M> + 'a,
{
    type Output = Result<usize>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<usize>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.run().await?.into_result() })
    }
}

impl<M: RedisModel, J> fmt::Debug for Bulk<'_, M, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulk")
            .field("model", &M::SCHEMA.name)
            .field("batch", &self.batch)
            .field("stop_at_failure", &self.stop)
            .finish_non_exhaustive()
    }
}

/// Bulk work that gives a [`Report`], from [`Bulk::report`].
#[must_use = "bulk work does nothing until it is awaited"]
#[derive(Debug)]
pub struct Reported<'a, M: RedisModel, J>(Bulk<'a, M, J>);

impl<'a, M, J> IntoFuture for Reported<'a, M, J>
where
    M: RedisModel,
    J: Jobs<M> + 'a,
{
    type Output = Result<Report<M::Id>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Report<M::Id>>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.0.run())
    }
}
