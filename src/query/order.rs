//! The order of results.

use std::fmt;
use std::marker::PhantomData;

use super::{Field, FieldSpec, IsSortable, attribute_name};

/// Smallest first, or largest first.
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

/// A model's documents by one field; those without it come last.
pub struct Order<M> {
    pub(crate) attribute: fn() -> String,
    pub(crate) direction: Direction,
    model: PhantomData<fn() -> M>,
}

impl<S: FieldSpec> Field<S> {
    /// Smallest first. TEXT and TAG fields sort by their lower-case form, unless `unf`.
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

    /// Largest first; see [`Field::asc`].
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
