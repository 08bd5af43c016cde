//! Migrations of data: versioned, in order, resumable, while the application runs.
//!
//! A [`Migration`] rewrites the documents of an old struct as those of a new one, or does any other
//! step. [`Migrations`] applies those that are pending, once, whichever process comes first; what was
//! applied is noted on the server. The guide `docs/migrations.md` tells how a struct is changed
//! without downtime.

mod apply;
mod content;
mod journal;
mod migration;
mod report;
mod rewrite;

pub use apply::Apply;
pub use migration::{Migration, Rewrite, Step};
pub use report::{Failure, MigrationProgress, Outcome, Report};

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use journal::Journal;
use migration::Kind;

use crate::{Client, Error, ErrorKind, Result};

/// A program's migrations, and their journal on the server.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations};
/// # alizarin_samples::client(async |client, namespace| {
/// let migrations = Migrations::new(&client)
///     .add(Migration::new(1, "first").step(async |_| Ok(())))
///     .add(Migration::new(2, "second").step(async |_| Ok(())));
/// # let migrations = migrations.with_namespace(namespace);
/// assert_eq!(migrations.apply().await?.done.len(), 2);
/// // What was applied is applied once.
/// assert_eq!(migrations.apply().await?.done.len(), 0);
/// # Ok(()) });
/// ```
pub struct Migrations {
    client: Client,
    namespace: Arc<str>,
    name: String,
    all: Vec<Migration>,
}

impl Migrations {
    /// No migrations so far. Nothing is sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migrations;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).with_namespace(namespace);
    /// assert!(migrations.status().await?.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn new(client: &Client) -> Migrations {
        let name = "default".to_owned();
        Migrations { client: client.clone(), namespace: Arc::from(""), name, all: Vec::new() }
    }

    /// The documents and the journal are those of this namespace, as
    /// [`Repository::with_namespace`](crate::Repository::with_namespace) has it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migrations;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let tenant = Migrations::new(&client).with_namespace("tenant-7:");
    /// # let tenant = tenant.with_namespace(namespace);
    /// tenant.apply().await?;
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn with_namespace(mut self, namespace: impl Into<Arc<str>>) -> Migrations {
        self.namespace = namespace.into();
        self
    }

    /// Another journal than `default`, for a program that shares the server with others.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// let first = |name| Migration::new(1, name).step(async |_| Ok(()));
    /// # let of = |client: &Client| Migrations::new(client).with_namespace(namespace);
    /// # fn with(of: Migrations, name: &str) -> Migrations { of.named(name) }
    /// let billing = with(of(&client), "billing").add(first("invoices"));
    /// let shop = with(of(&client), "shop").add(first("articles"));
    /// assert_eq!(billing.apply().await?.done.len(), 1);
    /// assert_eq!(shop.apply().await?.done.len(), 1);
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Migrations {
        self.name = name.into();
        self
    }

    /// Adds a migration; the order of the calls does not matter.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client)
    ///     .add(Migration::new(2, "second").step(async |_| Ok(())))
    ///     .add(Migration::new(1, "first").step(async |_| Ok(())));
    /// # let migrations = migrations.with_namespace(namespace);
    /// assert_eq!(migrations.apply().await?.done[0].name, "first");
    /// # Ok(()) });
    /// ```
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "it is no arithmetic")]
    pub fn add(mut self, migration: impl Into<Migration>) -> Migrations {
        self.all.push(migration.into());
        self
    }

    /// Applies what is pending, in the order of the versions, as the only process; others wait.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).add(Migration::new(1, "nothing").step(async |_| Ok(())));
    /// # let migrations = migrations.with_namespace(namespace);
    /// migrations.apply().await?.check()?;
    /// # Ok(()) });
    /// ```
    pub fn apply(&self) -> Apply<'_> {
        Apply::new(self, None)
    }

    /// Undoes what was applied above `version`, the last first, by each one's `undo`; 0 undoes all.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// let step = Migration::new(1, "nothing").step(async |_| Ok(())).undo(async |_| Ok(()));
    /// let migrations = Migrations::new(&client).add(step);
    /// # let migrations = migrations.with_namespace(namespace);
    /// migrations.apply().await?.check()?;
    /// let report = migrations.rollback_to(0).await?;
    /// assert_eq!(report.to_string(), "undid 1 \"nothing\"");
    /// # Ok(()) });
    /// ```
    pub fn rollback_to(&self, version: u64) -> Apply<'_> {
        Apply::new(self, Some(version))
    }

    /// All migrations, those that only the journal knows too, by version (`HGETALL`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations, State};
    /// # alizarin_samples::client(async |client, namespace| {
    /// let migrations = Migrations::new(&client).add(Migration::new(1, "nothing").step(async |_| Ok(())));
    /// # let migrations = migrations.with_namespace(namespace);
    /// assert_eq!(migrations.status().await?[0].state, State::Pending);
    /// migrations.apply().await?;
    /// assert!(matches!(migrations.status().await?[0].state, State::Applied { .. }));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// Only those of the connection.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn status(&self) -> Result<Vec<Status>> {
        let client = self.client.steady();
        let journal = Journal::load(&client, &Journal::key(&self.namespace, &self.name)).await?;
        let running = journal.running.as_ref().map(|running| running.version);
        let mut all: Vec<Status> = Vec::new();
        for migration in &self.all {
            if !journal.applied.contains_key(&migration.version) {
                let state = match running == Some(migration.version) {
                    true => State::Running,
                    false => State::Pending,
                };
                let (version, name) = (migration.version, migration.name.clone());
                all.push(Status { version, name, state });
            }
        }
        for (version, record) in journal.applied {
            let at = UNIX_EPOCH.checked_add(Duration::from_millis(record.at)).unwrap_or(UNIX_EPOCH);
            let state = match running == Some(version) {
                true => State::Running,
                false => State::Applied { at },
            };
            all.push(Status { version, name: record.name, state });
        }
        all.sort_by_key(|status| status.version);
        Ok(all)
    }

    /// All in order, or what is wrong with them.
    fn checked(&self) -> Result<Vec<&Migration>> {
        let mut all: Vec<&Migration> = self.all.iter().collect();
        all.sort_by_key(|migration| migration.version);
        let refuse = |message: String| Err(Error::new(ErrorKind::Usage, message));
        for (migration, next) in all.iter().zip(all.iter().skip(1)) {
            if migration.version == next.version {
                let (version, one, other) = (migration.version, &migration.name, &next.name);
                return refuse(format!("{one:?} and {other:?} are both migration {version}"));
            }
        }
        for Migration { version, name, kind } in &all {
            match kind {
                Kind::Empty => {
                    return refuse(format!(
                        "migration {version} {name:?} does nothing: give it `rewrite` or `step`"
                    ));
                }
                Kind::Rewrite(rewriter) => rewriter.check()?,
                Kind::Step { .. } => {}
            }
            if *version == 0 {
                return refuse(format!("migration {name:?} has version 0: versions begin with 1"));
            }
        }
        Ok(all)
    }
}

impl fmt::Debug for Migrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Migrations")
            .field("namespace", &self.namespace)
            .field("name", &self.name)
            .field("all", &self.all)
            .finish_non_exhaustive()
    }
}

/// A migration and what is known of it: from [`Migrations::status`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations};
/// # alizarin_samples::client(async |client, namespace| {
/// let migrations = Migrations::new(&client).add(Migration::new(7, "nothing").step(async |_| Ok(())));
/// # let migrations = migrations.with_namespace(namespace);
/// let status = &migrations.status().await?[0];
/// assert_eq!((status.version, status.name.as_str()), (7, "nothing"));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Its version.
    pub version: u64,
    /// Its name.
    pub name: String,
    /// Whether it was applied.
    pub state: State,
}

/// Whether a migration was applied: of [`Status`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations, State};
/// # alizarin_samples::client(async |client, namespace| {
/// let migrations = Migrations::new(&client).add(Migration::new(1, "nothing").step(async |_| Ok(())));
/// # let migrations = migrations.with_namespace(namespace);
/// let pending = async || Ok::<_, Error>(migrations.status().await?[0].state == State::Pending);
/// assert!(pending().await?);
/// migrations.apply().await?;
/// assert!(!pending().await?);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// It was.
    Applied {
        /// When.
        at: SystemTime,
    },
    /// It was not.
    Pending,
    /// It is under way, or its process ended before it was done.
    Running,
}
