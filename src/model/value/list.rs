//! Lists and sets.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;

use serde_json::value::RawValue;

use super::{
    super::layout::{Lists, escape_tag},
    super::{FieldSchema, IndexKind, ValueKind},
    GeoShapeValue, GeoValue, ListItem, NumericValue, RedisValue, TagValue, TextValue, refused,
    utf8,
};
use crate::{Error, Result};

macro_rules! lists {
    ($($list:ident $(: $($bound:ident)+)?;)+) => {$(
        impl<T: ListItem $($(+ $bound)+)?> RedisValue for $list<T> {
            type Item = T::Item;
            const KIND: ValueKind = T::KIND;
            const MANY: bool = true;
            const CASE_SENSITIVE: bool = T::CASE_SENSITIVE;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                match field.kind() {
                    _ if field.layout.forms().lists == Lists::None => Err(refused(format!(
                        "{} has no lists in a hash; store the model as json",
                        field.layout.name()
                    ))),
                    Some(IndexKind::Tag { .. }) => {
                        let separator = field.tag_separator().unwrap_or(',');
                        write_tags(self, separator, field, out)
                    }
                    None | Some(IndexKind::Text { .. }) => self.to_json(field, out),
                    Some(_) => Err(refused(
                        "the index of a hash takes lists of tags only; store the model as json, \
                         or take the index off the field",
                    )),
                }
            }

            fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Self> {
                match field.tag_separator() {
                    Some(separator) => read_tags(bytes, separator, field),
                    None => read_json(utf8(bytes, "a list as JSON text")?, field),
                }
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_json(self, field, out)
            }

            fn from_json(json: &str, field: &FieldSchema) -> Result<Self> {
                read_json(json, field)
            }
        }

        impl<T: ListItem $($(+ $bound)+)?> ListItem for $list<T> {}
        through_list!($list $(: $($bound)+)?; TextValue);
        through_list!($list $(: $($bound)+)?; TagValue);
        through_list!($list $(: $($bound)+)?; NumericValue);
        through_list!($list $(: $($bound)+)?; GeoValue);
        through_list!($list $(: $($bound)+)?; GeoShapeValue);
    )+};
}

macro_rules! through_list {
    ($list:ident $(: $($bound:ident)+)?; $kind:ident) => {
        impl<T: ListItem + $kind $($(+ $bound)+)?> $kind for $list<T> {}
    };
}

lists! {
    Vec;
    BTreeSet: Ord;
    HashSet: Eq Hash;
}

fn write_json<'a, T: ListItem>(
    items: impl IntoIterator<Item = &'a T>,
    field: &FieldSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        item.to_json(field, out).map_err(|error| error.with_field(&at.to_string()))?;
    }
    out.push(b']');
    Ok(())
}

fn read_json<T: ListItem, L: FromIterator<T>>(json: &str, field: &FieldSchema) -> Result<L> {
    let items: Vec<&RawValue> = serde_json::from_str(json)
        .map_err(|error| Error::decode("a list", "other JSON").with_source(error))?;
    let items = items.iter().enumerate().map(|(at, item)| {
        T::from_json(item.get(), field).map_err(|error| error.with_field(&at.to_string()))
    });
    items.collect()
}

/// Appends the items with the field's separator between them.
fn write_tags<'a, T: ListItem>(
    items: impl IntoIterator<Item = &'a T>,
    separator: char,
    field: &FieldSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut separator_bytes = [0; 4];
    let separator_bytes = separator.encode_utf8(&mut separator_bytes).as_bytes();
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(separator_bytes);
        }
        let start = out.len();
        item.to_hash(field, out).map_err(|error| error.with_field(&at.to_string()))?;
        if field.layout.forms().lists == Lists::Escaped {
            let item = out.split_off(start);
            escape_tag(&item, out).map_err(|error| error.with_field(&at.to_string()))?;
        }
        let written = out.get(start..).unwrap_or_default();
        let why = if T::MANY {
            "a TAG list in a hash cannot hold lists; store the model as json".to_owned()
        } else if written.is_empty() {
            "an empty text cannot be in a TAG list of a hash; leave it out".to_owned()
        } else if written.windows(separator_bytes.len()).any(|part| part == separator_bytes) {
            format!("a TAG value cannot hold {separator:?}, the field's separator")
        } else {
            continue;
        };
        return Err(refused(why).with_field(&at.to_string()));
    }
    Ok(())
}

/// Reads items with separators between them; nothing at all is the empty list.
fn read_tags<T: ListItem, L: FromIterator<T>>(
    bytes: &[u8],
    separator: char,
    field: &FieldSchema,
) -> Result<L> {
    if bytes.is_empty() {
        return Ok(std::iter::empty().collect());
    }
    let text = utf8(bytes, "a list of tags")?;
    let escaped = field.layout.forms().lists == Lists::Escaped;
    let items = text.split(separator).enumerate().map(|(at, item)| {
        let item = if escaped { Cow::Owned(item.replace('\\', "")) } else { Cow::Borrowed(item) };
        T::from_hash(item.as_bytes(), field).map_err(|error| error.with_field(&at.to_string()))
    });
    items.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, TAG, hash, json, no, refused, round_trip, tag};
    use super::*;
    use crate::ErrorKind;

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn tags_are_joined_in_a_hash() {
        assert_eq!(hash(&list(&["a", "b c"]), &TAG), b"a\x1fb c");
        assert_eq!(hash(&list(&[]), &TAG), b"");
        assert_eq!(json(&list(&["a", "b"]), &TAG), r#"["a","b"]"#);
        assert_eq!(hash(&vec![1, 22], &tag::<','>()), b"1,22");
        assert_eq!(json(&vec![1, 22], &TAG), r#"["1","22"]"#);
        round_trip(&vec![true, false], &TAG);
        round_trip(&vec![u64::MAX], &TAG);
    }

    #[test]
    fn items_that_would_be_split_or_lost_are_refused() {
        refused(&list(&["a", "b\u{1f}c"]), &TAG);
        assert_eq!(refused(&list(&["a", " b"]), &TAG).field(), Some("1"));
        let hash_only = |items: &[&str]| list(items).to_hash(&TAG, &mut Vec::new()).unwrap_err();
        assert_eq!(hash_only(&["a", ""]).kind(), ErrorKind::Value);
        assert_eq!(hash_only(&[""]).field(), Some("0"));
        let error = vec![vec![1]].to_hash(&TAG, &mut Vec::new()).unwrap_err();
        assert!(error.message().contains("json"));
        let error = vec![1].to_hash(&NUMERIC, &mut Vec::new()).unwrap_err();
        assert!(error.message().contains("json"));
    }

    #[test]
    fn what_is_no_list() {
        for text in ["", "1", "{}", "[1", "[\"a\"]", "[1,]", "null"] {
            no::<Vec<i32>>(text, &PLAIN);
        }
        assert_eq!(Vec::<i32>::from_json(" [ 1 , 2 ] ", &PLAIN).unwrap(), [1, 2]);
    }

    proptest! {
        #[test]
        fn lists(texts: Vec<String>, numbers: Vec<i64>, bytes: Vec<Vec<u8>>) {
            round_trip(&texts, &PLAIN);
            round_trip(&numbers, &PLAIN);
            round_trip(&numbers, &TAG);
            round_trip(&bytes, &PLAIN);
            round_trip(&texts.iter().cloned().collect::<BTreeSet<_>>(), &PLAIN);
            round_trip(&numbers.iter().copied().collect::<HashSet<_>>(), &TAG);
            round_trip(&vec![texts, vec![]], &PLAIN);
        }

        #[test]
        fn tag_lists(tags in prop::collection::vec("[!-~]([ -~]*[!-~])?", 0..6)) {
            round_trip(&tags, &TAG);
        }
    }
}
