//! From a repository to its queries and its index.

use super::Repository;
use crate::index::Index;
use crate::model::{RedisModel, References};
use crate::query::{
    Aggregate, Everything, Field, FieldSpec, Filter, Find, IsExact, IsVector, Leaf, Nearest, Node,
    Operand, To, Within,
};

/// The id of what a field refers to.
type IdOf<S> = <<<S as FieldSpec>::Stored as References>::Target as RedisModel>::Id;

impl<M: RedisModel> Repository<M> {
    /// Searches for the documents for which `filter` holds (`FT.SEARCH`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let long_ago = films.find(|f| f.year.lt(1981) & f.genres.has("comedy")).await?;
    /// assert_eq!(long_ago[0].title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn find<E: Node>(&self, filter: impl FnOnce(M::Fields) -> Filter<M, E>) -> Find<'_, M, E> {
        Find::new(self, filter(M::Fields::default()))
    }

    /// Searches for the documents that refer to the one with this id, by a field of references with
    /// an index: `tag`, or `numeric` for an id that is a number (`FT.SEARCH`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(Debug, RedisModel)]
    /// #[redis(hash, prefix = "card", index)]
    /// struct Card {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(tag)]
    ///     account: Ref<Account>,
    /// }
    ///
    /// # let cards = client.repository::<Card>().with_namespace(namespace);
    /// # cards.index().sync().await?;
    /// cards.save(&Card { id: 1, account: Ref::new(7) }).await?;
    /// # cards.index().wait().await?;
    /// assert_eq!(cards.referring(|c| c.account, &7).ids().await?, [1]);
    /// # assert_eq!(cards.get(&1).await?.map(|card| card.account), Some(Ref::new(7)));
    /// # Ok(()) });
    /// ```
    pub fn referring<'i, S>(
        &self,
        field: impl FnOnce(M::Fields) -> Field<S>,
        id: &'i IdOf<S>,
    ) -> Find<'_, M, Leaf<&'i IdOf<S>>>
    where
        S: FieldSpec<Model = M, Stored: References> + IsExact,
        &'i IdOf<S>: Operand<S::Value>,
    {
        self.find(|fields| field(fields).eq(id))
    }

    /// Searches for the `k` documents whose vector is nearest to a given one (`FT.SEARCH` with
    /// `KNN`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let tense = films.nearest(2, |f| f.mood.to([1.0, 0.0, 0.3])).await?;
    /// let titles: Vec<_> = tense.iter().map(|hit| &*hit.title).collect();
    /// assert_eq!(titles, ["Alien", "Apollo 13"]);
    /// # Ok(()) });
    /// ```
    pub fn nearest<S, V>(
        &self,
        k: usize,
        target: impl FnOnce(M::Fields) -> To<S, V>,
    ) -> Nearest<'_, M, S, V, Everything>
    where
        S: FieldSpec<Model = M> + IsVector,
        V: Operand<S::Value>,
    {
        Nearest::new(self, k, target(M::Fields::default()))
    }

    /// Searches for the documents whose vector is at most `radius` away from a given one, in the
    /// field's metric (`FT.SEARCH` with `VECTOR_RANGE`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let funny = films.within(0.1, |f| f.mood.to([0.0, 1.0, 0.0])).await?;
    /// assert_eq!(funny.len(), 1);
    /// assert_eq!(funny[0].title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn within<S, V>(
        &self,
        radius: f64,
        target: impl FnOnce(M::Fields) -> To<S, V>,
    ) -> Within<'_, M, S, V, Everything>
    where
        S: FieldSpec<Model = M> + IsVector,
        V: Operand<S::Value>,
    {
        Within::new(self, radius, target(M::Fields::default()))
    }

    /// Computes numbers about groups of the documents for which `filter` holds
    /// (`FT.AGGREGATE`); [`everything`](crate::query::everything) takes all.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// use alizarin::query::everything;
    ///
    /// #[derive(RedisRow)]
    /// struct Director {
    ///     director: Option<String>,
    ///     mean: f64,
    /// }
    ///
    /// let rows = films
    ///     .aggregate(|_| everything())
    ///     .group_by(|f| f.director)
    ///     .reduce(|f| f.rating.avg().alias("mean"))
    ///     .rows::<Director>()
    ///     .sort_by_column("mean", Direction::Descending)
    ///     .all()
    ///     .await?;
    /// assert_eq!(rows[0].director.as_deref(), Some("Ridley Scott"));
    /// assert_eq!(rows[0].mean, 8.3);
    /// # Ok(()) });
    /// ```
    pub fn aggregate<E: Node>(
        &self,
        filter: impl FnOnce(M::Fields) -> Filter<M, E>,
    ) -> Aggregate<'_, M, E> {
        Aggregate::new(self, filter(M::Fields::default()))
    }

    /// The model's search index. Nothing is sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// // Makes it what the model needs, or does nothing.
    /// films.index().sync().await?;
    /// assert!(films.index().drift().await?.is_empty());
    /// # Ok(()) });
    /// ```
    pub fn index(&self) -> Index<'_, M> {
        Index::new(self)
    }
}
