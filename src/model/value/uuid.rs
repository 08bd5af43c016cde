//! `Uuid`, stored as text.

use uuid::Uuid;

use super::{
    super::{FieldSchema, ValueKind, stored::read_json_string},
    ListItem, RedisValue, TagValue,
    text::{write_json_text, write_text},
    utf8,
};
use crate::{Error, Result};

impl RedisValue for Uuid {
    type Item = Uuid;
    const KIND: ValueKind = ValueKind::Text;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_text(self.hyphenated().encode_lower(&mut Uuid::encode_buffer()), field, out)
    }

    fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<Uuid> {
        parse(utf8(bytes, "a UUID")?)
    }

    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_json_text(self.hyphenated().encode_lower(&mut Uuid::encode_buffer()), field, out)
    }

    fn from_json(json: &str, _field: &FieldSchema) -> Result<Uuid> {
        parse(&read_json_string(json)?)
    }
}

impl ListItem for Uuid {}
impl TagValue for Uuid {}
impl super::UniqueValue for Uuid {}

fn parse(text: &str) -> Result<Uuid> {
    text.parse::<Uuid>().map_err(|error| Error::decode("a UUID", "other text").with_source(error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{PLAIN, TAG, hash, no, refused, round_trip, tag};
    use super::*;

    #[test]
    fn the_usual_text() {
        let id: Uuid = "67e55044-10b1-426f-9247-bb680e5fe0c8".parse().unwrap();
        assert_eq!(hash(&id, &TAG), b"67e55044-10b1-426f-9247-bb680e5fe0c8");
        for text in ["", "1", "null", "\"x\""] {
            no::<Uuid>(text, &PLAIN);
        }
        refused(&Uuid::nil(), &tag::<'-'>());
    }

    proptest! {
        #[test]
        fn any(value: u128) {
            round_trip(&Uuid::from_u128(value), &TAG);
        }
    }
}
