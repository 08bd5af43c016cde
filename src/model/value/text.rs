//! Strings, characters, booleans.

use std::sync::Arc;

use super::{
    super::{
        FieldSchema, ValueKind,
        stored::{read_json_string, write_json_string},
    },
    ListItem, RedisValue, TagValue, TextValue, owned, refused, utf8,
};
use crate::{Error, Result};

/// Refuses what a TAG index would change or split; other fields take any text.
pub(super) fn check_tag(text: &str, field: &FieldSchema) -> Result<()> {
    let Some(separator) = field.tag_separator() else { return Ok(()) };
    // Other mappers write any text, and may have written this one.
    if !field.layout.is_native() {
        return Ok(());
    }
    let why = if text.contains('\0') {
        "a TAG value cannot hold NUL".to_owned()
    } else if text.contains(separator) {
        format!(
            "a TAG value cannot hold {separator:?}, the field's separator; choose another one with \
             `tag(separator = ..)`"
        )
    } else if text.starts_with(is_space) || text.ends_with(is_space) {
        "a TAG value cannot begin or end with white space, which the index cuts off; trim it"
            .to_owned()
    } else {
        return Ok(());
    };
    Err(refused(why))
}

/// What the index cuts off: C's `isspace`.
fn is_space(letter: char) -> bool {
    letter.is_ascii_whitespace() || letter == '\x0b'
}

/// Appends text to a hash.
pub(in crate::model) fn write_text(
    text: &str,
    field: &FieldSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    check_tag(text, field)?;
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// Appends text as a JSON string.
pub(in crate::model) fn write_json_text(
    text: &str,
    field: &FieldSchema,
    out: &mut Vec<u8>,
) -> Result<()> {
    check_tag(text, field)?;
    write_json_string(text, out);
    Ok(())
}

macro_rules! texts {
    ($($type:ty),+) => {$(
        impl RedisValue for $type {
            type Item = $type;
            const KIND: ValueKind = ValueKind::Text;
            const TEXT: bool = true;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_text(self, field, out)
            }

            fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<$type> {
                owned(bytes).map(<$type>::from)
            }

            #[inline]
            fn from_hash_text(text: &str, _field: &FieldSchema) -> Result<$type> {
                Ok(<$type>::from(text))
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                write_json_text(self, field, out)
            }

            fn from_json(json: &str, _field: &FieldSchema) -> Result<$type> {
                read_json_string(json).map(<$type>::from)
            }
        }

        impl ListItem for $type {}
        impl TagValue for $type {}
        impl super::UniqueValue for $type {}
        impl TextValue for $type {}
    )+};
}

texts!(String, Box<str>, Arc<str>);

impl RedisValue for char {
    type Item = char;
    const KIND: ValueKind = ValueKind::Text;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_text(self.encode_utf8(&mut [0; 4]), field, out)
    }

    fn from_hash(bytes: &[u8], _field: &FieldSchema) -> Result<char> {
        one_char(utf8(bytes, "a character")?)
    }

    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_json_text(self.encode_utf8(&mut [0; 4]), field, out)
    }

    fn from_json(json: &str, _field: &FieldSchema) -> Result<char> {
        one_char(&read_json_string(json)?)
    }
}

impl ListItem for char {}
impl TagValue for char {}
impl super::UniqueValue for char {}

fn one_char(text: &str) -> Result<char> {
    text.parse().map_err(|error| {
        Error::decode("one character", "text of another length").with_source(error)
    })
}

impl RedisValue for bool {
    type Item = bool;
    const KIND: ValueKind = ValueKind::Boolean;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        let [no, yes] = field.layout.forms().booleans;
        write_text(if *self { yes } else { no }, field, out)
    }

    fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<bool> {
        match bytes {
            b"true" => Ok(true),
            b"false" => Ok(false),
            // Mappers differ in what they write, and read more than that.
            b"1" | b"True" if !field.layout.is_native() => Ok(true),
            b"0" | b"False" if !field.layout.is_native() => Ok(false),
            _ => Err(Error::decode("`true` or `false`", "something else")),
        }
    }

    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        write_text(if *self { "true" } else { "false" }, field, out)
    }

    fn from_json(json: &str, field: &FieldSchema) -> Result<bool> {
        bool::from_hash(json.trim().as_bytes(), field)
    }
}

impl ListItem for bool {}
impl TagValue for bool {}
impl super::UniqueValue for bool {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{PLAIN, TAG, hash, json, no, refused, round_trip, tag};
    use super::*;

    #[test]
    fn a_tag_may_hold_all_punctuation() {
        let all: String = (0x20..0x7f_u8).map(char::from).collect();
        let all = format!("x{all}x");
        round_trip(&all, &TAG);
        assert_eq!(hash(&all, &TAG), all.as_bytes());
        round_trip(&"zwei Wörter".to_owned(), &TAG);
        round_trip(&String::new(), &TAG);
    }

    #[test]
    fn a_tag_that_the_index_would_change_is_refused() {
        for text in ["a\0b", "a\u{1f}b", " a", "a\t", "\n", "\x0ba"] {
            refused(&text.to_owned(), &TAG);
            round_trip(&text.to_owned(), &PLAIN);
        }
        assert!(refused(&"a,b".to_owned(), &tag::<','>()).message().contains("','"));
        refused(&' ', &TAG);
        refused(&true, &tag::<'t'>());
    }

    #[test]
    fn booleans_are_words() {
        assert_eq!(hash(&true, &TAG), b"true");
        assert_eq!(json(&false, &TAG), "false");
        round_trip(&true, &PLAIN);
        for text in ["", "1", "TRUE", "truely"] {
            no::<bool>(text, &PLAIN);
        }
    }

    #[test]
    fn json_strings_only() {
        for text in ["", "1", "null", "abc", "\"", "[]"] {
            assert!(String::from_json(text, &PLAIN).is_err(), "{text}");
        }
        assert_eq!(String::from_json(r#""a\u0041\n\/""#, &PLAIN).unwrap(), "aA\n/");
        assert!(String::from_hash(b"\xff", &PLAIN).is_err());
        assert!(char::from_hash(b"ab", &PLAIN).is_err());
        assert!(char::from_hash(b"", &PLAIN).is_err());
    }

    proptest! {
        #[test]
        fn texts(text: String, letter: char) {
            round_trip(&text, &PLAIN);
            round_trip(&Box::<str>::from(text.as_str()), &PLAIN);
            round_trip(&Arc::<str>::from(text.as_str()), &PLAIN);
            round_trip(&letter, &PLAIN);
            if check_tag(&text, &TAG).is_ok() {
                round_trip(&text, &TAG);
            }
        }
    }
}
