//! Reading and writing documents: one [`Repository`] a model.

mod bulk;
mod delete;
mod failure;
mod get;
mod guard;
mod lock;
mod locked;
mod save;
mod scan;
mod script;
mod search;
mod set;
mod ttl;
mod update;

#[cfg(test)]
mod tests;

pub(crate) use get::load_page;
pub(crate) use scan::glob;

pub use bulk::SaveAll;
pub use delete::Delete;
pub use get::{Exists, Get, GetMany};
pub use guard::{Lock, TakeLock};
pub use locked::{Locked, SendCall};
pub use save::{Save, Written};
pub use scan::{Scan, ScanIds};
pub use set::{Assignment, Clear, Set, ToValue};
pub use ttl::{Expire, Persist, Ttl};
pub use update::{Outcome, Update};

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::Client;
use crate::model::{ModelId, RedisModel};

/// The documents of one model on one server: cheap to clone, shared by all tasks, by `&self`.
///
/// Its methods make builders: options first, then `.await`. Nothing is sent before that. Every
/// write is one step on the server: checks, the event, the document, the time to live.
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(Debug, Clone, PartialEq, RedisModel)]
/// #[redis(json, prefix = "cup")]
/// struct Cup {
///     #[redis(id)]
///     id: u32,
///     colour: String,
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = alizarin_testkit::Server::start()?;
/// # let client = Client::connect(server.url().as_str()).await?;
/// let cups: Repository<Cup> = client.repository();
/// cups.insert(&Cup { id: 1, colour: "red".into() }).await?;
/// let blue = cups.update(&1, |cup| cup.colour = "blue".into()).await?;
/// assert_eq!(cups.get(&1).await?, Some(blue));
/// assert!(cups.delete(&1).await?);
/// # Ok(()) }
/// ```
pub struct Repository<M> {
    client: Client,
    namespace: Arc<str>,
    model: PhantomData<fn() -> M>,
}

/// Makes repositories: implemented by [`Client`].
pub trait Repositories {
    /// The repository of a model.
    fn repository<M: RedisModel>(&self) -> Repository<M>;
}

impl Repositories for Client {
    fn repository<M: RedisModel>(&self) -> Repository<M> {
        Repository { client: self.clone(), namespace: Arc::from(""), model: PhantomData }
    }
}

impl<M> Repository<M> {
    /// The client it works on.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// What its keys, index and channel begin with; empty unless
    /// [`with_namespace`](Repository::with_namespace) said otherwise.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The same repository with all its names (keys, index, lock keys, channel) beginning with
    /// `namespace`, as it is: `"test:"` makes `test:movie:1` of `movie:1`.
    #[must_use]
    pub fn with_namespace(&self, namespace: impl Into<Arc<str>>) -> Repository<M> {
        Repository { client: self.client.clone(), namespace: namespace.into(), model: PhantomData }
    }
}

impl<M: RedisModel> Repository<M> {
    /// The key of the document with this id: `{namespace}{prefix}:{id}`.
    pub fn key(&self, id: &M::Id) -> String {
        let mut key = self.prefix();
        id.write_id(&mut key);
        key
    }

    /// What all keys begin with, the colon included.
    pub(crate) fn prefix(&self) -> String {
        crate::query::scope::key_prefix(self)
    }

    /// The id in a key of this model, if it is one.
    pub(crate) fn id_of(&self, key: &[u8]) -> Option<M::Id> {
        id_after(&self.prefix(), key)
    }

    /// The channel of the model's events.
    pub(crate) fn channel(&self) -> String {
        [self.namespace(), "alizarin:changes:", M::SCHEMA.prefix].concat()
    }
}

/// The id that follows `prefix` in a key.
///
/// `note:007` is no key of the model whose id 7 makes `note:7`: an id parses from more texts than
/// it writes, and only the one that it writes leads back to the document.
pub(crate) fn id_after<I: ModelId>(prefix: &str, key: &[u8]) -> Option<I> {
    let text = std::str::from_utf8(key.strip_prefix(prefix.as_bytes())?).ok()?;
    let id = I::parse_id(text).ok()?;
    let mut written = String::with_capacity(text.len());
    id.write_id(&mut written);
    (written == text).then_some(id)
}

impl<M> Clone for Repository<M> {
    fn clone(&self) -> Self {
        Repository {
            client: self.client.clone(),
            namespace: Arc::clone(&self.namespace),
            model: PhantomData,
        }
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
