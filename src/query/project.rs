//! Searches for projections.

use super::operand::Operand;
use super::{FieldSpec, Find, Nearest, Node, Within};
use crate::model::{RedisModel, RedisProjection};
use crate::repository::Only;

impl<'r, M: RedisModel, E: Node> Find<'r, M, E> {
    /// Gives only the fields of a [projection](derive@crate::RedisProjection) (`RETURN`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// #[derive(Debug, PartialEq, RedisProjection)]
    /// #[redis(of = Film)]
    /// struct Card {
    ///     title: String,
    ///     director: Option<String>,
    /// }
    ///
    /// # alizarin_samples::films(async |films| {
    /// let early = films.find(|f| f.year.lt(1990)).sort_by(|f| f.year.asc()).project::<Card>();
    /// let page = early.page(0, 2).await?;
    /// assert_eq!((page.items[1].title.as_str(), page.total), ("Airplane!", 3));
    /// # Ok(()) });
    /// ```
    pub fn project<P: RedisProjection<Model = M>>(self) -> Find<'r, M, E, Only<P>> {
        self.with_parts(|filter| filter)
    }
}

impl<'r, M, S, V, E> Nearest<'r, M, S, V, E>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
    V: Operand<S::Value>,
    E: Node,
{
    /// Gives only the fields of a [projection](derive@crate::RedisProjection) (`RETURN`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// #[derive(Debug, PartialEq, RedisProjection)]
    /// #[redis(of = Film)]
    /// struct Title {
    ///     title: String,
    /// }
    ///
    /// # alizarin_samples::films(async |films| {
    /// let funny = films.nearest(1, |f| f.mood.to([0.0, 1.0, 0.0])).project::<Title>().await?;
    /// assert_eq!(funny[0].title, "Airplane!");
    /// assert!(funny[0].distance < 0.1);
    /// # Ok(()) });
    /// ```
    pub fn project<P: RedisProjection<Model = M>>(self) -> Nearest<'r, M, S, V, E, Only<P>> {
        self.with_parts(|filter| filter)
    }
}

impl<'r, M, S, V, E> Within<'r, M, S, V, E>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
    V: Operand<S::Value>,
    E: Node,
{
    /// Gives only the fields of a [projection](derive@crate::RedisProjection) (`RETURN`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// #[derive(Debug, PartialEq, RedisProjection)]
    /// #[redis(of = Film)]
    /// struct Title {
    ///     title: String,
    /// }
    ///
    /// # alizarin_samples::films(async |films| {
    /// let funny = films.within(0.1, |f| f.mood.to([0.0, 1.0, 0.0])).project::<Title>().await?;
    /// assert_eq!(funny[0].title, "Airplane!");
    /// # Ok(()) });
    /// ```
    pub fn project<P: RedisProjection<Model = M>>(self) -> Within<'r, M, S, V, E, Only<P>> {
        self.with_parts(|filter| filter)
    }
}
