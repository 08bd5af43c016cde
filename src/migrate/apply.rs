//! Running what is pending, as the only process, so that it can break off anywhere.

use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::Migrations;
use super::journal::{Journal, Record, Running};
use super::migration::{Kind, Migration};
use super::report::{MigrationProgress, Outcome, Report};
use super::rewrite::{Place, Rewriter};
use crate::progress::{Progress, Reporter};
use crate::repository::lease::{LEASE, Lease};
use crate::{Client, Error, ErrorKind, Result, Sent};

/// How often all documents are looked through before it is given up that none is old.
const SWEEPS: u32 = 10;

/// Applies migrations, or undoes them: from [`Migrations::apply`] and [`Migrations::rollback_to`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations};
/// # alizarin_samples::client(async |client, namespace| {
/// let migrations = Migrations::new(&client).add(Migration::new(1, "nothing").step(async |_| Ok(())));
/// # let migrations = migrations.with_namespace(namespace);
/// let would = migrations.apply().dry_run().await?;
/// assert_eq!((would.done.len(), would.dry_run), (1, true));
/// migrations.apply().await?.check()?;
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Usage` for versions that are given twice, a migration that does nothing, one that is added before
/// one that was applied, one that was applied under another name, one that cannot be undone in a
/// rollback, and structs of different keys or storages; all this before anything is done.
/// `Timeout` after [`timeout`](Apply::timeout); `Conflict` when old documents keep coming; `LockLost`
/// when the process stood still for longer than its lease; what a step gives; else those of the
/// connection. What a single document fails with is in the report.
///
/// # Cancel safety
/// Dropped, it stops where it is; the next run goes on. A step that was under way begins anew.
#[must_use = "it does nothing until it is awaited"]
pub struct Apply<'m> {
    migrations: &'m Migrations,
    /// Down to this version, in a rollback.
    down_to: Option<u64>,
    dry_run: bool,
    allow_failures: bool,
    lease: Duration,
    timeout: Option<Duration>,
    reporter: Reporter<'m, MigrationProgress>,
}

impl<'m> Apply<'m> {
    pub(super) fn new(migrations: &'m Migrations, down_to: Option<u64>) -> Apply<'m> {
        Apply {
            migrations,
            down_to,
            dry_run: false,
            allow_failures: false,
            lease: LEASE,
            timeout: None,
            reporter: Reporter::none(),
        }
    }

    /// Counts what would be rewritten, and writes nothing. Where several migrations wait, the later
    /// ones are asked about documents as they are now, not as the earlier ones would leave them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations};
    /// use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let gift = Migration::new(1, "at least 300")
    ///     .rewrite::<Account, Account>(|old| Ok(Account { cents: 300, ..old }))
    ///     .when(|account| account.cents < 300);
    /// let migrations = Migrations::new(accounts.client()).add(gift);
    /// # let migrations = migrations.with_namespace(accounts.namespace());
    /// let report = migrations.apply().dry_run().await?;
    /// assert_eq!(report.to_string(), "would apply 1 \"at least 300\", 1 documents");
    /// assert_eq!(accounts.get(&2).await?.map(|bob| bob.cents), Some(100));
    /// # Ok(()) });
    /// ```
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Takes a migration for done, and goes on to the next, also where documents could not be
    /// rewritten. Without it, it is left to be done again, which then concerns these alone.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migrations;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).with_namespace(namespace);
    /// migrations.apply().allow_failures().await?;
    /// # Ok(()) });
    /// ```
    pub fn allow_failures(mut self) -> Self {
        self.allow_failures = true;
        self
    }

    /// For how long others wait for this process when it is killed: 30 s by default. While it works,
    /// the lease is prolonged.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migrations;
    /// use std::time::Duration;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).with_namespace(namespace);
    /// migrations.apply().lease(Duration::from_secs(5)).await?;
    /// # Ok(()) });
    /// ```
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Waits no longer than this for another process that is at it; without it there is no limit.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migrations;
    /// use std::time::Duration;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).with_namespace(namespace);
    /// migrations.apply().timeout(Duration::from_secs(600)).await?;
    /// # Ok(()) });
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Calls `tell` with each step.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{MigrationProgress, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).with_namespace(namespace);
    /// let mut last = None;
    /// migrations.apply().on_progress(|step| last = Some(step)).await?;
    /// assert!(matches!(last, Some(MigrationProgress::Done(_))));
    /// # Ok(()) });
    /// ```
    pub fn on_progress(mut self, tell: impl FnMut(MigrationProgress) + Send + 'm) -> Self {
        self.reporter = Reporter::to(tell);
        self
    }

    /// The steps as a stream, which does the work while it is read. The last one is
    /// [`MigrationProgress::Done`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{MigrationProgress, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).with_namespace(namespace);
    /// let mut steps = migrations.apply().progress();
    /// let only = steps.next().await.transpose()?;
    /// assert!(matches!(only, Some(MigrationProgress::Done(_))));
    /// # Ok(()) });
    /// ```
    pub fn progress(mut self) -> Progress<'m, MigrationProgress> {
        Progress::new(move |reporter| {
            self.reporter = reporter;
            Box::pin(async move { self.run().await.map(drop) })
        })
    }

    async fn run(mut self) -> Result<Report> {
        let client = self.migrations.client.steady();
        let key = Journal::key(&self.migrations.namespace, &self.migrations.name);
        // Too far away to be an instant is without end.
        let deadline = self.timeout.and_then(|after| Instant::now().checked_add(after));
        let report = loop {
            let journal = Journal::load(&client, &key).await?;
            let wanted = self.wanted(&journal)?;
            if wanted.is_empty() || self.dry_run {
                break self.dry(&client, &wanted).await?;
            }
            let namespace = &self.migrations.namespace;
            if let Some(lease) = Lease::take(&client, namespace, &key, self.lease).await? {
                let outcome = lease.during(self.leased(&client, &key, &lease)).await;
                break lease.end(outcome).await?;
            }
            self.reporter.tell(MigrationProgress::Waiting).await;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                let message = "another process applies migrations";
                return Err(Error::new(ErrorKind::Timeout, message).with_sent(Sent::Yes));
            }
        };
        self.reporter.tell(MigrationProgress::Done(report.clone())).await;
        Ok(report)
    }

    /// The migrations to be done, in their order.
    fn wanted(&self, journal: &Journal) -> Result<Vec<&'m Migration>> {
        let all = self.migrations.checked()?;
        let refuse = |message: String| Err(Error::new(ErrorKind::Usage, message));
        for migration in &all {
            let (version, name) = (migration.version, &migration.name);
            if let Some(record) = journal.applied.get(&version)
                && record.name != *name
            {
                let was = &record.name;
                return refuse(format!(
                    "migration {version} was applied as {was:?}, not as {name:?}"
                ));
            }
        }
        // One that broke off is half done, whichever way it went.
        let half = |migration: &Migration, undo: bool| {
            let running = journal.running.as_ref();
            running.is_some_and(|it| it.version == migration.version && it.undo == undo)
        };
        let applied = |migration: &Migration| journal.applied.contains_key(&migration.version);
        if let Some(down_to) = self.down_to {
            let above = all.iter().rev().filter(|migration| migration.version > down_to);
            let begun = above.filter(|migration| applied(migration) || half(migration, false));
            let undone: Vec<&Migration> = begun.copied().collect();
            let fixed = undone.iter().find(|migration| !migration.can_undo());
            return match fixed {
                Some(Migration { version, name, .. }) => {
                    refuse(format!("migration {version} {name:?} has no `undo`"))
                }
                None => Ok(undone),
            };
        }
        let last = journal.applied.keys().next_back();
        let pending = all.iter().filter(|migration| !applied(migration) || half(migration, true));
        let pending: Vec<&Migration> = pending.copied().collect();
        let late =
            pending.iter().find(|migration| last.is_some_and(|last| migration.version < *last));
        match (late, last) {
            (Some(Migration { version, name, .. }), Some(last)) => refuse(format!(
                "migration {version} {name:?} comes too late: {last} was applied already; give it a \
                 version above"
            )),
            _ => Ok(pending),
        }
    }

    /// Looks, and writes nothing.
    async fn dry(&mut self, client: &Client, wanted: &[&Migration]) -> Result<Report> {
        let undo = self.down_to.is_some();
        let mut report = Report { undo, dry_run: self.dry_run, ..Report::default() };
        for migration in wanted {
            let mut outcome = migration.outcome();
            if let Kind::Rewrite(rewriter) = &migration.kind {
                let mut running = Running { undo, ..migration.begins() };
                let sweep = 1;
                self.sweep(client, None, rewriter.as_ref(), &mut running, &mut outcome, sweep)
                    .await?;
                outcome.changed = running.changed;
            }
            self.reporter.tell(MigrationProgress::Finished(outcome.clone())).await;
            report.done.push(outcome);
        }
        Ok(report)
    }

    /// Looks once more, since only now nobody else acts, and does it.
    async fn leased(&mut self, client: &Client, key: &str, lease: &Lease) -> Result<Report> {
        let journal = Journal::load(client, key).await?;
        let wanted = self.wanted(&journal)?;
        let undo = self.down_to.is_some();
        let mut report = Report { undo, ..Report::default() };
        for migration in wanted {
            let (version, name) = (migration.version, migration.name.clone());
            self.reporter.tell(MigrationProgress::Started { version, name }).await;
            let begun = journal.running.as_ref();
            let begun = begun.filter(|running| (running.version, running.undo) == (version, undo));
            let running = match begun {
                // In a cluster a cursor means something only to the process that has it.
                Some(begun) if client.is_cluster() => {
                    Running { cursor: migration.begins().cursor, ..begun.clone() }
                }
                Some(begun) => begun.clone(),
                None => Running { undo, ..migration.begins() },
            };
            let outcome = self.one(client, lease, migration, running).await?;
            self.reporter.tell(MigrationProgress::Finished(outcome.clone())).await;
            let complete = outcome.complete;
            report.done.push(outcome);
            if !complete {
                break;
            }
        }
        Ok(report)
    }

    /// Does one migration to its end.
    async fn one(
        &mut self,
        client: &Client,
        lease: &Lease,
        migration: &Migration,
        mut running: Running,
    ) -> Result<Outcome> {
        let mut outcome = migration.outcome();
        Journal::progress(lease, &running).await?;
        match &migration.kind {
            Kind::Empty => {}
            Kind::Step { forth, back } => match (running.undo, back) {
                (false, _) => forth(client.clone()).await?,
                (true, Some(back)) => back(client.clone()).await?,
                (true, None) => {}
            },
            Kind::Rewrite(rewriter) => {
                let rewriter = rewriter.as_ref();
                for sweep in 1.. {
                    // A sweep that another process began says nothing of what it saw.
                    let whole = running.cursor == migration.begins().cursor;
                    let before = running.changed;
                    self.sweep(client, Some(lease), rewriter, &mut running, &mut outcome, sweep)
                        .await?;
                    if whole && running.changed == before {
                        break;
                    }
                    if sweep == SWEEPS {
                        let message = format!(
                            "migration {} finds old documents again and again: a program with the \
                             old struct is still writing",
                            migration.version
                        );
                        return Err(Error::new(ErrorKind::Conflict, message).with_sent(Sent::Yes));
                    }
                }
            }
        }
        outcome.changed = running.changed;
        outcome.complete = outcome.failed == 0 || self.allow_failures;
        if outcome.complete {
            match running.undo {
                true => Journal::undone(lease, migration.version).await?,
                false => {
                    let record = Record {
                        name: migration.name.clone(),
                        at: now(),
                        changed: outcome.changed,
                        failed: outcome.failed,
                    };
                    Journal::applied(lease, migration.version, &record).await?;
                }
            }
        }
        Ok(outcome)
    }

    /// Looks through all documents once. Without a lease it writes nothing.
    async fn sweep(
        &mut self,
        client: &Client,
        lease: Option<&Lease>,
        rewriter: &dyn Rewriter,
        running: &mut Running,
        outcome: &mut Outcome,
        sweep: u32,
    ) -> Result<()> {
        let (mut seen, first) = (0, Migration::start());
        (outcome.failed, outcome.failures) = (0, Vec::new());
        loop {
            let at = Place { client, namespace: &self.migrations.namespace };
            let page = rewriter.page(at, &running.cursor, running.undo, lease.is_none()).await?;
            seen += page.seen;
            running.changed += page.changed;
            for (key, error) in page.failures {
                outcome.fail(key, error);
            }
            let ended = page.cursor.is_none();
            running.cursor = page.cursor.unwrap_or_else(|| first.clone());
            if let Some(lease) = lease {
                Journal::progress(lease, running).await?;
            }
            let (version, changed, failed) = (running.version, running.changed, outcome.failed);
            let told = MigrationProgress::Page { version, sweep, seen, changed, failed };
            self.reporter.tell(told).await;
            if ended {
                return Ok(());
            }
        }
    }
}

impl Migration {
    /// Where a sweep begins.
    fn start() -> String {
        "0".to_owned()
    }

    fn begins(&self) -> Running {
        Running { version: self.version, cursor: Migration::start(), ..Running::default() }
    }

    fn outcome(&self) -> Outcome {
        Outcome { version: self.version, name: self.name.clone(), ..Outcome::default() }
    }

    pub(super) fn can_undo(&self) -> bool {
        match &self.kind {
            Kind::Empty => false,
            Kind::Rewrite(rewriter) => rewriter.can_undo(),
            Kind::Step { back, .. } => back.is_some(),
        }
    }
}

/// Milliseconds since the Unix epoch; a clock before it counts as the epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl<'m> IntoFuture for Apply<'m> {
    type Output = Result<Report>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Report>> + Send + 'm>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Apply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply")
            .field("migrations", &self.migrations)
            .field("down_to", &self.down_to)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}
