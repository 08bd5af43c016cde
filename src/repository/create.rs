//! New documents with generated ids.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use super::Repository;
use super::draft::Draft;
use super::prepare::{prepare, send};
use super::script::{Expected, Expiry, Mode, Plan};
use crate::Result;
use crate::model::{GeneratesId, RedisModel};

impl<M: GeneratesId> Repository<M> {
    /// Writes a new document under a generated id and gives it (a script; before it `INCR` for
    /// counted ids): `make` builds it around the id.
    ///
    /// The ids alone, for transactions and the like, gives [`next_id`](Repository::next_id).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// #[derive(Debug, Clone, PartialEq, RedisModel)]
    /// #[redis(hash, prefix = "ticket")]
    /// struct Ticket {
    ///     #[redis(id, generate(counter))]
    ///     number: u64,
    ///     what: String,
    /// }
    ///
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "note")]
    /// struct Note {
    ///     #[redis(id, generate)]
    ///     id: Ulid,
    ///     text: String,
    /// }
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// # let tickets = client.repository::<Ticket>().with_namespace(namespace.clone());
    /// # let notes = client.repository::<Note>().with_namespace(namespace);
    /// let first = tickets.create(|number| Ticket { number, what: "lamp".into() }).await?;
    /// let second = tickets.create(|number| Ticket { number, what: "door".into() }).await?;
    /// assert_eq!((first.number, second.number), (1, 2));
    /// assert_eq!(tickets.get(&2).await?, Some(second));
    ///
    /// let note = notes.create(|id| Note { id, text: "hello".into() }).await?;
    /// assert!(notes.exists(&note.id).await?);
    /// # assert_eq!(notes.get(&note.id).await?.map(|note| note.text).as_deref(), Some("hello"));
    /// # Ok(()) });
    /// ```
    pub fn create<'a, F>(&'a self, make: F) -> Create<'a, M, F>
    where
        F: FnOnce(M::Id) -> M + Send + 'a,
    {
        Create { repository: self, make, expiry: Expiry::of::<M>() }
    }
}

/// A write of a new document, from [`Repository::create`].
///
/// # Errors
/// As [`Save`](super::Save) and [`NextId`](super::NextId); `Exists` when there is a document of this id,
/// of which one was written without the generator.
///
/// # Cancel safety
/// Dropped before it is done, the document is either written as a whole or not at all; a counted
/// number may be lost.
#[must_use = "nothing is created until it is awaited"]
pub struct Create<'a, M, F> {
    repository: &'a Repository<M>,
    make: F,
    expiry: Expiry,
}

impl<M: GeneratesId, F: FnOnce(M::Id) -> M> Create<'_, M, F> {
    /// The document expires after this time (`PEXPIRE`). The default is the model's `ttl`, where
    /// it has one.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    ///
    /// #[derive(RedisModel)]
    /// #[redis(hash, prefix = "upload")]
    /// struct Upload {
    ///     #[redis(id, generate)]
    ///     id: Uuid,
    /// }
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// # let uploads = client.repository::<Upload>().with_namespace(namespace);
    /// let upload = uploads.create(|id| Upload { id }).ttl(Duration::from_secs(60)).await?;
    /// assert!(uploads.ttl(&upload.id).await?.is_some());
    /// # assert_eq!(upload.id.get_version_num(), 7);
    /// # Ok(()) });
    /// ```
    pub fn ttl(mut self, after: Duration) -> Self {
        self.expiry = Expiry::After(after);
        self
    }

    async fn run(self) -> Result<M> {
        let Create { repository, make, expiry } = self;
        let mut model = make(repository.next_id().await?);
        let plan = Plan {
            mode: Mode::Insert,
            expected: Expected::Anything,
            expiry,
            lock: None,
            tell: false,
            edits: false,
        };
        let id = model.id().into_owned();
        let draft = Draft::of(&model)?;
        let prepared = prepare(repository, &id, draft.model(), &plan, &[])?;
        let written = send(repository.client(), prepared, &repository.key(&id)).await?;
        draft.written(&written);
        if let Some(made) = draft.into_made() {
            model = made;
        }
        written.apply_to(&mut model);
        Ok(model)
    }
}

impl<'a, M, F> IntoFuture for Create<'a, M, F>
where
    M: GeneratesId,
    F: FnOnce(M::Id) -> M + Send + 'a,
{
    type Output = Result<M>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<M>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: RedisModel, F> fmt::Debug for Create<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Create")
            .field("model", &M::SCHEMA.name)
            .field("expiry", &self.expiry)
            .finish_non_exhaustive()
    }
}
