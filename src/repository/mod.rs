//! Reading and writing documents: one [`Repository`] a model.
//!
//! The examples here are about accounts:
//!
//! ```
//! # use alizarin::prelude::*;
//! # {
//! #[derive(Debug, Clone, PartialEq, RedisModel)]
//! #[redis(hash, prefix = "account", events)]
//! struct Account {
//!     #[redis(id)]
//!     id: u32,
//!     owner: String,
//!     cents: i64,
//!     note: Option<String>,
//!     /// Counted up by the server with each write.
//!     #[redis(version)]
//!     version: u64,
//! }
//!
//! impl Account {
//!     fn new(id: u32, owner: &str, cents: i64) -> Account {
//!         Account { id, owner: owner.to_owned(), cents, note: None, version: 0 }
//!     }
//! }
//! # assert_eq!(Account::SCHEMA.version, Some("version"));
//! # assert_eq!(Account::new(1, "Ann", 500).cents, 500);
//! # }
//! ```
//!
//! | id | owner | cents | note | version |
//! |---|---|---|---|---|
//! | 1 | Ann | 500 | | 1 |
//! | 2 | Bob | 100 | | 1 |
//!
//! Some search the films of [`query`](crate::query).
//!
//! # What there is
//!
//! | to | there is | when others write too |
//! |---|---|---|
//! | write whole documents | [`save`](Repository::save), [`insert`](Repository::insert), [`replace`](Repository::replace), [`save_all`](Repository::save_all) | the last one wins, unless [`if_version`](Save::if_version) |
//! | change single fields: set, clear, add, push | [`set`](Repository::set) | each change counts; the last value of a field wins, unless [`if_version`](Set::if_version) |
//! | write it if it is not there, else change it | [`upsert`](Repository::upsert) | one writes, the others change |
//! | read, change, write | [`update`](Repository::update) | starts again after another writer |
//! | the same with slow work in between | [`locked`](Repository::locked), [`lock`](Repository::lock) | waits for the lock, which is extended meanwhile; `Conflict` after a writer without it |
//! | write new ones under generated ids | [`create`](Repository::create) | each gets its own; [`next_id`](Repository::next_id) gives one alone |
//! | write several documents of several models as one | [`begin`](Transactions::begin) | all or nothing, whatever each step says |
//! | read several, write several | [`transact`](Transactions::transact) | starts again after another writer |
//! | delete | [`delete`](Repository::delete) | whatever they wrote, unless [`if_version`](Delete::if_version) |
//! | delete with what refers to it | [`referred_by`](Repository::referred_by), once | see [`Referrer`] |
//! | read by id | [`get`](Repository::get), [`get_many`](Repository::get_many), [`exists`](Repository::exists) | |
//! | read by what is unique | [`by`](Repository::by) | |
//! | read by id what seldom changes | [`cached`](Repository::cached) | the server tells of it |
//! | read by id with what the documents refer to | [`get(..).with(..)`](With), [`load`](Repository::load) | |
//! | read all | [`scan`](Repository::scan), [`scan_ids`](Repository::scan_ids) | |
//! | search | [`find`](Repository::find), [`nearest`](Repository::nearest), [`within`](Repository::within), [`aggregate`](Repository::aggregate) | |
//! | count all | [`find`](Repository::find)`(\|_\| everything()).count()`, with [`everything`](crate::query::everything) | |
//! | let documents end | [`ttl`](Repository::ttl), [`expire`](Repository::expire), [`persist`](Repository::persist), [`Save::ttl`] | |
//! | keep tenants apart | [`tenant`](Repository::tenant) | |
//! | follow changes | [`changes`](Repository::changes) | |
//!
//! # Unique fields
//!
//! ```
//! # use alizarin::prelude::*;
//! # {
//! #[derive(Debug, Clone, PartialEq, RedisModel)]
//! #[redis(hash, prefix = "member", unique(team, number))]
//! struct Member {
//!     #[redis(id)]
//!     id: u32,
//!     #[redis(unique)]
//!     email: String,
//!     team: String,
//!     number: Option<u32>,
//! }
//! # assert_eq!(Member::SCHEMA.unique.len(), 2);
//! # }
//! # use alizarin_samples::Member;
//! # alizarin_samples::members(async |members| {
//! let error = members.insert(&Member::new(3, "ann@example.com", "blue", None)).await.unwrap_err();
//! assert_eq!((error.kind(), error.field()), (ErrorKind::Taken, Some("email")));
//! assert_eq!(error.holder(), Some(&*members.key(&1)));
//! let ann = members.by(|m| m.email, "ann@example.com").await?;
//! assert_eq!(ann.map(|ann| ann.id), Some(1));
//! # Ok(()) });
//! ```
//!
//! Every write here (save, insert, replace, set, update, locked, all of them at once, delete)
//! reserves the values that a document gets and gives back those that it had, by what the server has
//! stored, not by what the struct says. A value that another document has is refused with
//! [`Taken`](crate::ErrorKind::Taken), and nothing is written.
//!
//! - **What is the same**: exact bytes. `Ann@` and `ann@` are two values; where they should be one,
//!   store them in lower case. `None` is no value: any number of documents may have it, and a group
//!   with a `None` in it is not looked at.
//! - **Where it lies**: a reservation is a string
//!   `{namespace}alizarin:unique:{prefix}:{field or group}:{digest of the value}`, which holds the key
//!   of its document. The ACL needs `~{namespace}alizarin:*` beside the documents' keys.
//! - **The document is the truth.** A reservation whose document is gone, or has another value, is
//!   stale, and the next write that wants the value takes it. That is how expiry works: nothing has
//!   to happen when a document (or a hash's field) expires, is evicted, or is removed by others; the
//!   value is free at once, on a cluster after at most a second. The stale key itself stays until
//!   somebody wants the value, or until [`unique().repair()`](UniqueFields::repair).
//! - **On one server**, and on a cluster where the namespace or prefix has a hash tag (`{eu}:`), all of
//!   it is one script. **On a cluster** otherwise the reservations lie in other slots: the value is
//!   reserved, then the document written, then the old value given back, at least three round trips.
//!   Whatever is broken off in between leaves reservations without documents, which are stale after a
//!   second. A reservation is taken from a document only in the same step in which it is seen, in the
//!   document's slot, that the document lacks the value, and in which all earlier prepared writes of it
//!   are stopped; those start again. It depends on no clock. `save_all` goes one by one then.
//! - **What it does not survive**: a failover that loses acknowledged writes can lose a reservation
//!   and keep its document, and writers that know of no unique fields reserve nothing.
//!   [`unique().repair()`](UniqueFields::repair) builds what is missing and names duplicates; it is
//!   also what is run once when a field of a model with documents becomes unique.

mod add;
mod assignment;
mod bulk;
mod cached;
mod call;
mod changes;
mod create;
mod delete;
pub(crate) mod draft;
mod failure;
mod get;
mod guard;
mod keep;
pub(crate) mod lease;
mod limit;
mod list;
mod lock;
mod locked;
mod nested;
mod next_id;
pub(crate) mod outcome;
mod patch;
pub(crate) mod prepare;
mod reads;
mod referrers;
mod relation;
mod returning;
mod save;
pub(crate) mod scan;
pub(crate) mod script;
mod search;
mod set;
mod take;
mod tenant;
mod transaction;
mod ttl;
mod unique;
pub(crate) mod update;
mod upsert;
mod with;

#[cfg(test)]
mod tests;

pub(crate) use failure::explain;
pub(crate) use lock::companion;
pub(crate) use reads::load_page;
pub(crate) use scan::glob;
pub(crate) use script::Call;
pub(crate) use take::{dialect, is_found_exactly, write_return};

pub use crate::model::written::Written;
pub use add::{Add, Addend, Number};
pub use assignment::{Assignment, Clear, ToValue};
pub use bulk::{
    Bulk, DeleteMany, DeleteWhere, Failure, Item, Job, Jobs, Report, Reported, SaveAll, SetMany,
    SetWhere, Settled,
};
pub use cached::{CachedGet, CachedGetMany, CachedRepository};
pub use changes::Changes;
pub use create::Create;
pub use delete::{Delete, ReportedDelete};
pub use get::{Exists, Get, GetMany};
pub use guard::{Lock, TakeLock};
pub use list::{Edit, ListField, MapField};
pub use locked::{Locked, SendCall};
pub use nested::ToNested;
pub use next_id::NextId;
pub use patch::{Patch, PatchValue, Patched};
#[doc(hidden)]
pub use referrers::Rule;
pub use referrers::{Deletion, Referrer};
pub use relation::{Deeper, Holds, Load, Relation};
pub use returning::{Returned, SetReturning};
pub use save::Save;
pub use scan::{Scan, ScanIds};
pub use set::Set;
pub use take::{Only, Take, Whole};
pub use transaction::{Commit, Handle, Replies, Step, Transact, Transaction, Transactions};
pub use ttl::{Expire, Persist, Ttl};
pub use unique::{Audit, By, Duplicate, UniqueFields, UniqueKey, UniqueProgress, UniqueReport};
pub use update::{Outcome, Update};
pub use upsert::Upsert;
pub use with::With;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::Client;
use crate::model::{RedisModel, parse_key, write_key};

/// The documents of one model on one server: cheap to clone, shared by all tasks, by `&self`.
///
/// Its methods make builders: options first, then `.await`. Nothing is sent before that. Every
/// write is one step on the server: checks, the event, the document, the time to live.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::client(async |client, namespace| {
/// let accounts: Repository<Account> = client.repository();
/// # let accounts = accounts.with_namespace(namespace);
/// accounts.insert(&Account::new(7, "Gil", 40)).await?;
/// let richer = accounts.update(&7, |account| account.cents += 2).await?;
/// assert_eq!(richer.cents, 42);
/// assert_eq!(accounts.get(&7).await?, Some(richer));
/// assert!(accounts.delete(&7).await?);
/// # Ok(()) });
/// ```
pub struct Repository<M> {
    client: Client,
    /// All of it: what was asked for, and the tenant.
    namespace: Arc<str>,
    /// How the namespace ends: the tenant it is bound to, or nothing.
    tenant: Arc<str>,
    /// What becomes of documents that refer to those which it deletes.
    rules: Option<Arc<referrers::Rules>>,
    model: PhantomData<fn() -> M>,
}

/// Makes repositories: implemented by [`Client`], and in the prelude.
pub trait Repositories {
    /// The repository of a model. Nothing is sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let accounts = client.repository::<Account>();
    /// assert_eq!(accounts.key(&7), "account:7");
    /// # let _ = namespace;
    /// # Ok(()) });
    /// ```
    fn repository<M: RedisModel>(&self) -> Repository<M>;
}

impl Repositories for Client {
    fn repository<M: RedisModel>(&self) -> Repository<M> {
        let none: Arc<str> = Arc::from("");
        Repository {
            client: self.clone(),
            namespace: none.clone(),
            tenant: none,
            rules: None,
            model: PhantomData,
        }
    }
}

impl<M> Repository<M> {
    /// The client it works on.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let type_name: String = accounts.client().command("TYPE").key(accounts.key(&1)).await?;
    /// assert_eq!(type_name, "hash");
    /// # Ok(()) });
    /// ```
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The same one, of several databases on the one that is active now: for what the server keeps
    /// a cursor of.
    pub(crate) fn steady(&self) -> Self {
        Repository { client: self.client.steady(), ..self.clone() }
    }

    /// What its keys, index and channel begin with; empty unless
    /// [`with_namespace`](Repository::with_namespace) said otherwise.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::client(async |client, namespace| {
    /// assert_eq!(client.repository::<Account>().namespace(), "");
    /// let staging = client.repository::<Account>().with_namespace("staging:");
    /// assert_eq!(staging.namespace(), "staging:");
    /// # let _ = namespace;
    /// # Ok(()) });
    /// ```
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The same repository with all its names (keys, index, lock keys, channel) beginning with
    /// `namespace`, as it is: `"test:"` makes `test:movie:1` of `movie:1`. One that is bound to a
    /// [`tenant`](Repository::tenant) stays bound.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::client(async |client, namespace| {
    /// let staging = client.repository::<Account>().with_namespace("staging:");
    /// assert_eq!(staging.key(&1), "staging:account:1");
    /// # let accounts = client.repository::<Account>().with_namespace(namespace);
    /// # accounts.save(&Account::new(1, "Ann", 500)).await?;
    /// # let staging = accounts.with_namespace(format!("{namespace}staging:"));
    /// assert_eq!(staging.get(&1).await?, None);
    /// # assert!(accounts.exists(&1).await?);
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn with_namespace(&self, namespace: impl Into<Arc<str>>) -> Repository<M> {
        let namespace = namespace.into();
        let bound = match self.tenant.is_empty() {
            true => namespace,
            false => Arc::from([&*namespace, &*self.tenant].concat()),
        };
        Repository { namespace: bound, ..self.clone() }
    }
}

impl<M: RedisModel> Repository<M> {
    /// The key of the document with this id: `{namespace}{prefix}:{id}`, or what the model's own
    /// template makes of it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// # let accounts = accounts.with_namespace("");
    /// assert_eq!(accounts.key(&1), "account:1");
    /// # Ok(()) });
    /// ```
    pub fn key(&self, id: &M::Id) -> String {
        // Room for the prefix and an id.
        let mut key = String::with_capacity(self.namespace.len() + M::SCHEMA.prefix.len() + 41);
        key.push_str(&self.namespace);
        write_key(M::SCHEMA.key, id, &mut key);
        key
    }

    /// What all keys look like, for `MATCH`.
    pub(crate) fn pattern(&self) -> String {
        let texts = M::SCHEMA.key.iter().map(|text| glob(text));
        glob(&self.namespace) + &texts.collect::<Vec<_>>().join("*")
    }

    /// The id in a key of this model, if it is one.
    pub(crate) fn id_of(&self, key: &[u8]) -> Option<M::Id> {
        let key = std::str::from_utf8(key).ok()?;
        parse_key(M::SCHEMA.key, key.strip_prefix(&*self.namespace)?)
    }

    /// The id in a key that the model's index may hold: of this model, or under one of the index's
    /// further prefixes.
    pub(crate) fn id_in_index(&self, key: &[u8]) -> Option<M::Id> {
        let own = self.id_of(key);
        let further = M::SCHEMA.index.map_or(&[][..], |index| index.prefixes);
        own.or_else(|| {
            let key = std::str::from_utf8(key).ok()?.strip_prefix(&*self.namespace)?;
            further.iter().find_map(|prefix| {
                let first = format!("{prefix}:");
                let mut template = M::SCHEMA.key.to_vec();
                *template.first_mut()? = first.as_str();
                parse_key(&template, key)
            })
        })
    }

    /// The channel of the model's events.
    pub(crate) fn channel(&self) -> String {
        [self.namespace(), "alizarin:changes:", M::SCHEMA.prefix].concat()
    }
}

impl<M> Repository<M> {
    /// That of another model, in the same place: namespace and tenant.
    pub(crate) fn beside<T>(&self) -> Repository<T> {
        Repository {
            client: self.client.clone(),
            namespace: Arc::clone(&self.namespace),
            tenant: Arc::clone(&self.tenant),
            rules: self.rules.clone(),
            model: PhantomData,
        }
    }
}

impl<M> Clone for Repository<M> {
    fn clone(&self) -> Self {
        self.beside()
    }
}

impl<M> fmt::Debug for Repository<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository")
            .field("model", &std::any::type_name::<M>())
            .field("namespace", &self.namespace)
            .field("client", &self.client)
            .finish()
    }
}
