//! Bringing an index in line with its model.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::Duration;

use super::Index;
use super::build::{Terms, Work};
use super::target::Target;
use crate::Result;
use crate::model::RedisModel;
use crate::progress::{Progress, Reporter};
use crate::repository::Repository;
use crate::repository::lease::LEASE;

/// What [`Index::sync`] did.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::Synced;
/// # alizarin_samples::client(async |client, prefix| {
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "film", index)]
/// struct OldFilm {
///     #[redis(id)]
///     id: u32,
///     #[redis(text)]
///     title: String,
/// }
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "film", index)]
/// struct Film {
///     #[redis(id)]
///     id: u32,
///     #[redis(text)]
///     title: String,
///     #[redis(numeric)]
///     year: i32,
/// }
///
/// let old = client.repository::<OldFilm>().with_namespace(prefix);
/// assert_eq!(old.index().sync().await?, Synced::Created);
/// let new = client.repository::<Film>().with_namespace(prefix);
/// assert_eq!(new.index().sync().await?, Synced::Extended(vec!["year".to_owned()]));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Synced {
    /// There was no index; now there is one.
    Created,
    /// These fields were added to the index.
    Extended(Vec<String>),
    /// A new index took the place of the live one, which is kept: see [`Index::rollback`] and
    /// [`Index::retire`].
    Rebuilt {
        /// The new one.
        index: String,
        /// The one that was live before.
        replaced: String,
    },
    /// Index and model agree, or another process made them agree meanwhile.
    Unchanged,
}

/// How far [`Index::sync`] is: from [`SyncIndex::on_progress`] and [`SyncIndex::progress`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::{SyncProgress, Synced};
/// # alizarin_samples::films(async |films| {
/// let mut last = None;
/// films.index().rebuild().on_progress(|step| last = Some(step)).await?;
/// assert!(matches!(last, Some(SyncProgress::Done(Synced::Rebuilt { .. }))));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SyncProgress {
    /// An index is made.
    Creating {
        /// Its name.
        index: String,
    },
    /// All is done.
    Done(Synced),
    /// The live index gets further fields.
    Extending {
        /// Its name.
        index: String,
    },
    /// The index reads the documents that were there before.
    Reading {
        /// Its name.
        index: String,
        /// How far it is: from 0 to 1.
        done: f64,
        /// How many documents it has.
        documents: u64,
    },
    /// The new index takes the place of the live one.
    Swapping {
        /// Its name.
        index: String,
    },
    /// The new index is compared with the one that it is to replace.
    Verifying {
        /// Its name.
        index: String,
    },
    /// Another process is at it.
    Waiting,
}

impl<'r, M: RedisModel> Index<'r, M> {
    /// Brings the index in line with the model: creates it (`FT.CREATE`), adds fields that are
    /// missing (`FT.ALTER`), or, where that is not enough, builds a new one beside the live one and
    /// puts it in its place (`FT.ALIASUPDATE`) when it has read all documents. It does nothing
    /// where they agree (`FT.INFO`). Documents are never touched.
    ///
    /// The model's index name is an alias of the live version, `{name}:v1` at first; queries go
    /// through it, and never see an index that has not read everything. An index by that very name,
    /// from an earlier program, serves until the first version takes its place.
    ///
    /// Any number of processes may do it at once: one works under a lease, the others wait until
    /// it is done. Where one is killed, the next goes on from where it was, or clears away what does
    /// not fit, when the lease has ended.
    ///
    /// What a program does when it starts:
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let films = client.repository::<Film>().with_namespace(prefix);
    /// films.index().sync().await?;
    /// assert_eq!(films.find(|f| f.year.lt(1980)).count().await?, 0);
    /// # Ok(()) });
    /// ```
    ///
    /// Two programs whose models differ in a field that both index would each build their own: let
    /// one of them do it.
    pub fn sync(&self) -> SyncIndex<'r, M> {
        SyncIndex::new(self.repository, false)
    }

    /// Builds a new index beside the live one also where the two agree, and puts it in its place:
    /// what rids an index of fields that the model has no more. Else as [`Index::sync`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().rebuild().await?;
    /// assert_eq!(films.find(|f| f.year.lt(1990)).count().await?, 3);
    /// # Ok(()) });
    /// ```
    pub fn rebuild(&self) -> SyncIndex<'r, M> {
        SyncIndex::new(self.repository, true)
    }
}

/// Brings an index in line with its model: from [`Index::sync`] and [`Index::rebuild`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::Synced;
/// use std::time::Duration;
/// # alizarin_samples::films(async |films| {
/// let synced = films.index().sync().timeout(Duration::from_secs(60)).await?;
/// assert_eq!(synced, Synced::Unchanged);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Usage` for a model without an index, or without any indexed field; `Index` when the new index
/// failed to read documents that the live one has, which then stays; `Timeout` after
/// [`timeout`](SyncIndex::timeout); `LockLost` when the process stood still for longer than its lease;
/// `Server(NoPerm)` when the user may not do it; `Unsupported` when the server has no RediSearch,
/// or a cluster's has no coordinator. The live index stays in all these cases.
///
/// # Cancel safety
/// Dropped, it stops where it is; the next `sync` goes on.
#[must_use = "it does nothing until it is awaited"]
pub struct SyncIndex<'r, M> {
    repository: &'r Repository<M>,
    terms: Terms,
    reporter: Reporter<'r, SyncProgress>,
}

impl<'r, M: RedisModel> SyncIndex<'r, M> {
    fn new(repository: &'r Repository<M>, anew: bool) -> SyncIndex<'r, M> {
        let terms = Terms { anew, lease: LEASE, timeout: None, allow_failures: false };
        SyncIndex { repository, terms, reporter: Reporter::none() }
    }

    /// Waits no longer than this; without it there is no limit. A build that is not done by then
    /// stays for the next `sync` to go on with; the live index stays as it is.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::films(async |films| {
    /// films.index().rebuild().timeout(Duration::from_secs(600)).await?;
    /// # Ok(()) });
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.terms.timeout = Some(timeout);
        self
    }

    /// For how long others wait for this process when it is killed: 30 s by default. While it
    /// works, the lease is prolonged.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::films(async |films| {
    /// films.index().rebuild().lease(Duration::from_secs(5)).await?;
    /// # Ok(()) });
    /// ```
    pub fn lease(mut self, lease: Duration) -> Self {
        self.terms.lease = lease;
        self
    }

    /// Lets the new index take the live one's place also when it could not read documents that the
    /// live one has: they are not found any more.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.index().rebuild().allow_failures().await?;
    /// # Ok(()) });
    /// ```
    pub fn allow_failures(mut self) -> Self {
        self.terms.allow_failures = true;
        self
    }

    /// Calls `tell` with each step.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::index::SyncProgress;
    /// # alizarin_samples::films(async |films| {
    /// let tell = |step| {
    ///     if let SyncProgress::Reading { index, done, .. } = step {
    ///         println!("{index}: {:.0} %", done * 100.0);
    ///     }
    /// };
    /// films.index().rebuild().on_progress(tell).await?;
    /// # Ok(()) });
    /// ```
    pub fn on_progress(mut self, tell: impl FnMut(SyncProgress) + Send + 'r) -> Self {
        self.reporter = Reporter::to(tell);
        self
    }

    /// The steps as a stream, which does the work while it is read. The last one is
    /// [`SyncProgress::Done`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::index::{SyncProgress, Synced};
    /// # alizarin_samples::films(async |films| {
    /// let mut steps = films.index().sync().progress();
    /// let only = steps.next().await.transpose()?;
    /// assert_eq!(only, Some(SyncProgress::Done(Synced::Unchanged)));
    /// assert!(steps.next().await.is_none());
    /// # Ok(()) });
    /// ```
    pub fn progress(mut self) -> Progress<'r, SyncProgress> {
        Progress::new(move |reporter| {
            self.reporter = reporter;
            Box::pin(async move { self.run().await.map(drop) })
        })
    }

    async fn run(self) -> Result<Synced> {
        let SyncIndex { repository, terms, reporter } = self;
        let work = Work {
            client: repository.client().steady(),
            namespace: repository.namespace().to_owned(),
            target: Target::of(repository)?,
            terms,
            reporter,
        };
        work.run().await
    }
}

impl<'r, M: RedisModel> IntoFuture for SyncIndex<'r, M> {
    type Output = Result<Synced>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Synced>> + Send + 'r>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M> fmt::Debug for SyncIndex<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncIndex").field("terms", &self.terms).finish_non_exhaustive()
    }
}
