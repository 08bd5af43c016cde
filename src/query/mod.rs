//! Queries: typed fields, filters, and what is asked with them.
//!
//! The examples here search films (shortened; `title` and `genres` have a `suffix_trie` too):
//!
//! ```
//! # use alizarin::prelude::*;
//! #[derive(RedisModel)]
//! #[redis(hash, prefix = "film", index)]
//! struct Film {
//!     #[redis(id)]
//!     id: u32,
//!     #[redis(text, sortable)]
//!     title: String,
//!     #[redis(text, index_missing)]
//!     plot: Option<String>,
//!     #[redis(tag)]
//!     genres: Vec<String>,
//!     #[redis(tag, sortable, index_missing)]
//!     director: Option<String>,
//!     #[redis(numeric, sortable)]
//!     year: i32,
//!     #[redis(numeric, sortable)]
//!     rating: f64,
//!     /// How tense, how funny and how sad it is.
//!     #[redis(vector(hnsw, cosine))]
//!     mood: Vector<f32, 3>,
//! }
//! # let _ = |films: &Repository<Film>| films.find(|f| f.year.lt(1980)).to_command();
//! ```
//!
//! | id | title | genres | director | year | rating | mood |
//! |---|---|---|---|---|---|---|
//! | 1 | Alien | horror, science fiction | Ridley Scott | 1979 | 8.5 | 0.9, 0.0, 0.3 |
//! | 2 | Airplane! | comedy | | 1980 | 7.7 | 0.1, 1.0, 0.0 |
//! | 3 | Blade Runner | science fiction | Ridley Scott | 1982 | 8.1 | 0.6, 0.0, 0.7 |
//! | 4 | Apollo 13 | drama | Ron Howard | 1995 | 7.7 | 0.8, 0.1, 0.3 |
//!
//! The first has the plot "A crew far from Earth wakes to an unknown life form aboard their ship",
//! the last "Three astronauts must bring a crippled ship back to Earth". The examples about places
//! search cafés: `place` is `geo` and `delivers` a `geoshape`.
//!
//! # Filters
//!
//! A [`Filter`] is made by the methods of [`Field`]s (`f.year.gt(3)`, not `f.year > 3`); `&` is
//! "and", `|` is "or", `!` is "not" (not `&&` and `||`, which Rust keeps for `bool`):
//!
//! ```
//! # use alizarin::prelude::*;
//! # alizarin_samples::films(async |films| {
//! let found = films
//!     .find(|f| f.genres.has("science fiction") & (f.year.lt(1980) | f.title.matches("runner")))
//!     .sort_by(|f| f.year.asc())
//!     .await?;
//! assert_eq!(found.len(), 2);
//!
//! let others = films.find(|f| !f.director.eq("Ridley Scott")).count().await?;
//! assert_eq!(others, 2);
//! # Ok(()) });
//! ```
//!
//! | the field has | its filters |
//! |---|---|
//! | `tag` or `numeric` | [`eq`](Field::eq) [`ne`](Field::ne) [`is_in`](Field::is_in) [`not_in`](Field::not_in) |
//! | `tag` | [`has`](Field::has) [`has_any`](Field::has_any) [`has_all`](Field::has_all) [`starts_with`](Field::starts_with) [`ends_with`](Field::ends_with) [`contains`](Field::contains) |
//! | `numeric` | [`lt`](Field::lt) [`le`](Field::le) [`gt`](Field::gt) [`ge`](Field::ge) [`between`](Field::between) |
//! | `text` | [`matches`](Field::matches) [`matches_any`](Field::matches_any) [`phrase`](Field::phrase) [`prefix`](Field::prefix) [`suffix`](Field::suffix) [`infix`](Field::infix) [`fuzzy`](Field::fuzzy) |
//! | `geo` | [`within_radius`](Field::within_radius) |
//! | `geoshape` | [`within`](Field::within) [`encloses`](Field::encloses) [`intersects`](Field::intersects) [`disjoint`](Field::disjoint) |
//! | `vector(..)` | [`near`](Field::near) |
//! | `index_missing` | [`is_missing`](Field::is_missing) [`is_present`](Field::is_present) |
//! | `index_empty` | [`is_empty`](Field::is_empty) |
//!
//! [`everything`] holds for every document, [`raw`] takes RediSearch's own syntax, and
//! [`Filter::boxed`] lets a filter be built at run time. Values never become query text: they
//! travel beside it, as parameters.
//!
//! # What is asked
//!
//! - [`Repository::find`](crate::Repository::find): documents, their number, or their ids; see
//!   [`Find`].
//! - [`Repository::nearest`](crate::Repository::nearest) and
//!   [`within`](crate::Repository::within): documents by the distance of a vector.
//! - [`Repository::aggregate`](crate::Repository::aggregate): numbers about groups of documents.

mod aggregate;
mod cursor;
mod exact;
mod field;
mod filter;
mod find;
mod geo;
pub(crate) mod hits;
mod keep;
mod nearest;
mod numeric;
mod operand;
mod order;
mod page;
mod project;
mod raw;
mod reduce;
mod row;
pub(crate) mod scope;
mod send;
mod stream;
mod tag;
mod text;
mod tokenize;
mod vector;
mod writer;

#[cfg(test)]
mod golden;
#[cfg(test)]
pub(crate) mod sample;

pub use aggregate::{Aggregate, Grouped, Reduced, Rows};
pub(crate) use cursor::KeyPages;
pub use field::{
    CanExpire, Field, FieldPath, FieldSpec, HasEmpty, HasMissing, IsExact, IsGeo, IsGeoShape,
    IsNumeric, IsSortable, IsTag, IsText, IsUnique, IsVector, NestedSpec,
};
pub(crate) use field::{attribute_name, field_schema, index_names};
pub use filter::{
    AllOf, And, BoxedNode, Everything, Filter, Leaf, Negation, Node, OneOf, Or, everything,
};
pub use find::Find;
pub use geo::Unit;
pub(crate) use hits::decode_hits;
pub use keep::{Kept, KeptDocuments};
pub use nearest::{Nearest, Scored, Within};
pub use operand::Operand;
pub use order::{Direction, Order};
pub use page::Page;
pub use raw::{AssertQuerySafe, QueryText, Raw, raw};
pub use reduce::{GroupBy, GroupColumn, Reducer, Reducers, count};
pub use row::{Cell, RedisRow, Row, RowValue};
pub use stream::Documents;
pub use vector::To;
pub use writer::QueryWriter;
