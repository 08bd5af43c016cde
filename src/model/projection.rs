//! Projections: structs that hold some of a model's fields.

mod column;
mod reply;
mod shape;

#[doc(hidden)]
pub use column::{
    Column, InDocument, Path, ProjectsTo, StructColumn, StructFields, StructProjectsTo, StructSpec,
    ValueField, column, struct_column,
};
pub(crate) use reply::{Picked, read_hit};
pub use shape::Shape;

use super::{RedisModel, StoredValue};
use crate::Result;

/// A struct of some of a model's fields; made by
/// [`#[derive(RedisProjection)]`](derive@crate::RedisProjection), and asked for by `project`.
///
/// The methods are called by repositories and queries.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// #[derive(Debug, PartialEq, RedisProjection)]
/// #[redis(of = Film)]
/// struct Card {
///     title: String,
///     year: i32,
/// }
///
/// # alizarin_samples::films(async |films| {
/// let card = films.get(&1).project::<Card>().await?;
/// assert_eq!(card, Some(Card { title: "Alien".into(), year: 1979 }));
/// let new = films.find(|f| f.year.gt(1990)).project::<Card>().await?;
/// assert_eq!(new, [Card { title: "Apollo 13".into(), year: 1995 }]);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a projection",
    note = "add `#[derive(RedisProjection)]` and `#[redis(of = ..)]` with the model to the struct"
)]
pub trait RedisProjection: Sized + Send + Sync + 'static {
    /// The model whose fields it has.
    type Model: RedisModel;

    /// The fields read so far.
    type Partial: Default + Send;

    /// Which fields are asked for.
    fn shape() -> &'static Shape;

    /// Takes a value for the field number `column`; `rest` is the name within a nested struct of
    /// a hash.
    ///
    /// # Errors
    /// `Decode`, naming the field that does not parse.
    fn accept(
        partial: &mut Self::Partial,
        column: usize,
        rest: &[u8],
        value: StoredValue<'_>,
    ) -> Result<()>;

    /// The struct, when all fields were read.
    ///
    /// # Errors
    /// `Decode`, naming a field that is missing and has no default.
    fn finish(partial: Self::Partial) -> Result<Self>;
}
