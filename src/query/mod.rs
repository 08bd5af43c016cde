//! Queries: typed fields, filters, and what is asked with them.

mod aggregate;
mod exact;
mod field;
mod filter;
mod find;
mod geo;
mod hits;
mod nearest;
mod numeric;
mod operand;
mod order;
mod page;
mod raw;
mod reduce;
mod row;
pub(crate) mod scope;
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
pub use field::{
    Field, FieldPath, FieldSpec, HasEmpty, HasMissing, IsExact, IsGeo, IsGeoShape, IsNumeric,
    IsSortable, IsTag, IsText, IsVector,
};
pub(crate) use field::{attribute_name, field_schema};
pub use filter::{
    AllOf, And, BoxedNode, Everything, Filter, Leaf, Negation, Node, OneOf, Or, everything,
};
pub use find::Find;
pub use geo::Unit;
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
