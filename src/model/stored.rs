//! Values as they lie in a document.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{FieldSchema, RedisValue};
use crate::{Error, ErrorKind, Result};

/// A field's value as it was read: a hash field's bytes, or a member's JSON text. Derived code
/// takes it.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{FieldSchema, StoredValue};
///
/// let tags = FieldSchema::plain("tags");
/// let read = StoredValue::Json(r#"["a", "b"]"#).read::<Vec<String>>(&tags)?;
/// assert_eq!(read, ["a", "b"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two storages")]
pub enum StoredValue<'a> {
    /// Bytes of a hash field.
    Hash(&'a [u8]),
    /// Text of a JSON value.
    Json(&'a str),
}

impl StoredValue<'_> {
    /// The value as a `T`; an error names the field.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::{FieldSchema, StoredValue};
    ///
    /// let year = FieldSchema::plain("year");
    /// assert_eq!(StoredValue::Hash(b"1979").read::<i32>(&year)?, 1979);
    /// let error = StoredValue::Hash(b"long ago").read::<i32>(&year).unwrap_err();
    /// assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("year")));
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`RedisValue::from_hash`].
    #[inline]
    pub fn read<T: RedisValue>(self, field: &FieldSchema) -> Result<T> {
        match self {
            StoredValue::Hash(bytes) => T::from_hash(bytes, field),
            StoredValue::Json(json) => T::from_json(json, field),
        }
        .map_err(|error| error.with_field(field.name))
    }
}

/// The error for a field that is not in the document and has no default. Called by derived code.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{FieldSchema, missing};
///
/// let error = missing(&FieldSchema::plain("year"));
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("year")));
/// # Ok::<(), alizarin::Error>(())
/// ```
pub fn missing(field: &FieldSchema) -> Error {
    Error::new(ErrorKind::Decode, "missing in the document").with_field(field.name)
}

/// Calls `each` with every member of a JSON object.
pub(crate) fn members(
    json: &str,
    each: impl FnMut(&str, StoredValue<'_>) -> Result<bool>,
) -> Result<()> {
    struct Members<F>(F, Result<()>);

    impl<'de, F: FnMut(&str, StoredValue<'_>) -> Result<bool>> Visitor<'de> for Members<F> {
        type Value = Result<()>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Result<()>, A::Error> {
            while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                if self.1.is_ok() {
                    self.1 = self.0(&name, StoredValue::Json(value.get())).map(drop);
                }
            }
            Ok(self.1)
        }
    }

    serde_json::Deserializer::from_str(json)
        .deserialize_map(Members(each, Ok(())))
        .map_err(|error| Error::decode("a JSON object", "other JSON").with_source(error))?
}

/// A member's name: borrowed unless it was written with escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Name<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }

        deserializer.deserialize_str(Text).map(Name)
    }
}

/// Reads a JSON string: borrowed unless it was written with escapes.
pub(crate) fn read_json_string(json: &str) -> Result<Cow<'_, str>> {
    serde_json::from_str::<Name<'_>>(json)
        .map(|Name(text)| text)
        .map_err(|error| Error::decode("a JSON string", "other JSON").with_source(error))
}

/// `$["a"]["b"]`
pub(crate) fn json_path<'a>(steps: impl IntoIterator<Item = &'a str>) -> String {
    let mut path = "$".to_owned();
    for step in steps {
        path.push('[');
        path.push_str(&json_string(step));
        path.push(']');
    }
    path
}

/// A JSON string with its quotes.
pub(crate) fn json_string(text: &str) -> String {
    // A string cannot fail to serialise.
    serde_json::to_string(text).unwrap_or_default()
}

/// Appends a JSON string with its quotes.
pub(crate) fn write_json_string(text: &str, out: &mut Vec<u8>) {
    // Writing to a `Vec` cannot fail, nor can a string fail to serialise.
    let _ = serde_json::to_writer(out, text);
}
