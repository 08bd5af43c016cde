//! From a repository to its queries and its index.

use super::Repository;
use crate::index::Index;
use crate::model::RedisModel;
use crate::query::{
    Aggregate, Everything, FieldSpec, Filter, Find, IsVector, Nearest, Node, Operand, To, Within,
};

impl<M: RedisModel> Repository<M> {
    /// Searches for the documents for which `filter` holds (`FT.SEARCH`).
    pub fn find<E: Node>(&self, filter: impl FnOnce(M::Fields) -> Filter<M, E>) -> Find<'_, M, E> {
        Find::new(self, filter(M::Fields::default()))
    }

    /// Searches for the `k` documents whose vector is nearest to a given one:
    /// `nearest(10, |m| m.plot.to(&vector))`.
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
    /// field's metric.
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
    pub fn aggregate<E: Node>(
        &self,
        filter: impl FnOnce(M::Fields) -> Filter<M, E>,
    ) -> Aggregate<'_, M, E> {
        Aggregate::new(self, filter(M::Fields::default()))
    }

    /// The model's search index.
    pub fn index(&self) -> Index<'_, M> {
        Index::new(self)
    }
}
