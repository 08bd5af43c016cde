//! What a field can be compared with.

use std::borrow::Cow;

use super::{FieldSpec, QueryWriter, attribute_name, field_schema, filter::wrong};
use crate::model::{
    FieldSchema, IndexKind, Lists, RedisModel, RedisValue, Storage, Vector, VectorElement,
    escape_tag,
};
use crate::{ErrorKind, Result};

/// A value that stands for a `T`: a `T`, a reference to one, `&str` for a `String`, whole numbers
/// for floats, arrays for vectors.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let names = vec!["Ridley Scott".to_owned()];
/// let by = films.find(|f| f.director.is_in(&names) & f.director.ne("Ron Howard"));
/// assert_eq!(by.count().await?, 2);
/// let tense = films.find(|f| f.rating.ge(8) & f.mood.near([1.0, 0.0, 0.3], 0.1));
/// assert_eq!(tense.count().await?, 1);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "a field of `{T}` cannot be compared with, or set to, `{Self}`",
    label = "this is no `{T}`, nor a reference to one"
)]
pub trait Operand<T>: Send + Sync {
    /// Appends the value as it is stored: a hash field's bytes, or JSON text. Called by queries and
    /// by `set`.
    ///
    /// # Errors
    /// `Value` when it cannot be stored.
    fn write(&self, storage: Storage, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()>;
}

fn stored<T: RedisValue>(
    value: &T,
    storage: Storage,
    field: &FieldSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    match storage {
        Storage::Hash => value.to_hash(field, out),
        Storage::Json => value.to_json(field, out),
    }
}

impl<T: RedisValue> Operand<T> for T {
    fn write(&self, storage: Storage, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        stored(self, storage, field, out)
    }
}

impl<T: RedisValue> Operand<T> for &T {
    fn write(&self, storage: Storage, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        stored(*self, storage, field, out)
    }
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl Operand<String> for $type {
            fn write(&self, storage: Storage, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                // The copy spares a second form of every rule about stored text.
                let text: &str = self.as_ref();
                stored(&text.to_owned(), storage, field, out)
            }
        }
    )+};
}

texts!(&str, Cow<'_, str>, &&str, Box<str>);

macro_rules! converted {
    ($($float:ty: $($other:ty)+;)+) => {$($(
        impl Operand<$float> for $other {
            fn write(&self, storage: Storage, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                // As the number it is: a float read from its decimal text is the nearest one.
                stored(self, storage, field, out)
            }
        }
    )+)+};
}

converted! {
    f32: f64 i8 i16 i32 i64 u16 u32 u64;
    f64: i8 i16 i32 i64 u16 u32 u64;
}

impl<T: VectorElement, const N: usize> Operand<Vector<T, N>> for [T; N] {
    fn write(&self, storage: Storage, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        stored(&Vector::from(*self), storage, field, out)
    }
}

impl<T: VectorElement, const N: usize> Operand<Vector<T, N>> for &[T; N] {
    fn write(&self, storage: Storage, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        stored(&Vector::from(**self), storage, field, out)
    }
}

/// Appends a value as a parameter of its field's index.
pub(crate) fn write<S, V>(value: &V, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    match field_schema::<S>().kind() {
        Some(IndexKind::Numeric) => number::<S, V>(value, out),
        _ => tag::<S, V>(value, out),
    }
}

/// Appends a number as a parameter.
pub(crate) fn number<S, V>(value: &V, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    let bytes = raw::<S, V>(value)?;
    let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<f64>().ok());
    match number {
        Some(number) if !number.is_nan() => out.param(&bytes),
        _ => {
            let name = attribute_name::<S>();
            return Err(wrong(ErrorKind::Value, &name, "not a number that can be compared"));
        }
    }
    Ok(())
}

/// The value as a hash field holds it: numbers as decimal text, vectors as bytes, points as
/// `lon,lat`, shapes as WKT.
pub(crate) fn raw<S, V>(value: &V) -> Result<Vec<u8>>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    let mut bytes = Vec::new();
    value
        .write(Storage::Hash, field_schema::<S>(), &mut bytes)
        .map_err(|error| error.with_field(&attribute_name::<S>()))?;
    Ok(bytes)
}

/// Appends a tag as a parameter, refusing what no index can hold.
fn tag<S, V>(value: &V, out: &mut QueryWriter) -> Result<()>
where
    S: FieldSpec,
    V: Operand<S::Value>,
{
    let field = field_schema::<S>();
    let mut bytes = Vec::new();
    let storage = <S::Model as RedisModel>::SCHEMA.storage;
    value
        .write(storage, field, &mut bytes)
        .map_err(|error| error.with_field(&attribute_name::<S>()))?;
    if storage == Storage::Json && bytes.first() == Some(&b'"') {
        // The index of a JSON document holds a string's content.
        if let Ok(text) = serde_json::from_slice::<String>(&bytes) {
            bytes = text.into_bytes();
        }
    }
    check_tag::<S>(&bytes)?;
    if storage == Storage::Hash && field.many && field.layout.forms().lists == Lists::Escaped {
        let mut escaped = Vec::with_capacity(bytes.len());
        escape_tag(&bytes, &mut escaped)
            .map_err(|error| error.with_field(&attribute_name::<S>()))?;
        bytes = escaped;
    }
    out.word(&bytes);
    Ok(())
}

/// Refuses what a tag cannot be: the search would find nothing, and not say why.
pub(crate) fn check_tag<S: FieldSpec>(bytes: &[u8]) -> Result<()> {
    let field = field_schema::<S>();
    let separator = field.tag_separator().unwrap_or('\u{1f}');
    let mut letter = [0; 4];
    let separator = separator.encode_utf8(&mut letter).as_bytes();
    let index_empty = field.attribute().is_some_and(|attribute| attribute.index_empty);
    let message = if bytes.is_empty() && !index_empty {
        "an empty tag is not in the index; add `index_empty` to the field's attribute"
    } else if bytes.contains(&0) {
        "a tag cannot hold NUL"
    } else if !bytes.is_empty() && bytes.windows(separator.len()).any(|part| part == separator) {
        "a tag cannot hold the field's separator"
    } else if bytes.first().is_some_and(|byte| is_space(*byte))
        || bytes.last().is_some_and(|byte| is_space(*byte))
    {
        "a tag cannot begin or end with white space"
    } else {
        return Ok(());
    };
    Err(wrong(ErrorKind::Value, &attribute_name::<S>(), message))
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
