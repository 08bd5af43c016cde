//! What every type's tests ask of it.

use std::fmt;

use super::super::{Attribute, FieldSchema, IndexKind};
use super::RedisValue;
use crate::{Error, ErrorKind};

pub(super) const PLAIN: FieldSchema = FieldSchema::plain("f");

const fn indexed(attributes: &'static [Attribute]) -> FieldSchema {
    FieldSchema { attributes, ..PLAIN }
}

pub(super) const NUMERIC: FieldSchema = indexed(&[Attribute::plain(IndexKind::Numeric)]);
pub(super) const TAG: FieldSchema = tag::<'\u{1f}'>();

pub(super) const fn tag<const SEPARATOR: char>() -> FieldSchema {
    indexed(
        const {
            let kind =
                IndexKind::Tag { separator: SEPARATOR, case_sensitive: false, suffix_trie: false };
            &[Attribute::plain(kind)]
        },
    )
}

pub(super) fn hash<T: RedisValue>(value: &T, field: &FieldSchema) -> Vec<u8> {
    let mut out = Vec::new();
    value.to_hash(field, &mut out).unwrap();
    out
}

pub(super) fn json<T: RedisValue>(value: &T, field: &FieldSchema) -> String {
    let mut out = Vec::new();
    value.to_json(field, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

pub(super) fn round_trip<T: RedisValue + PartialEq + fmt::Debug>(value: &T, field: &FieldSchema) {
    assert_eq!(&T::from_hash(&hash(value, field), field).unwrap(), value);
    let json = json(value, field);
    serde_json::from_str::<serde_json::Value>(&json).unwrap();
    assert_eq!(&T::from_json(&json, field).unwrap(), value);
}

/// The error of a value that neither storage takes.
pub(super) fn refused<T: RedisValue>(value: &T, field: &FieldSchema) -> Error {
    let error = value.to_json(field, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    let error = value.to_hash(field, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    error
}

/// Neither storage's form may parse, nor panic.
pub(super) fn no<T: RedisValue + fmt::Debug>(text: &str, field: &FieldSchema) {
    for error in
        [T::from_hash(text.as_bytes(), field).unwrap_err(), T::from_json(text, field).unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::Decode, "{text}");
    }
}
