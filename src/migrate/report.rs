//! What migrations did, and how far they are.

use std::fmt;
use std::sync::Arc;

use crate::{Error, ErrorKind, Result, Sent};

/// How many failures are kept with their reasons; all are counted.
pub(crate) const KEPT: usize = 100;

/// What a run did: from [`Migrations::apply`](super::Migrations::apply). Its `Display` is for people.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations};
/// # alizarin_samples::client(async |client, namespace| {
/// let migrations = Migrations::new(&client).add(Migration::new(1, "nothing").step(async |_| Ok(())));
/// # let migrations = migrations.with_namespace(namespace);
/// let report = migrations.apply().await?;
/// report.check()?;
/// assert_eq!(report.to_string(), "applied 1 \"nothing\"");
/// assert_eq!(migrations.apply().await?.to_string(), "nothing to do");
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Report {
    /// The migrations of this run, in the order in which they were done.
    pub done: Vec<Outcome>,
    /// Whether it was a rollback.
    pub undo: bool,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// What became of one migration in a run: of [`Report::done`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations};
/// # alizarin_samples::client(async |client, namespace| {
/// let migrations = Migrations::new(&client).add(Migration::new(1, "nothing").step(async |_| Ok(())));
/// # let migrations = migrations.with_namespace(namespace);
/// let report = migrations.apply().await?;
/// assert_eq!((report.done[0].name.as_str(), report.done[0].failed), ("nothing", 0));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The migration's version.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// How many documents were rewritten, by this run and earlier ones that broke off; in a dry run
    /// how many would be.
    pub changed: u64,
    /// How many documents could not be rewritten: they are as they were.
    pub failed: u64,
    /// The first hundred of them.
    pub failures: Vec<Failure>,
    /// Whether it is applied now (in a rollback, undone).
    pub complete: bool,
}

/// A document that could not be rewritten: of [`Outcome::failures`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations};
/// use alizarin_samples::Account;
/// # alizarin_samples::client(async |client, namespace| {
/// # let accounts = client.repository::<Account>().with_namespace(namespace);
/// # client.hset(accounts.key(&7), ("cents", "many")).await?;
/// let rewrite = Migration::new(1, "none").rewrite::<Account, Account>(Ok);
/// let migrations = Migrations::new(&client).add(rewrite);
/// # let migrations = migrations.with_namespace(namespace);
/// let report = migrations.apply().await?;
/// let failure = &report.done[0].failures[0];
/// assert_eq!(failure.error.kind(), ErrorKind::Decode);
/// # assert_eq!(failure.key, accounts.key(&7));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Failure {
    /// The document's key.
    pub key: String,
    /// Why.
    pub error: Arc<Error>,
}

/// How far migrations are: from [`Apply::on_progress`](super::Apply::on_progress) and
/// [`Apply::progress`](super::Apply::progress).
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, MigrationProgress, Migrations};
/// # alizarin_samples::client(async |client, namespace| {
/// let migrations = Migrations::new(&client).add(Migration::new(1, "nothing").step(async |_| Ok(())));
/// # let migrations = migrations.with_namespace(namespace);
/// let mut steps = migrations.apply().progress();
/// while let Some(step) = steps.next().await.transpose()? {
///     if let MigrationProgress::Page { seen, changed, .. } = step {
///         println!("{seen} documents seen, {changed} rewritten");
///     }
/// }
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum MigrationProgress {
    /// All is done.
    Done(Report),
    /// A migration has ended.
    Finished(Outcome),
    /// A page of documents was looked at.
    Page {
        /// The migration's version.
        version: u64,
        /// How often all documents are looked through: 1 for the first time.
        sweep: u32,
        /// How many were seen in this sweep.
        seen: u64,
        /// How many were rewritten so far, or would be.
        changed: u64,
        /// How many could not be, in this sweep.
        failed: u64,
    },
    /// A migration begins, or goes on.
    Started {
        /// Its version.
        version: u64,
        /// Its name.
        name: String,
    },
    /// Another process is at it.
    Waiting,
}

impl Outcome {
    pub(crate) fn fail(&mut self, key: String, error: Error) {
        self.failed += 1;
        if self.failures.len() < KEPT {
            self.failures.push(Failure { key, error: Arc::new(error) });
        }
    }
}

impl Report {
    /// An error where documents could not be rewritten: for a program's exit code.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migrations;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).with_namespace(namespace);
    /// migrations.apply().await?.check()?;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Value`, naming the first ones.
    pub fn check(&self) -> Result<()> {
        match self.done.iter().all(|outcome| outcome.failed == 0) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Value, self.to_string()).with_sent(Sent::Yes)),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.done.is_empty() {
            return f.write_str("nothing to do");
        }
        for (at, outcome) in self.done.iter().enumerate() {
            let word = match (self.dry_run, outcome.complete, self.undo) {
                (true, _, false) => "would apply",
                (true, _, true) => "would undo",
                (false, false, _) => "not complete:",
                (false, true, false) => "applied",
                (false, true, true) => "undid",
            };
            let line = if at == 0 { "" } else { "\n" };
            write!(f, "{line}{word} {} {:?}", outcome.version, outcome.name)?;
            if outcome.changed > 0 {
                write!(f, ", {} documents", outcome.changed)?;
            }
            if outcome.failed > 0 {
                write!(f, ", {} failed", outcome.failed)?;
            }
            for Failure { key, error } in outcome.failures.iter().take(3) {
                write!(f, "\n  `{key}`: {}", error.message())?;
            }
        }
        Ok(())
    }
}
