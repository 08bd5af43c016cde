//! `Ulid`, stored as text.

use ulid::Ulid;

use super::{
    super::{FieldSchema, ValueKind, stored::read_json_string},
    ListItem, RedisValue, TagValue,
    text::{write_json_text, write_text},
    utf8,
};
use crate::{Error, Result};

impl RedisValue for Ulid {
    type Item = Ulid;
    const KIND: ValueKind = ValueKind::Text;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_text(&self.to_string(), field, out)
    }

    fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<Ulid> {
        parse(utf8(bytes, "a ULID")?)
    }

    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_json_text(&self.to_string(), field, out)
    }

    fn from_json(json: &str, _field: &FieldSchema) -> Result<Ulid> {
        parse(&read_json_string(json)?)
    }
}

impl ListItem for Ulid {}
impl TagValue for Ulid {}
impl super::UniqueValue for Ulid {}

fn parse(text: &str) -> Result<Ulid> {
    text.parse::<Ulid>().map_err(|error| Error::decode("a ULID", "other text").with_source(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{PLAIN, TAG, hash, no, refused, round_trip, tag};
    use super::*;

    #[test]
    fn the_usual_text() {
        let id: Ulid = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
        assert_eq!(hash(&id, &TAG), b"01ARZ3NDEKTSV4RRFFQ69G5FAV");
        for text in ["", "1", "null", "\"x\""] {
            no::<Ulid>(text, &PLAIN);
        }
        refused(&Ulid(1), &tag::<'0'>());
    }

    proptest! {
        #[test]
        fn any(value: u128) {
            round_trip(&Ulid(value), &TAG);
        }
    }
}
