//! Typed handles of a model's fields, and what each field's index allows.

use std::fmt;
use std::marker::PhantomData;

use crate::model::{FieldSchema, RedisModel};

/// One field of a model, in queries: what `|m| m.title` is. Takes no space.
///
/// Its methods are those that the field's index can answer; others do not compile.
pub struct Field<S>(PhantomData<fn() -> S>);

impl<S> Field<S> {
    /// The handle; the derive makes these.
    pub const fn new() -> Field<S> {
        Field(PhantomData)
    }
}

impl<S> Clone for Field<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Field<S> {}

impl<S> Default for Field<S> {
    fn default() -> Self {
        Field::new()
    }
}

impl<S: FieldPath> fmt::Debug for Field<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&attribute_name::<S>()).finish()
    }
}

/// Where a field stands: the model, and the way from its root.
pub trait FieldPath: Send + Sync + 'static {
    /// The model it belongs to.
    type Model: RedisModel;

    /// Calls `each` with the schema of each step, outermost first.
    fn walk(each: &mut dyn FnMut(&'static FieldSchema));
}

/// A field that holds a value (and no nested struct).
pub trait FieldSpec: FieldPath {
    /// The field's Rust type.
    type Stored: crate::model::RedisValue<Item = Self::Value>;

    /// What filters compare it with: the type inside options and lists.
    type Value;
}

/// The field's own schema: that of the last step.
pub(crate) fn field_schema<S: FieldPath>() -> &'static FieldSchema {
    const NONE: FieldSchema = FieldSchema::plain("");
    let mut last: &'static FieldSchema = &NONE;
    S::walk(&mut |step| last = step);
    last
}

/// The field's name in the index: the steps joined by `_`.
pub(crate) fn attribute_name<S: FieldPath>() -> String {
    let mut name = String::new();
    S::walk(&mut |step| {
        if !name.is_empty() {
            name.push('_');
        }
        name.push_str(step.name);
    });
    name
}

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident: $message:literal, $remedy:literal;)+) => {$(
        $(#[$doc])*
        #[diagnostic::on_unimplemented(message = $message, label = $remedy)]
        pub trait $name {}
    )+};
}

capabilities! {
    /// Fields with `text`.
    IsText: "field `{Self}` has no full-text index, so it cannot be searched for words",
        "add `text` to the field's attribute: `#[redis(text)]`";
    /// Fields with `tag`.
    IsTag: "field `{Self}` has no tag index, so it cannot be compared with exact values",
        "add `tag` to the field's attribute: `#[redis(tag)]`";
    /// Fields with `numeric`.
    IsNumeric: "field `{Self}` has no numeric index, so it cannot be compared by size",
        "add `numeric` to the field's attribute: `#[redis(numeric)]`";
    /// Fields with `tag` or `numeric`.
    IsExact: "field `{Self}` has neither a tag nor a numeric index, so it cannot be compared with a value",
        "add `tag` or `numeric` to the field's attribute: `#[redis(tag)]`";
    /// Fields with `geo`.
    IsGeo: "field `{Self}` has no geo index, so it cannot be searched by distance",
        "add `geo` to the field's attribute: `#[redis(geo)]`";
    /// Fields with `geoshape`.
    IsGeoShape: "field `{Self}` has no shape index, so it cannot be searched by shape",
        "add `geoshape` to the field's attribute: `#[redis(geoshape)]`";
    /// Fields with `vector(..)`.
    IsVector: "field `{Self}` has no vector index, so it has no nearest neighbours",
        "add `vector` to the field's attribute: `#[redis(vector(hnsw, cosine))]`";
    /// Fields with `sortable`.
    IsSortable: "field `{Self}` is not sortable, so results cannot be ordered by it",
        "add `sortable` to the field's attribute: `#[redis(.., sortable)]`";
    /// Fields with `index_missing`.
    HasMissing: "field `{Self}` does not index missing values, so they cannot be searched for",
        "add `index_missing` to the field's attribute: `#[redis(.., index_missing)]`";
    /// Fields with `index_empty`.
    HasEmpty: "field `{Self}` does not index empty values, so they cannot be searched for",
        "add `index_empty` to the field's attribute: `#[redis(.., index_empty)]`";
}
