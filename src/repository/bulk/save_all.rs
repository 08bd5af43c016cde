//! Writing many documents.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::Bulk;
use super::page::{BYTES, Job, Jobs, Settled, Work};
use crate::Result;
use crate::model::RedisModel;
use crate::repository::Repository;
use crate::repository::draft::Draft;
use crate::repository::prepare::prepare;
use crate::repository::script::{Expected, Expiry, Mode, Plan};

impl<M: RedisModel> Repository<M> {
    /// Saves many documents, pipelined: each as [`Repository::save`] does, all together not
    /// atomically. Takes `&[M]`, `&Vec<M>`, or any iterator of `M` or `&M`, which is asked for a
    /// pipeline's documents at a time.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let more = [Account::new(3, "Cem", 0), Account::new(4, "Dora", 70)];
    /// assert_eq!(accounts.save_all(&more).await?, 2);
    /// assert_eq!(accounts.get(&4).await?.map(|dora| dora.cents), Some(70));
    ///
    /// let made = (5..1_005).map(|id| Account::new(id, "Eve", 0));
    /// assert_eq!(accounts.save_all(made).await?, 1_000);
    /// # Ok(()) });
    /// ```
    pub fn save_all<'a, I>(&'a self, models: I) -> Bulk<'a, M, SaveAll<M, I::IntoIter>>
    where
        I: IntoIterator<Item: Borrow<M> + Send, IntoIter: Send + 'a>,
    {
        let (mode, expiry) = (Mode::Any, Expiry::of::<M>());
        let waiting = VecDeque::new();
        Bulk::new(self, SaveAll { models: models.into_iter(), mode, expiry, waiting })
    }
}

/// The documents that are saved, by [`Repository::save_all`].
pub struct SaveAll<M, I: Iterator> {
    models: I,
    mode: Mode,
    expiry: Expiry,
    /// What was given, and what the hooks made of it: for the hook that comes after the write.
    waiting: VecDeque<(I::Item, Option<M>)>,
}

impl<M, I: Iterator> fmt::Debug for SaveAll<M, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SaveAll");
        shown.field("mode", &self.mode).field("expiry", &self.expiry).finish_non_exhaustive()
    }
}

impl<M, I> Bulk<'_, M, SaveAll<M, I>>
where
    M: RedisModel,
    I: Iterator,
{
    /// Writes only documents that do not exist, each as [`Repository::insert`] does: others fail
    /// with `Exists`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let all = [Account::new(2, "Ben", 0), Account::new(3, "Cem", 0)];
    /// let report = accounts.save_all(&all).insert().report().await?;
    /// assert_eq!(report.failures[0].error.kind(), ErrorKind::Exists);
    /// assert_eq!(accounts.get(&2).await?.map(|two| two.owner).as_deref(), Some("Bob"));
    /// assert!(accounts.exists(&3).await?);
    /// # Ok(()) });
    /// ```
    pub fn insert(mut self) -> Self {
        self.jobs.mode = Mode::Insert;
        self
    }

    /// Writes only documents that exist, each as [`Repository::replace`] does: others fail with
    /// `NotFound`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let all = [Account::new(2, "Bob", 5), Account::new(3, "Cem", 0)];
    /// let report = accounts.save_all(&all).replace().report().await?;
    /// assert_eq!((report.done, report.failed), (1, 1));
    /// # Ok(()) });
    /// ```
    pub fn replace(mut self) -> Self {
        self.jobs.mode = Mode::Replace;
        self
    }

    /// The documents expire after this time, as with [`Save::ttl`](crate::repository::Save::ttl).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// use std::time::Duration;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.save_all([Account::new(3, "Cem", 0)]).ttl(Duration::from_secs(60)).await?;
    /// assert!(accounts.ttl(&3).await?.is_some());
    /// # Ok(()) });
    /// ```
    pub fn ttl(mut self, after: Duration) -> Self {
        self.jobs.expiry = Expiry::After(after);
        self
    }
}

impl<M, I> Jobs<M> for SaveAll<M, I>
where
    M: RedisModel,
    I: Iterator<Item: Borrow<M> + Send> + Send,
{
    const FINDS: bool = false;

    async fn next(&mut self, repository: &Repository<M>, most: usize) -> Result<Vec<Job<M::Id>>> {
        let mut jobs = Vec::new();
        let mut bytes = 0;
        while jobs.len() < most && bytes < BYTES {
            let Some(item) = self.models.next() else { break };
            let id = item.borrow().id().into_owned();
            let mut made = None;
            let prepared = Draft::of(item.borrow()).and_then(|draft| {
                let prepared = prepare(repository, &id, draft.model(), &self.plan::<M>(), &[])?;
                made = draft.into_made();
                Ok(prepared)
            });
            let work = match prepared {
                Ok(prepared) => {
                    bytes += prepared.len();
                    Work::Write(prepared)
                }
                Err(error) => Work::Refused(error),
            };
            if M::HOOKS {
                self.waiting.push_back((item, made));
            }
            jobs.push(Job { id, work });
        }
        Ok(jobs)
    }

    fn settled(&mut self, _: &M::Id, outcome: &Result<Settled>) {
        if let Some((given, made)) = self.waiting.pop_front()
            && let Ok(settled) = outcome
        {
            let model = made.as_ref().unwrap_or_else(|| given.borrow());
            model.hook_after_save(&settled.written);
        }
    }
}

impl<M, I: Iterator> SaveAll<M, I> {
    fn plan<T: RedisModel>(&self) -> Plan<'static> {
        Plan {
            mode: self.mode,
            expected: Expected::Anything,
            expiry: self.expiry,
            lock: None,
            tell: T::HOOKS,
            edits: false,
        }
    }
}
