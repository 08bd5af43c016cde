//! Maps: an object in JSON, its text in a hash.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::{
    super::{
        FieldSchema, ModelId, StoredValue, ValueKind,
        stored::{members, write_json_string},
    },
    ListItem, NumericValue, RedisValue, TagValue, TextValue, utf8,
};
use crate::Result;

macro_rules! maps {
    ($($map:ident: $($bound:ident)+;)+) => {$(
        impl<K: ModelId $(+ $bound)+, V: RedisValue> RedisValue for $map<K, V> {
            type Item = V::Item;
            const KIND: ValueKind = ValueKind::Map;
            const MANY: bool = V::MANY;
            const MAP: bool = true;

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
                    let key = K::parse_id(name).map_err(|error| error.with_field(name))?;
                    map.insert(key, value);
                    Ok(true)
                })?;
                Ok(map)
            }
        }

        impl<K: ModelId $(+ $bound)+, V: RedisValue> ListItem for $map<K, V> {}
        impl<K: ModelId $(+ $bound)+, V: RedisValue + TagValue> TagValue for $map<K, V> {}
        impl<K: ModelId $(+ $bound)+, V: RedisValue + TextValue> TextValue for $map<K, V> {}
        impl<K: ModelId $(+ $bound)+, V: RedisValue + NumericValue> NumericValue for $map<K, V> {}
    )+};
}

maps! {
    BTreeMap: Ord;
    HashMap: Eq Hash;
}

fn write_object<'a, K: ModelId, V: RedisValue>(
    entries: impl IntoIterator<Item = (&'a K, &'a V)>,
    field: &FieldSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(b'{');
    let mut name = String::new();
    for (at, (key, value)) in entries.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        name.clear();
        key.write_id(&mut name);
        write_json_string(&name, out);
        out.push(b':');
        value.to_json(field, out).map_err(|error| error.with_field(&name))?;
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
