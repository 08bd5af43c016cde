//! What the derive macros' output names. Not for use by hand: it changes without notice.

pub use crate::model::OwnField;
pub use crate::model::{
    Attribute, Compression, CountedId, Document, DocumentWriter, FieldCodec, FieldSchema, Flatten,
    GeneratedId, GeneratesId, GeoShapeValue, GeoValue, HashModel, IdSource, IndexKind, IndexOption,
    IndexSchema, JsonModel, Layout, LimitSchema, ListItem, Metric, ModelId, ModelSchema, Nested,
    NestedSchema, Next, NumericValue, RedisModel, RedisValue, ReplyForm, StampSchema, Storage,
    StoredValue, TagValue, TextValue, UniqueSchema, UniqueValue, ValueKind, VectorAlgorithm,
    VectorElement, VectorSchema, VectorValue, WriteSchema, accept_struct, finish_struct,
    is_untouched, model_misfit, name_misfit, read_json_text, read_text, required, stored_misfit,
    unread, write_json_text, write_struct, write_text,
};
pub use crate::model::{
    Column, InDocument, RedisProjection, Shape, StructColumn, StructFields, StructSpec, column,
    struct_column,
};
pub use crate::model::{Hooks, Stamp, invalid};
pub use crate::query::{
    CanExpire, Field, FieldPath, FieldSpec, HasEmpty, HasMissing, IsExact, IsGeo, IsGeoShape,
    IsNumeric, IsSortable, IsTag, IsText, IsUnique, IsVector, NestedSpec, RedisRow, Row,
};
pub use crate::repository::{
    Assignment, Changes, Patch, PatchValue, Referrer, Rule, ToNested, Written,
};
pub use crate::series::{
    SampleTime, SampleValue, SeriesLabel, SeriesSchema, TimeSeriesModel, label_from, label_text,
};
pub use crate::vectors::{AttributeField, VectorAttributes};
pub use alizarin_core::resp::Reader;
pub use alizarin_core::{Error, ErrorKind, Result, receive};

/// Reads a document of the struct that another one is upgraded from.
///
/// # Errors
/// `Decode` and `Protocol`, as a repository's `get`.
pub fn read_earlier<M: RedisModel>(
    reader: &mut Reader<'_>,
    form: ReplyForm,
) -> Result<crate::model::Hit<M>> {
    match form {
        ReplyForm::Document => {
            let mut found = None;
            crate::model::read_document(reader, &mut found)?;
            Ok(found.map(|document| (document, None)))
        }
        ReplyForm::Hit => {
            let mut hit = None;
            crate::query::hits::whole(reader, &mut hit)?;
            Ok(hit)
        }
    }
}

/// Reads a document out of the reply to `HGETALL` or `JSON.GET`, as a repository does.
///
/// # Errors
/// `Decode` and `Protocol`, as a repository's `get`.
pub fn decode_document<M: RedisModel>(reply: &[u8]) -> Result<Option<M>> {
    use crate::FromReply;
    crate::model::Loaded::from_reply(&mut crate::resp::Reader::new(reply))?.0
}

/// Reads the documents out of the reply to `FT.SEARCH`, as a query does.
///
/// # Errors
/// `Decode` and `Protocol`, as a query.
pub fn decode_hits<M: RedisModel>(reply: &[u8]) -> Result<Vec<M>> {
    crate::query::decode_hits(&mut crate::resp::Reader::new(reply))
}
