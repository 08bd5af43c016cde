//! What the derive macros' output names. Not for use by hand: it changes without notice.

pub use crate::model::{
    Attribute, Document, DocumentWriter, FieldSchema, GeoShapeValue, GeoValue, IndexKind,
    IndexSchema, ListItem, Metric, ModelId, ModelSchema, Nested, NestedSchema, NumericValue,
    RedisModel, RedisValue, Storage, StoredValue, TagValue, TextValue, VectorAlgorithm,
    VectorElement, VectorSchema, VectorValue, accept_struct, is_untouched, missing, model_misfit,
    name_misfit, read_json_text, read_text, required, unread, write_json_text, write_struct,
    write_text,
};
pub use crate::query::{
    Field, FieldPath, FieldSpec, HasEmpty, HasMissing, IsExact, IsGeo, IsGeoShape, IsNumeric,
    IsSortable, IsTag, IsText, IsVector, RedisRow, Row,
};
pub use crate::series::{
    SampleTime, SampleValue, SeriesLabel, SeriesSchema, TimeSeriesModel, label_from, label_text,
};
pub use crate::vectors::{AttributeField, VectorAttributes};
pub use alizarin_core::{Error, ErrorKind, Result};
