//! What a model is: its schema, its id, and how its values are stored.

mod derived;
mod document;
mod fit;
mod geo;
mod id;
mod nested;
mod schema;
mod stored;
mod value;
mod vector;

#[doc(hidden)]
pub use derived::{
    is_untouched, read_json_text, read_text, required, unread, write_json_text, write_text,
};
pub use document::{Document, DocumentWriter};
pub(crate) use document::{Loaded, json};
#[doc(hidden)]
pub use fit::{Misfit, model_misfit, name_misfit};
pub use geo::{GeoPoint, GeoShape};
pub use id::ModelId;
pub use nested::Nested;
#[doc(hidden)]
pub use nested::{accept_struct, write_struct};
pub use schema::{
    Attribute, FieldSchema, IndexKind, IndexSchema, Metric, ModelSchema, NestedSchema, Storage,
    VectorAlgorithm, VectorSchema,
};
pub(crate) use stored::members;
pub use stored::{StoredValue, missing};
pub use value::{
    GeoShapeValue, GeoValue, Json, ListItem, NumericValue, RedisValue, TagValue, TextValue,
};
pub use vector::{Vector, VectorElement, VectorValue};

/// A struct that is stored as one Redis hash or JSON document; made by `#[derive(RedisModel)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    note = "add `#[derive(RedisModel)]` and `#[redis(hash)]` or `#[redis(json)]` to the struct"
)]
pub trait RedisModel: Document + Send + Sync {
    /// The type of the field marked `#[redis(id)]`.
    type Id: ModelId;

    /// One typed handle a field, for queries: what `|m| m.title` receives. Takes no space.
    type Fields: Copy + Default + Send + Sync + 'static;

    /// What the derive read from the struct.
    const SCHEMA: &'static ModelSchema;

    /// The model's id.
    fn id(&self) -> &Self::Id;

    /// The model's version, where a field is marked `#[redis(version)]`.
    fn version(&self) -> Option<u64> {
        None
    }

    /// Sets the version field, where there is one.
    fn set_version(&mut self, _version: u64) {}
}
