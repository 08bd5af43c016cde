//! Bytes: as they are in a hash, base64 in JSON.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::{
    super::{
        FieldSchema, ValueKind,
        stored::{read_json_string, write_json_string},
    },
    ListItem, RedisValue,
};
use crate::{Error, Result};

fn read_base64(json: &str) -> Result<Vec<u8>> {
    decode(read_json_string(json)?.as_bytes())
}

fn decode(text: &[u8]) -> Result<Vec<u8>> {
    STANDARD.decode(text).map_err(|error| Error::decode("base64", "other text").with_source(error))
}

/// As they are, or as base64 where the field's layout has them so.
fn write_hash(bytes: &[u8], field: &FieldSchema, out: &mut Vec<u8>) {
    if field.layout.forms().base64 {
        out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    } else {
        out.extend_from_slice(bytes);
    }
}

fn read_hash<'a>(bytes: &'a [u8], field: &FieldSchema) -> Result<Cow<'a, [u8]>> {
    match field.layout.forms().base64 {
        true => decode(bytes).map(Cow::Owned),
        false => Ok(Cow::Borrowed(bytes)),
    }
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes
        .try_into()
        .map_err(|_| Error::decode(&format!("{N} bytes"), &format!("{} bytes", bytes.len())))
}

macro_rules! bytes {
    ($($type:ty),+) => {$(
        impl RedisValue for $type {
            type Item = $type;
            const KIND: ValueKind = ValueKind::Bytes;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_hash(self, field, out);
                Ok(())
            }

            fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<$type> {
                read_hash(bytes, field).map(|bytes| bytes.into_owned().into())
            }

            fn to_json(&self, _field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_json_string(&STANDARD.encode(self), out);
                Ok(())
            }

            fn from_json(json: &str, _field: &FieldSchema) -> Result<$type> {
                read_base64(json).map(Into::into)
            }
        }

        impl ListItem for $type {}
    )+};
}

bytes!(Vec<u8>, Bytes);

impl<const N: usize> RedisValue for [u8; N] {
    type Item = [u8; N];
    const KIND: ValueKind = ValueKind::Bytes;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_hash(self, field, out);
        Ok(())
    }

    fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<[u8; N]> {
        sized(&read_hash(bytes, field)?)
    }

    fn to_json(&self, _field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_json_string(&STANDARD.encode(self), out);
        Ok(())
    }

    fn from_json(json: &str, _field: &FieldSchema) -> Result<[u8; N]> {
        sized(&read_base64(json)?)
    }
}

impl<const N: usize> ListItem for [u8; N] {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{PLAIN, hash, json, round_trip};
    use super::*;

    #[test]
    fn raw_in_a_hash_and_base64_in_json() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(hash(&all, &PLAIN), all);
        round_trip(&all, &PLAIN);
        assert_eq!(json(&b"ab".to_vec(), &PLAIN), "\"YWI=\"");
        for text in ["\"YWI\"", "\"*\"", "[1]", "null"] {
            assert!(Vec::<u8>::from_json(text, &PLAIN).is_err(), "{text}");
        }
        let error = <[u8; 3]>::from_hash(b"ab", &PLAIN).unwrap_err();
        assert_eq!(error.message(), "expected 3 bytes, got 2 bytes");
    }

    proptest! {
        #[test]
        fn any_bytes(bytes: Vec<u8>, array: [u8; 5]) {
            round_trip(&bytes, &PLAIN);
            round_trip(&Bytes::from(bytes), &PLAIN);
            round_trip(&array, &PLAIN);
        }
    }
}
