//! One migration: a version, a name, and what it does.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use super::rewrite::{Rewriter, Rewriting};
use crate::model::RedisModel;
use crate::{Client, Result};

type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;
pub(crate) type StepFn = Box<dyn Fn(Client) -> Work + Send + Sync>;

/// A migration of data: its version, its name, and what it does. For
/// [`Migrations::add`](super::Migrations::add).
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::{Migration, Migrations};
/// # alizarin_samples::client(async |client, namespace| {
/// # client.set(format!("{namespace}greeting"), "hello").await?;
/// # let key = format!("{namespace}greeting");
/// let migrations = Migrations::new(&client)
///     # .with_namespace(namespace)
///     .add(Migration::new(1, "forget the greeting").step(move |client| {
///         let key = key.clone();
///         async move { client.del([key]).await.map(drop) }
///     }));
/// let report = migrations.apply().await?;
/// assert_eq!(report.done[0].version, 1);
/// # Ok(()) });
/// ```
#[must_use = "add it to `Migrations`"]
pub struct Migration {
    pub(crate) version: u64,
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    /// Nothing yet.
    Empty,
    Rewrite(Box<dyn Rewriter>),
    Step {
        forth: StepFn,
        back: Option<StepFn>,
    },
}

impl Migration {
    /// A migration that does nothing yet. Versions are applied in their order; each version and its
    /// name stay what they are for ever.
    ///
    /// ```
    /// use alizarin::migrate::Migration;
    ///
    /// let migration = Migration::new(20_260_401, "split the name");
    /// assert_eq!(format!("{migration:?}"), "Migration(20260401, \"split the name\")");
    /// ```
    pub fn new(version: u64, name: impl Into<String>) -> Migration {
        Migration { version, name: name.into(), kind: Kind::Empty }
    }

    /// Rewrites all documents that are `O`s as `N`s: see [`Rewrite`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(hash, prefix = "person")]
    /// struct OldPerson {
    ///     #[redis(id)]
    ///     id: u32,
    ///     name: String,
    /// }
    ///
    /// #[derive(Debug, PartialEq, RedisModel)]
    /// #[redis(hash, prefix = "person")]
    /// struct Person {
    ///     #[redis(id)]
    ///     id: u32,
    ///     first: String,
    ///     last: String,
    /// }
    ///
    /// # let old = client.repository::<OldPerson>().with_namespace(namespace);
    /// # old.save(&OldPerson { id: 1, name: "Ann Lee".into() }).await?;
    /// let split = Migration::new(1, "split the name").rewrite::<OldPerson, Person>(|old| {
    ///     let (first, last) = old.name.split_once(' ').unwrap_or((&old.name, ""));
    ///     Ok(Person { id: old.id, first: first.into(), last: last.into() })
    /// });
    /// let migrations = Migrations::new(&client).add(split);
    /// # let migrations = migrations.with_namespace(namespace);
    /// assert_eq!(migrations.apply().await?.done[0].changed, 1);
    ///
    /// let people = client.repository::<Person>();
    /// # let people = people.with_namespace(namespace);
    /// let ann = Person { id: 1, first: "Ann".into(), last: "Lee".into() };
    /// assert_eq!(people.get(&1).await?, Some(ann));
    /// # Ok(()) });
    /// ```
    pub fn rewrite<O: RedisModel, N: RedisModel>(
        self,
        change: impl Fn(O) -> Result<N> + Send + Sync + 'static,
    ) -> Rewrite<O, N> {
        let work = Rewriting { forth: Box::new(change), back: None, when: None };
        Rewrite { migration: self, work }
    }

    /// Rewrites all documents by the [`From`] that a model with `upgrade_from` has.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::{Migration, Migrations};
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "price")]
    /// struct OldPrice {
    ///     #[redis(id)]
    ///     id: u32,
    ///     euros: f64,
    /// }
    ///
    /// #[derive(Debug, PartialEq, RedisModel)]
    /// #[redis(json, prefix = "price", upgrade_from = OldPrice)]
    /// struct Price {
    ///     #[redis(id)]
    ///     id: u32,
    ///     cents: i64,
    /// }
    ///
    /// impl From<OldPrice> for Price {
    ///     fn from(old: OldPrice) -> Price {
    ///         Price { id: old.id, cents: (old.euros * 100.0).round() as i64 }
    ///     }
    /// }
    ///
    /// # let old = client.repository::<OldPrice>().with_namespace(namespace);
    /// # old.save(&OldPrice { id: 1, euros: 9.99 }).await?;
    /// let prices = client.repository::<Price>();
    /// # let prices = prices.with_namespace(namespace);
    /// // A program with the new struct reads both forms,
    /// assert_eq!(prices.get(&1).await?, Some(Price { id: 1, cents: 999 }));
    /// // while the migration rewrites the old ones.
    /// let upgrade = Migration::new(1, "count cents").upgrade::<OldPrice, Price>();
    /// let migrations = Migrations::new(&client).add(upgrade);
    /// # let migrations = migrations.with_namespace(namespace);
    /// assert_eq!(migrations.apply().await?.done[0].changed, 1);
    /// # Ok(()) });
    /// ```
    pub fn upgrade<O: RedisModel, N: RedisModel + From<O>>(self) -> Rewrite<O, N> {
        self.rewrite(|old: O| Ok(N::from(old)))
    }

    /// Does anything else, by a client. Where the process ends in the middle, it is done again from
    /// its beginning: it should have the same outcome when it is done twice.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migration;
    ///
    /// let step = Migration::new(2, "forget old sessions")
    ///     .step(async |client| client.del(["sessions"]).await.map(drop))
    ///     .undo(async |_| Ok(()));
    /// # drop(step);
    /// ```
    pub fn step<F, W>(self, work: F) -> Step
    where
        F: Fn(Client) -> W + Send + Sync + 'static,
        W: Future<Output = Result<()>> + Send + 'static,
    {
        Step { migration: self, forth: boxed(work), back: None }
    }
}

fn boxed<F, W>(work: F) -> StepFn
where
    F: Fn(Client) -> W + Send + Sync + 'static,
    W: Future<Output = Result<()>> + Send + 'static,
{
    Box::new(move |client| Box::pin(work(client)))
}

impl fmt::Debug for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Migration").field(&self.version).field(&self.name).finish()
    }
}

/// Documents of an old struct become those of a new one, one by one, while the application runs:
/// from [`Migration::rewrite`].
///
/// Each document is read, changed and written back only if nobody else wrote it in between (by the
/// SHA-1 of its content, in one script); else it is read again. Its version is counted up, its event
/// published, its time to live kept. A hash's fields that only the old struct has are removed;
/// fields that neither has stay.
///
/// A document is new when it reads as the new struct, and old when it reads as the old one only:
/// that is how a document that was rewritten is left alone. Where both read the same documents, say
/// by [`when`](Rewrite::when) which are old. One that reads as neither is a failure, and the others go
/// on. Both structs have the same keys and storage.
///
/// All documents are looked through again until none is old any more, so that what an old program
/// wrote meanwhile is not left behind.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::Migration;
/// # use alizarin_samples::Account;
///
/// let halve = Migration::new(1, "halve what is left")
///     .rewrite::<Account, Account>(|old| Ok(Account { cents: old.cents / 2, ..old }))
///     // Both structs are the same: this tells old from new.
///     .when(|account| account.cents > 1_000);
/// # drop(halve);
/// ```
#[must_use = "add it to `Migrations`"]
pub struct Rewrite<O, N> {
    migration: Migration,
    work: Rewriting<O, N>,
}

impl<O: RedisModel, N: RedisModel> Rewrite<O, N> {
    /// Says which documents that read as the old struct are old. After the change it must not hold
    /// any more.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migration;
    /// # use alizarin_samples::Account;
    ///
    /// let name = |old: Account| Ok(Account { owner: "nobody".into(), ..old });
    /// let migration = Migration::new(1, "name the owners")
    ///     .rewrite::<Account, Account>(name)
    ///     .when(|account| account.owner.is_empty());
    /// # drop(migration);
    /// ```
    pub fn when(mut self, is_old: impl Fn(&O) -> bool + Send + Sync + 'static) -> Self {
        self.work.when = Some(Box::new(is_old));
        self
    }

    /// How a rollback makes an old document of a new one.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migration;
    /// # use alizarin_samples::Account;
    ///
    /// let migration = Migration::new(1, "shout")
    ///     .rewrite::<Account, Account>(|old| Ok(Account { owner: old.owner.to_uppercase(), ..old }))
    ///     .when(|account| account.owner != account.owner.to_uppercase())
    ///     .undo(|new| Ok(Account { owner: new.owner.to_lowercase(), ..new }));
    /// # drop(migration);
    /// ```
    pub fn undo(mut self, back: impl Fn(N) -> Result<O> + Send + Sync + 'static) -> Self {
        self.work.back = Some(Box::new(back));
        self
    }
}

impl<O: RedisModel, N: RedisModel> From<Rewrite<O, N>> for Migration {
    fn from(rewrite: Rewrite<O, N>) -> Migration {
        Migration { kind: Kind::Rewrite(Box::new(rewrite.work)), ..rewrite.migration }
    }
}

impl<O, N> fmt::Debug for Rewrite<O, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let structs = PhantomData::<(O, N)>;
        f.debug_tuple("Rewrite").field(&self.migration).field(&structs).finish()
    }
}

/// Anything else that is done once: from [`Migration::step`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::migrate::Migration;
///
/// let step = Migration::new(1, "note the day").step(async |client| client.set("day", 1).await.map(drop));
/// # drop(step);
/// ```
#[must_use = "add it to `Migrations`"]
pub struct Step {
    migration: Migration,
    forth: StepFn,
    back: Option<StepFn>,
}

impl Step {
    /// What a rollback does.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::migrate::Migration;
    ///
    /// let step = Migration::new(1, "note the day")
    ///     .step(async |client| client.set("day", 1).await.map(drop))
    ///     .undo(async |client| client.del(["day"]).await.map(drop));
    /// # drop(step);
    /// ```
    pub fn undo<F, W>(mut self, work: F) -> Self
    where
        F: Fn(Client) -> W + Send + Sync + 'static,
        W: Future<Output = Result<()>> + Send + 'static,
    {
        self.back = Some(boxed(work));
        self
    }
}

impl From<Step> for Migration {
    fn from(step: Step) -> Migration {
        Migration { kind: Kind::Step { forth: step.forth, back: step.back }, ..step.migration }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Step").field(&self.migration).finish()
    }
}
