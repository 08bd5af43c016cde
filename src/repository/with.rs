//! Reads and searches that load relations too.

use std::fmt;
use std::pin::Pin;

use super::relation::{Holds, Relation};
use super::{Get, GetMany, Repository};
use crate::Result;
use crate::model::RedisModel;
use crate::query::{FieldSpec, Find, Nearest, Node, Operand, Page, Within};

/// A read or search of documents whose relations are loaded then, from its `with`: one round trip
/// more a relation. Awaited, it gives what the read gives, with each [`Ref`](crate::Ref) settled.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(Debug, Clone, RedisModel)]
/// #[redis(hash, prefix = "person", index)]
/// struct Person {
///     #[redis(id)]
///     id: u32,
///     #[redis(tag)]
///     boss: Option<Ref<Person>>,
/// }
///
/// # let people = client.repository::<Person>().with_namespace(namespace);
/// # people.index().sync().await?;
/// # let person = |id, boss: Option<u32>| Person { id, boss: boss.map(Ref::new) };
/// # people.save_all(&[person(1, None), person(2, Some(1)), person(3, Some(1))]).await?;
/// # people.index().wait().await?;
/// let team = people.find(|p| p.boss.eq(1)).with(|p| p.boss).all().await?;
/// for member in &team {
///     let boss = member.boss.as_ref().and_then(Ref::loaded);
///     assert_eq!(boss.map(|boss| boss.id), Some(1));
/// }
/// # assert_eq!(team.len(), 2);
/// # Ok(()) });
/// ```
///
/// # Errors
/// As the read, and as reads of the documents that are referred to. Those that are not there are no
/// error: see [`Ref::is_missing`](crate::Ref::is_missing).
///
/// # Cancel safety
/// It only reads.
#[must_use = "a read does nothing until it is awaited"]
pub struct With<'r, Q, M, L> {
    query: Q,
    repository: &'r Repository<M>,
    relation: L,
}

impl<'r, Q, M: RedisModel, L: Relation<M>> With<'r, Q, M, L> {
    pub(crate) fn new(query: Q, repository: &'r Repository<M>, relation: L) -> Self {
        With { query, repository, relation }
    }

    /// Loads this relation too.
    pub fn with<K: Relation<M>>(
        self,
        relation: impl FnOnce(M::Fields) -> K,
    ) -> With<'r, Q, M, (L, K)> {
        let relation = (self.relation, relation(M::Fields::default()));
        With { query: self.query, repository: self.repository, relation }
    }

    async fn settle<C: Holds<M>>(
        repository: &Repository<M>,
        relation: L,
        mut found: C,
    ) -> Result<C> {
        relation.load(repository, found.documents()).await?;
        Ok(found)
    }
}

impl<'r, M: RedisModel, E: Node, L: Relation<M>> With<'r, Find<'r, M, E>, M, L> {
    /// As [`Find::all`].
    ///
    /// # Errors
    /// As [`Find::all`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn all(self) -> Result<Vec<M>> {
        Self::settle(self.repository, self.relation, self.query.all().await?).await
    }

    /// As [`Find::first`].
    ///
    /// # Errors
    /// As [`Find::first`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn first(self) -> Result<Option<M>> {
        Self::settle(self.repository, self.relation, self.query.first().await?).await
    }

    /// As [`Find::one`].
    ///
    /// # Errors
    /// As [`Find::one`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn one(self) -> Result<M> {
        Self::settle(self.repository, self.relation, self.query.one().await?).await
    }

    /// As [`Find::page`].
    ///
    /// # Errors
    /// As [`Find::page`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn page(self, number: usize, size: usize) -> Result<Page<M>> {
        Self::settle(self.repository, self.relation, self.query.page(number, size).await?).await
    }
}

impl<'r, Q, M, L, C> IntoFuture for With<'r, Q, M, L>
where
    Q: IntoFuture<Output = Result<C>, IntoFuture: Send> + Send + 'r,
    M: RedisModel,
    L: Relation<M> + 'r,
    C: Holds<M> + Send + 'r,
{
    type Output = Result<C>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<C>> + Send + 'r>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let found = self.query.await?;
            Self::settle(self.repository, self.relation, found).await
        })
    }
}

impl<Q: fmt::Debug, M, L> fmt::Debug for With<'_, Q, M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("With").field("query", &self.query).finish_non_exhaustive()
    }
}

impl<'a, M: RedisModel> Get<'a, M> {
    /// Loads what the document refers to as well: see [`With`].
    pub fn with<L: Relation<M>>(
        self,
        relation: impl FnOnce(M::Fields) -> L,
    ) -> With<'a, Self, M, L> {
        let repository = self.repository();
        With::new(self, repository, relation(M::Fields::default()))
    }
}

impl<'a, M: RedisModel> GetMany<'a, M> {
    /// Loads what the documents refer to as well: see [`With`].
    pub fn with<L: Relation<M>>(
        self,
        relation: impl FnOnce(M::Fields) -> L,
    ) -> With<'a, Self, M, L> {
        let repository = self.repository();
        With::new(self, repository, relation(M::Fields::default()))
    }
}

impl<'r, M: RedisModel, E: Node> Find<'r, M, E> {
    /// Loads what the documents refer to as well: see [`With`].
    pub fn with<L: Relation<M>>(
        self,
        relation: impl FnOnce(M::Fields) -> L,
    ) -> With<'r, Self, M, L> {
        let repository = self.repository();
        With::new(self, repository, relation(M::Fields::default()))
    }
}

macro_rules! by_vectors {
    ($($name:ident)+) => {$(
        impl<'r, M, S, V, E> $name<'r, M, S, V, E>
        where
            M: RedisModel,
            S: FieldSpec<Model = M>,
            V: Operand<S::Value>,
            E: Node,
        {
            /// Loads what the documents refer to as well: see [`With`].
            pub fn with<L: Relation<M>>(
                self,
                relation: impl FnOnce(M::Fields) -> L,
            ) -> With<'r, Self, M, L> {
                let repository = self.repository();
                With::new(self, repository, relation(M::Fields::default()))
            }
        }
    )+};
}

by_vectors!(Nearest Within);
