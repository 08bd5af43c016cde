//! Maps: an object in JSON, its text in a hash.

use std::collections::{BTreeMap, HashMap};

use super::{
    super::{
        FieldSchema, StoredValue,
        stored::{members, write_json_string},
    },
    ListItem, RedisValue, utf8,
};
use crate::Result;

macro_rules! maps {
    ($($map:ident)+) => {$(
        impl<V: RedisValue> RedisValue for $map<String, V> {
            type Item = $map<String, V>;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                self.to_json(field, out)
            }

            fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Self> {
                Self::from_json(utf8(bytes, "a map as JSON text")?, field)
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_object(self, field, out)
            }

            fn from_json(json: &str, field: &FieldSchema) -> Result<Self> {
                let mut map = $map::new();
                members(json, |name, value| {
                    let StoredValue::Json(json) = value else { return Ok(false) };
                    let value = V::from_json(json, field).map_err(|error| error.with_field(name))?;
                    map.insert(name.to_owned(), value);
                    Ok(true)
                })?;
                Ok(map)
            }
        }

        impl<V: RedisValue> ListItem for $map<String, V> {}
    )+};
}

maps!(BTreeMap HashMap);

fn write_object<'a, V: RedisValue>(
    entries: impl IntoIterator<Item = (&'a String, &'a V)>,
    field: &FieldSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(b'{');
    for (at, (name, value)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write_json_string(name, out);
        out.push(b':');
        value.to_json(field, out).map_err(|error| error.with_field(name))?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{PLAIN, json, no, round_trip};
    use super::*;

    #[test]
    fn objects() {
        let map = BTreeMap::from([("a\"b".to_owned(), Some(1)), ("c".to_owned(), None)]);
        assert_eq!(json(&map, &PLAIN), r#"{"a\"b":1,"c":null}"#);
        round_trip(&map, &PLAIN);
        for text in ["", "[]", "{", "null", "{\"a\":\"x\"}"] {
            no::<HashMap<String, i32>>(text, &PLAIN);
        }
    }

    proptest! {
        #[test]
        fn maps(map: HashMap<String, Vec<u8>>, ordered: BTreeMap<String, i64>) {
            round_trip(&map, &PLAIN);
            round_trip(&ordered, &PLAIN);
        }
    }
}
