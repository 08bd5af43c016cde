//! What derived code calls, so that it stays small.

use std::borrow::Cow;

use super::{FieldSchema, RedisValue, missing, stored, value};
use crate::{Error, Result};

/// A field's value, or what stands for a missing one.
///
/// # Errors
/// `Decode` when the field is missing and must not be.
pub fn required<T: RedisValue>(value: Option<T>, field: &FieldSchema) -> Result<T> {
    value.or_else(T::absent).ok_or_else(|| missing(field))
}

/// Whether nothing of a nested struct was read.
pub fn is_untouched<T>(slot: &Option<T>) -> bool {
    slot.is_none()
}

/// The error for text that is none of the legal words.
pub fn unread(expected: &str, text: &str) -> Error {
    let shown: String = text.chars().take(40).collect();
    Error::decode(expected, &format!("{shown:?}"))
}

/// A hash field's bytes as text.
///
/// # Errors
/// `Decode` when they are not UTF-8.
pub fn read_text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| Error::decode("UTF-8 text", "bytes that are not UTF-8"))
}

/// A JSON string's text.
///
/// # Errors
/// `Decode` for other JSON.
pub fn read_json_text(json: &str) -> Result<Cow<'_, str>> {
    stored::read_json_string(json)
}

/// Writes text as a hash field, held to the rules of a TAG index where there is one.
///
/// # Errors
/// `Value` when the index would not find it again.
pub fn write_text(text: &str, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
    value::write_text(text, field, out)
}

/// Writes text as JSON; else as [`write_text`].
///
/// # Errors
/// As [`write_text`].
pub fn write_json_text(text: &str, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
    value::write_json_text(text, field, out)
}
