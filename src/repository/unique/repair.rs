//! Looking after reservations: those that are missing, those that are stale, and duplicates.

use std::fmt;
use std::pin::Pin;

use super::apart::{Claim, sweep, values};
use super::constraint::{Constraints, owner};
use crate::model::{RedisModel, UniqueSchema};
use crate::repository::Repository;
use crate::repository::failure::explain;
use crate::repository::lock::token;
use crate::repository::scan::{PAGE, glob, page_of_keys};
use crate::repository::script::{Call, UNIQUE_MEND, UNIQUE_SWEEP};
use crate::{Command, ErrorKind, Result, ServerCode};

/// How many duplicates a report names.
const NAMED: usize = 100;

impl<M: RedisModel> Repository<M> {
    /// The model's unique fields, to look after: all values at once.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::members(async |members| {
    /// let report = members.unique().check().await?;
    /// assert_eq!((report.documents, report.reservations), (2, 3));
    /// assert!(report.is_sound());
    /// # Ok(()) });
    /// ```
    pub fn unique(&self) -> UniqueFields<'_, M> {
        UniqueFields { repository: self }
    }
}

/// The unique fields of a model, from [`Repository::unique`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::members(async |members| {
/// let unique = members.unique();
/// assert!(unique.check().await?.is_sound());
/// # Ok(()) });
/// ```
pub struct UniqueFields<'a, M> {
    repository: &'a Repository<M>,
}

impl<'a, M: RedisModel> UniqueFields<'a, M> {
    /// Compares all documents with all reservations (`SCAN`, a script for each), and changes
    /// nothing. What others write meanwhile may be counted either way.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::members(async |members| {
    /// // As if it had expired.
    /// members.client().command("DEL").key(members.key(&1)).exec().await?;
    /// let report = members.unique().check().await?;
    /// assert_eq!((report.stale, report.missing), (2, 0));
    /// # Ok(()) });
    /// ```
    pub fn check(&self) -> Audit<'a, M> {
        Audit { repository: self.repository, repair: false, progress: None }
    }

    /// The same, and mends what can be mended: reserves what documents have, and removes the
    /// reservations that are stale. Safe while others write, and to be started again after it was
    /// broken off.
    ///
    /// It is what makes the values of documents unique that were there before `unique` was added
    /// to the model. Where two of them have one value, the first one found keeps it; the report
    /// names the others, and until they are changed, `save` refuses them.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Member;
    /// # alizarin_samples::members(async |members| {
    /// // Written by a program that knows of no unique fields.
    /// let cem = members.key(&3);
    /// let fields = ("id", 3, "email", "cem@example.com", "team", "red");
    /// members.client().command("HSET").key(cem).arg(fields).exec().await?;
    /// assert_eq!(members.by(|m| m.email, "cem@example.com").await?, None);
    ///
    /// let report = members.unique().repair().await?;
    /// assert_eq!((report.documents, report.missing, report.duplicates), (3, 1, 0));
    /// assert_eq!(members.by(|m| m.email, "cem@example.com").await?.map(|cem| cem.id), Some(3));
    /// # Ok(()) });
    /// ```
    pub fn repair(&self) -> Audit<'a, M> {
        Audit { repository: self.repository, repair: true, progress: None }
    }
}

impl<M> fmt::Debug for UniqueFields<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UniqueFields").finish_non_exhaustive()
    }
}

/// How far [`UniqueFields::check`] or [`UniqueFields::repair`] have come.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::members(async |members| {
/// let mut last = None;
/// members.unique().check().on_progress(|progress| last = Some(progress)).await?;
/// assert_eq!(last.map(|last| (last.documents, last.reservations)), Some((2, 3)));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UniqueProgress {
    /// Documents looked at; these come first.
    pub documents: u64,
    /// Reservations looked at.
    pub reservations: u64,
}

/// What [`UniqueFields::check`] or [`UniqueFields::repair`] found.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::members(async |members| {
/// // Written past the repository: Ann's address once more.
/// let (key, fields) = (members.key(&3), ("id", 3, "email", "ann@example.com", "team", "blue"));
/// members.client().command("HSET").key(key).arg(fields).exec().await?;
/// let report = members.unique().repair().await?;
/// assert_eq!((report.duplicates, report.is_sound()), (1, false));
/// let twice = &report.named[0];
/// assert_eq!(twice.name, "email");
/// assert_eq!((&twice.holder, &twice.other), (&members.key(&1), &members.key(&3)));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UniqueReport {
    /// Documents looked at.
    pub documents: u64,
    /// Reservations looked at.
    pub reservations: u64,
    /// Values of documents that were not reserved for them; after a repair they are.
    pub missing: u64,
    /// Reservations whose documents lack the value; after a repair they are gone.
    pub stale: u64,
    /// Documents with a value that is another document's.
    pub duplicates: u64,
    /// The first hundred of these.
    pub named: Vec<Duplicate>,
}

impl UniqueReport {
    /// Whether there was nothing to mend.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::members(async |members| {
    /// assert!(members.unique().repair().await?.is_sound());
    /// # Ok(()) });
    /// ```
    pub fn is_sound(&self) -> bool {
        (self.missing, self.stale, self.duplicates) == (0, 0, 0)
    }
}

/// Two documents with one value, in a [`UniqueReport`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::members(async |members| {
/// assert_eq!(members.unique().check().await?.named, []);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Duplicate {
    /// The field or group.
    pub name: &'static str,
    /// The key of the document for which the value is reserved.
    pub holder: String,
    /// The key of the other one.
    pub other: String,
}

type Progress<'a> = Box<dyn FnMut(UniqueProgress) + Send + 'a>;

/// A check or repair of unique fields, from [`UniqueFields::check`] or [`UniqueFields::repair`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::members(async |members| {
/// members.unique().repair().await?;
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Server(WrongType)` when a document's key holds something else meanwhile; `Server(NoPerm)` when
/// the user may not read or write documents or reservations. What was mended before stays so.
///
/// # Cancel safety
/// Dropped before it is done, some values are looked after and some are not; it can be started anew.
#[must_use = "nothing is checked until it is awaited"]
pub struct Audit<'a, M> {
    repository: &'a Repository<M>,
    repair: bool,
    progress: Option<Progress<'a>>,
}

impl<'a, M: RedisModel> Audit<'a, M> {
    /// Calls `progress` after each page of about 500 keys.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::members(async |members| {
    /// let report = members.unique().check().on_progress(|progress| {
    ///     println!("{} documents, {} reservations", progress.documents, progress.reservations);
    /// });
    /// assert!(report.await?.is_sound());
    /// # Ok(()) });
    /// ```
    pub fn on_progress(mut self, progress: impl FnMut(UniqueProgress) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    async fn run(self) -> Result<UniqueReport> {
        let mut report = UniqueReport::default();
        let repository = self.repository.steady();
        let Some(constraints) = Constraints::of(&repository) else { return Ok(report) };
        let mut progress = self.progress;
        let mut told = |report: &UniqueReport| {
            if let Some(progress) = &mut progress {
                let UniqueReport { documents, reservations, .. } = *report;
                progress(UniqueProgress { documents, reservations });
            }
        };
        let work = Work { repository: &repository, constraints: &constraints, repair: self.repair };
        let mut cursor = "0".to_owned();
        loop {
            let (next, found) = page_of_keys(&repository, &cursor, PAGE).await?;
            for (key, _) in found {
                work.document(&key, &mut report).await?;
            }
            told(&report);
            cursor = next;
            if cursor == "0" {
                break;
            }
        }
        loop {
            let pattern = glob(&constraints.base) + "*";
            let command: Command<(String, Vec<Vec<u8>>)> = Command::new("SCAN")
                .arg((&cursor, "MATCH", pattern, "COUNT", PAGE, "TYPE", "string"));
            let (next, found) = repository.client().run(command).await?;
            for key in found {
                // Whatever is no text was made by nobody of us.
                if let Ok(key) = String::from_utf8(key) {
                    work.reservation(&key, &mut report).await?;
                }
            }
            told(&report);
            cursor = next;
            if cursor == "0" {
                return Ok(report);
            }
        }
    }
}

struct Work<'a, M> {
    repository: &'a Repository<M>,
    constraints: &'a Constraints,
    repair: bool,
}

impl<M: RedisModel> Work<'_, M> {
    /// Looks whether all values of a document are reserved for it.
    async fn document(&self, key: &str, report: &mut UniqueReport) -> Result<()> {
        report.documents += 1;
        for one in self.constraints.all {
            let outcome = match self.constraints.apart {
                false => self.mend(one, key).await,
                true => self.mend_apart(one, key).await,
            };
            match outcome {
                Ok(missing) => report.missing += missing,
                Err(error) if error.kind() == ErrorKind::Taken => {
                    report.duplicates += 1;
                    let holder = error.holder().unwrap_or_default().to_owned();
                    if report.named.len() < NAMED {
                        let other = key.to_owned();
                        report.named.push(Duplicate { name: one.name, holder, other });
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// In one step, where the reservation lies beside the document.
    async fn mend(&self, one: &UniqueSchema, key: &str) -> Result<u64> {
        let mut call = Call::new(&UNIQUE_MEND, key);
        self.constraints.write_one(&mut call, one);
        call.section("values", &vec!["="; self.constraints.none().len()]);
        if !self.repair {
            call.section("dry", &[""; 0]);
        }
        call.run(self.repository.client()).await.map_err(|error| explain(error, key))
    }

    async fn mend_apart(&self, one: &UniqueSchema, key: &str) -> Result<u64> {
        let client = self.repository.client();
        let values = values(client, self.constraints, key).await?;
        let Some(reservation) = self.constraints.reservation(one, &values) else { return Ok(0) };
        let claim = Claim { constraints: self.constraints, one, key: &reservation, document: key };
        let command = crate::commands::get::<Option<String>>(&reservation);
        let record = client.run(command).await?;
        let other = match record.as_deref().map(owner) {
            Some(Some(holder)) if holder == key => return Ok(0),
            Some(holder) => holder,
            None => None,
        };
        if !self.repair {
            return match other {
                Some(other) if claim.verify(client, other, false).await? => {
                    Err(super::taken(self.constraints.model, one.name, other))
                }
                _ => Ok(1),
            };
        }
        claim.make(client, &token()?, false).await.map(|_| 1)
    }

    /// Looks whether the document of a reservation has the value.
    async fn reservation(&self, key: &str, report: &mut UniqueReport) -> Result<()> {
        // Of a model whose prefix begins like this one's there is a colon in the name.
        let name = key.strip_prefix(&self.constraints.base).and_then(|rest| rest.rsplit_once(':'));
        let Some((name, _)) = name.filter(|(name, _)| !name.contains(':')) else { return Ok(()) };
        let client = self.repository.client();
        let command = crate::commands::get::<Option<String>>(key);
        let Some(record) = client.run(command).await? else { return Ok(()) };
        let Some(document) = owner(&record) else { return Ok(()) };
        report.reservations += 1;
        let found = self.constraints.all.iter().position(|one| one.name == name);
        // A constraint that the model has no more: nobody gives its reservations back.
        let Some(one) = found.and_then(|at| self.constraints.all.get(at)) else {
            report.stale += 1;
            if self.repair {
                client.run(Command::<u64>::new("DEL").key(key)).await?;
            }
            return Ok(());
        };
        report.stale += match self.constraints.apart {
            true => {
                let claim = Claim { constraints: self.constraints, one, key, document };
                u64::from(sweep(client, &claim, &record, !self.repair).await?)
            }
            false => self.sweep(one, key, document).await?,
        };
        Ok(())
    }

    async fn sweep(&self, one: &UniqueSchema, key: &str, document: &str) -> Result<u64> {
        let mut call = Call::new(&UNIQUE_SWEEP, document);
        self.constraints.write_one(&mut call, one);
        call.section("sweep", &["1", key, if self.repair { "" } else { "dry" }]);
        let client = self.repository.client();
        match call.run(client).await.map_err(|error| explain(error, document)) {
            // Whatever took the document's place is none of this model, and has no such value.
            Err(error) if error.server_code() == Some(ServerCode::WrongType) => {
                if self.repair {
                    client.run(Command::<u64>::new("DEL").key(key)).await?;
                }
                Ok(1)
            }
            outcome => outcome,
        }
    }
}

impl<'a, M: RedisModel> IntoFuture for Audit<'a, M> {
    type Output = Result<UniqueReport>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<UniqueReport>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M> fmt::Debug for Audit<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("repair", &self.repair).finish_non_exhaustive()
    }
}
