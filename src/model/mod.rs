//! What a model is: its schema, its id, and how its values are stored.
//!
//! A model derives [`RedisModel`](derive@crate::RedisModel), where its attributes are described;
//! what a field can hold is listed at [`RedisValue`]. Most of the rest here is called by derived
//! code.
//!
//! The examples here are about the films of [`query`](crate::query), the accounts of
//! [`repository`](crate::repository), and cafés:
//!
//! ```
//! # use alizarin::prelude::*;
//! # {
//! #[derive(Debug, Clone, PartialEq, RedisModel)]
//! #[redis(json, prefix = "cafe", index)]
//! struct Cafe {
//!     #[redis(id)]
//!     id: String,
//!     #[redis(text)]
//!     name: String,
//!     #[redis(geo, sortable)]
//!     place: GeoPoint,
//!     #[redis(geoshape, index_missing)]
//!     delivers: Option<GeoShape>,
//!     #[redis(numeric, sortable)]
//!     seats: u32,
//!     #[redis(nested)]
//!     address: Address,
//! }
//!
//! #[derive(Debug, Clone, PartialEq, RedisNested)]
//! struct Address {
//!     street: String,
//!     #[redis(tag, sortable)]
//!     city: String,
//! }
//! # assert_eq!(Cafe::SCHEMA.fields.len(), 6);
//! # }
//! ```

use std::borrow::Cow;

mod codec;
mod derived;
mod document;
mod fit;
mod generate;
mod geo;
mod hooks;
mod id;
mod index_schema;
mod key;
mod layout;
mod nested;
mod projection;
mod reference;
mod schema;
mod stamp;
mod stored;
mod value;
mod vector;
mod vector_advice;
mod vector_schema;
pub(crate) mod written;

pub use codec::FieldCodec;
use std::time::SystemTime;

use self::written::Written;
use crate::Result;

#[doc(hidden)]
pub use derived::{
    is_untouched, read_json_text, read_text, required, unread, write_json_text, write_text,
};
#[doc(hidden)]
pub use document::Next;
pub use document::{Document, DocumentWriter};
#[doc(hidden)]
pub use document::{Hit, ReplyForm};
pub(crate) use document::{
    Loaded, Order, after_load, document as read_document, json, load, place, upgraded,
};
#[doc(hidden)]
pub use fit::{Misfit, model_misfit, name_misfit, stored_misfit};
pub use generate::{CountedId, GeneratedId, GeneratesId, IdSource};
pub use geo::{GeoPoint, GeoShape};
pub use hooks::Hooks;
#[doc(hidden)]
pub use hooks::invalid;
pub use id::ModelId;
pub use index_schema::{IndexOption, IndexSchema};
pub(crate) use key::{empty_part, escape, parse_key, write_key};
pub use layout::{Layout, ValueKind};
pub(crate) use layout::{Lists, Paths, escape_tag};
pub use nested::{Flatten, Nested};
#[doc(hidden)]
pub use nested::{InList, accept_struct, finish_struct, write_struct};
#[doc(hidden)]
pub use projection::{
    Column, InDocument, Path, ProjectsTo, StructColumn, StructFields, StructProjectsTo, StructSpec,
    ValueField, column, struct_column,
};
pub(crate) use projection::{Picked, read_hit};
pub use projection::{RedisProjection, Shape};
pub use reference::{OwnField, Ref, References, Unsettable};
pub use schema::{
    Attribute, FieldSchema, IndexKind, LimitSchema, ModelSchema, NestedSchema, StampSchema,
    Storage, UniqueSchema, WriteSchema,
};
pub use stamp::Stamp;
pub use stored::{StoredValue, missing};
pub(crate) use stored::{json_path, json_string, members};
pub use value::{
    GeoShapeValue, GeoValue, Json, ListItem, NumericValue, RedisValue, TagValue, TextValue,
    UniqueValue,
};
pub use vector::{Vector, VectorElement, VectorValue};
pub use vector_advice::{Advice, Aim};
pub use vector_schema::{Compression, Metric, VectorAlgorithm, VectorSchema};

/// A struct that is stored as one Redis hash or JSON document; made by `#[derive(RedisModel)]`.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// // For every model.
/// async fn copy<M: RedisModel>(from: &Repository<M>, to: &Repository<M>) -> Result<usize> {
///     let (mut all, mut count) = (from.scan(), 0);
///     while let Some(document) = all.next().await.transpose()? {
///         to.save(&document).await?;
///         count += 1;
///     }
///     Ok(count)
/// }
///
/// # let accounts_copy = accounts.with_namespace(format!("{}copy:", accounts.namespace()));
/// assert_eq!(copy(&accounts, &accounts_copy).await?, 2);
/// # assert!(accounts_copy.exists(&1).await?);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    note = "add `#[derive(RedisModel)]` and `#[redis(hash)]` or `#[redis(json)]` to the struct"
)]
pub trait RedisModel: Document + Send + Sync {
    /// The type of the field marked `#[redis(id)]`; of several, the tuple of their types.
    type Id: ModelId;

    /// One typed handle a field, for queries: what `|m| m.title` receives. Takes no space.
    type Fields: Copy + Default + Send + Sync + 'static;

    /// What the derive read from the struct.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// assert_eq!(Film::SCHEMA.prefix, "film");
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    const SCHEMA: &'static ModelSchema;

    /// The model's id: borrowed from the one field, or put together of several.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// assert_eq!(*Account::new(1, "Ann", 500).id(), 1);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    fn id(&self) -> Cow<'_, Self::Id>;

    /// The model's version, where a field is marked `#[redis(version)]`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let ann = accounts.get(&1).await?;
    /// assert_eq!(ann.and_then(|ann| RedisModel::version(&ann)), Some(1));
    /// # Ok(()) });
    /// ```
    fn version(&self) -> Option<u64> {
        None
    }

    /// Sets the version field, where there is one. Called by repositories.
    fn set_version(&mut self, _version: u64) {}

    /// Sets the fields `created_at` and `updated_at`, where there are such. Called by repositories.
    fn set_times(&mut self, _created: Option<SystemTime>, _updated: Option<SystemTime>) {}

    /// Whether its documents do not hold the id, which is in the key alone.
    #[doc(hidden)]
    const KEYED: bool = false;

    /// Sets the id, where the document does not hold it.
    #[doc(hidden)]
    fn set_id(&mut self, _id: Self::Id) {}

    #[doc(hidden)]
    const HOOKS: bool = false;

    #[doc(hidden)]
    fn hook_before_save(&self) -> Result<Option<Self>> {
        Ok(None)
    }

    #[doc(hidden)]
    fn hook_validate(&self) -> Result<()> {
        Ok(())
    }

    #[doc(hidden)]
    fn hook_after_save(&self, _written: &Written) {}

    #[doc(hidden)]
    fn hook_after_load(&mut self) -> Result<()> {
        Ok(())
    }

    #[doc(hidden)]
    fn hook_before_delete(_id: &Self::Id) -> Result<()> {
        Ok(())
    }

    #[doc(hidden)]
    fn hook_after_delete(_id: &Self::Id) {}

    /// Reads a document of the struct that `upgrade_from` names, and makes one of this of it. Called
    /// by repositories where a document does not read as this struct.
    #[doc(hidden)]
    fn earlier(
        _reader: &mut alizarin_core::resp::Reader<'_>,
        _form: ReplyForm,
    ) -> Option<Result<Hit<Self>>> {
        None
    }
}

/// A model that is stored as JSON: parts of its values can be changed on the server.
///
/// ```
/// # use alizarin_samples::Cafe;
/// fn is_json<M: alizarin::model::JsonModel>() {}
/// is_json::<Cafe>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is stored as a hash, in which a list or a map is one text to the server",
    note = "store the model as `json`, or change the list by `update`"
)]
pub trait JsonModel: RedisModel {}

/// A model that is stored as a hash: its fields can expire one by one.
///
/// ```
/// # use alizarin_samples::Account;
/// fn is_hash<M: alizarin::model::HashModel>() {}
/// is_hash::<Account>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is stored as JSON, whose members cannot expire",
    note = "store the model as a `hash`, or let the document expire as a whole"
)]
pub trait HashModel: RedisModel {}
