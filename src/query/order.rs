//! The order of results.

use std::fmt;
use std::marker::PhantomData;

use super::{Field, FieldSpec, IsSortable, attribute_name};

/// Smallest first, or largest first.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let way = Direction::Descending;
/// let newest = films.find(|f| f.rating.gt(8.0)).sort_by(|f| match way {
///     Direction::Ascending => f.year.asc(),
///     Direction::Descending => f.year.desc(),
/// });
/// assert_eq!(newest.ids().await?, [3, 1]);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two directions")]
pub enum Direction {
    /// `ASC`
    Ascending,
    /// `DESC`
    Descending,
}

impl Direction {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Direction::Ascending => "ASC",
            Direction::Descending => "DESC",
        }
    }
}

/// A model's documents by one field; those without it come last, whatever the direction. Of equal
/// ones, which comes first is not defined.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::{Order, everything};
/// use alizarin_samples::{Film, FilmFields};
/// # alizarin_samples::films(async |films| {
/// let by_name = true;
/// let order = |f: FilmFields| if by_name { f.title.asc() } else { f.rating.desc() };
/// let film = films.find(|_| everything()).sort_by(order).first().await?;
/// assert_eq!(film.map(|film| film.title).as_deref(), Some("Airplane!"));
/// # Ok(()) });
/// ```
pub struct Order<M> {
    pub(crate) attribute: fn() -> String,
    pub(crate) direction: Direction,
    model: PhantomData<fn() -> M>,
}

impl<S: FieldSpec> Field<S> {
    /// Smallest first (`SORTBY … ASC`). TEXT and TAG fields of hashes sort by their lower-case
    /// form, unless `unf` or `case_sensitive`; those of JSON documents by the value as it is.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let oldest = films.find(|f| f.year.ge(1980)).sort_by(|f| f.year.asc());
    /// assert_eq!(oldest.ids().await?, [2, 3, 4]);
    /// # Ok(()) });
    /// ```
    pub fn asc(self) -> Order<S::Model>
    where
        S: IsSortable,
    {
        Order {
            attribute: attribute_name::<S>,
            direction: Direction::Ascending,
            model: PhantomData,
        }
    }

    /// Largest first (`SORTBY … DESC`); see [`Field::asc`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let best = films.find(|f| f.year.lt(1990)).sort_by(|f| f.rating.desc());
    /// assert_eq!(best.ids().await?, [1, 3, 2]);
    /// # Ok(()) });
    /// ```
    pub fn desc(self) -> Order<S::Model>
    where
        S: IsSortable,
    {
        Order { direction: Direction::Descending, ..self.asc() }
    }
}

impl<M> Clone for Order<M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Order<M> {}

impl<M> fmt::Debug for Order<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", (self.attribute)(), self.direction.name())
    }
}
