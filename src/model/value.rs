//! The trait of everything that can be a field.

mod as_text;
mod bytes;
#[cfg(test)]
mod check;
#[cfg(feature = "chrono")]
mod chrono;
pub(crate) mod decimal;
#[cfg(feature = "jiff")]
mod jiff;
mod json;
mod list;
mod map;
mod non_zero;
mod number;
#[cfg(feature = "rust_decimal")]
mod rust_decimal;
pub(crate) mod text;
mod time;
#[cfg(feature = "time")]
mod time_crate;
#[cfg(feature = "ulid")]
mod ulid;
#[cfg(feature = "url")]
mod url;
#[cfg(feature = "uuid")]
mod uuid;

use std::borrow::Cow;

pub(super) use text::{write_json_text, write_text};

use super::{FieldSchema, ValueKind};
use crate::{Error, ErrorKind, Result};

pub use json::Json;

/// A type that can be a model's field, in a hash and in a JSON document.
///
/// Both forms are exact: what was written is what is read. Enums and newtypes get it by
/// `#[derive(RedisValue)]`.
///
/// | Type | In a hash | In JSON |
/// |---|---|---|
/// | `bool` | `true`, `false` | the same |
/// | `i8` to `i64`, `u8` to `u64`, `isize`, `usize` | decimal digits | a number; with `tag` a string |
/// | `i128`, `u128` | decimal digits | a string; with `numeric` a number |
/// | `NonZero<..>` | as the integer | the same |
/// | `f32`, `f64` | shortest decimal, `inf`, `-inf` | a number; no infinities (see below) |
/// | `char`, `String`, `Box<str>`, `Arc<str>` | the text | a string |
/// | `Vec<u8>`, `Bytes`, `[u8; N]` | the bytes | base64 |
/// | `Vec<T>`, `BTreeSet<T>`, `HashSet<T>` | with `tag` the items with the separator between them, else JSON text | an array |
/// | `BTreeMap<K, V>`, `HashMap<K, V>`; a key is what an [id](super::ModelId) can be | JSON text | an object |
/// | [`Json<T>`] | JSON text | what `serde_json` writes |
/// | `Option<T>` | no field | no member |
/// | `SystemTime`, `chrono::DateTime<Utc>`, `time::UtcDateTime`, `jiff::Timestamp` | nanoseconds since 1970 | the same |
/// | `chrono::NaiveDateTime`, `time::PrimitiveDateTime`, `jiff::civil::DateTime` | nanoseconds since 1970, as if in UTC | the same |
/// | `chrono::DateTime<FixedOffset>`, `time::OffsetDateTime` | RFC 3339 text with the offset; with `numeric` nanoseconds since 1970, and the offset is not kept | a string; with `numeric` a number |
/// | `jiff::Zoned` | RFC 9557 text, `2026-07-01T12:00:00+02:00[Europe/Vienna]` | a string |
/// | `chrono::NaiveDate`, `time::Date`, `jiff::civil::Date` | days since 1970 | the same |
/// | `chrono::NaiveTime`, `time::Time`, `jiff::civil::Time` | nanoseconds since midnight | the same |
/// | `Duration`, `chrono::TimeDelta`, `time::Duration`, `jiff::SignedDuration` | nanoseconds | the same |
/// | `rust_decimal::Decimal` | the text with all its zeros | a string; with `numeric` a number |
/// | `Ulid`, `Uuid`, `url::Url`, `IpAddr`, `Ipv4Addr`, `Ipv6Addr` | the usual text | a string |
/// | an enum | the variant's name; with `integer` its number | a string; with `integer` a number |
/// | a newtype | as what is inside it | the same |
/// | [`GeoPoint`](super::GeoPoint) | `longitude,latitude` | a string |
/// | [`GeoShape`](super::GeoShape) | well-known text | a string |
/// | [`Vector`](super::Vector) | little-endian bytes | an array of numbers |
///
/// A write refuses what could not come back: NaN; text in a TAG field that holds NUL or the
/// separator, or begins or ends with white space; integers beyond ±2^53 and decimals of more than
/// 15 digits in a NUMERIC field (a TAG field takes them); times that 64 bits of nanoseconds do not
/// reach. Times in a NUMERIC field are stored exactly and found with a double's precision, a
/// quarter of a microsecond in this century.
///
/// `chrono`, `time`, `jiff`, `rust_decimal`, `url`, `ulid` and `uuid` are features, named as the
/// crates. A field of another type names a [`FieldCodec`](super::FieldCodec) by `with`.
///
/// In JSON the index looks into lists (`$.tags[*]`) and maps (`$.labels.*`), in a hash into lists
/// of tags; other combinations do not compile.
///
/// RedisJSON reads doubles with a rounding error of its own. Alizarin writes them so that it does
/// no harm; that is impossible for one in 400 of the doubles with 16 digits or more, which then
/// come back with another last bit. In a hash all are exact, and so is every `f32` in both.
///
/// A type of one's own can also be stored by hand:
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{FieldSchema, NumericValue};
///
/// # alizarin_samples::client(async |client, namespace| {
/// /// From 0 to 100.
/// #[derive(Debug, Clone, Copy, PartialEq)]
/// struct Percent(u8);
///
/// impl Percent {
///     fn new(value: u8) -> Result<Percent> {
///         let error = || Error::new(ErrorKind::Decode, "more than 100 percent");
///         (value <= 100).then_some(Percent(value)).ok_or_else(error)
///     }
/// }
///
/// impl RedisValue for Percent {
///     type Item = Percent;
///
///     fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
///         self.0.to_hash(field, out)
///     }
///
///     fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Percent> {
///         Percent::new(u8::from_hash(bytes, field)?)
///     }
///
///     fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
///         self.0.to_json(field, out)
///     }
///
///     fn from_json(json: &str, field: &FieldSchema) -> Result<Percent> {
///         Percent::new(u8::from_json(json, field)?)
///     }
/// }
///
/// /// It can be `#[redis(numeric)]`.
/// impl NumericValue for Percent {}
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "task", index)]
/// struct Task {
///     #[redis(id)]
///     id: u32,
///     #[redis(numeric)]
///     done: Percent,
/// }
///
/// # let tasks = client.repository::<Task>().with_namespace(namespace);
/// # tasks.index().sync().await?;
/// tasks.save(&Task { id: 1, done: Percent(80) }).await?;
/// assert_eq!(tasks.find(|t| t.done.ge(Percent(50))).count().await?, 1);
/// # tasks.client().command("HSET").key(tasks.key(&1)).arg(("done", 101)).exec().await?;
/// # assert_eq!(tasks.get(&1).await.map(drop).unwrap_err().kind(), ErrorKind::Decode);
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a field",
    note = "an enum or a struct with one unnamed field: add `#[derive(RedisValue)]` to it",
    note = "a struct with named fields: derive `RedisNested` for it, and put `#[redis(nested)]` on the field"
)]
pub trait RedisValue: Sized + Send + Sync + 'static {
    /// What a filter compares with: the type itself, for options and lists that of their elements.
    type Item;

    /// What it is, to the layouts of other mappers.
    const KIND: ValueKind = ValueKind::Other;

    /// Whether this is a list of items.
    const MANY: bool = false;

    /// Whether this is a map, of values or of lists of them.
    const MAP: bool = false;

    /// Whether the twelve digits that a sortable NUMERIC index gives back are always the whole
    /// value: so it is for integers and `f32`. Others are read from the document itself.
    const EXACT_IN_INDEX: bool = false;

    /// Whether a TAG index of it regards the case of letters even without `case_sensitive`: so it
    /// is for references.
    const CASE_SENSITIVE: bool = false;

    /// Appends the value as a hash field holds it.
    ///
    /// # Errors
    /// `Value` when the field could not give the same value back, or its index would not find it.
    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()>;

    /// Reads a hash field.
    ///
    /// # Errors
    /// `Decode` when the bytes are no such value.
    fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Self>;

    /// Whether [`RedisValue::from_hash_text`] is faster.
    #[doc(hidden)]
    const TEXT: bool = false;

    /// As [`RedisValue::from_hash`], of bytes that are known to be UTF-8.
    ///
    /// # Errors
    /// The same.
    #[doc(hidden)]
    fn from_hash_text(text: &str, field: &FieldSchema) -> Result<Self> {
        Self::from_hash(text.as_bytes(), field)
    }

    /// Appends the value as JSON text.
    ///
    /// # Errors
    /// As [`RedisValue::to_hash`].
    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()>;

    /// Reads JSON text.
    ///
    /// # Errors
    /// As [`RedisValue::from_hash`].
    fn from_json(json: &str, field: &FieldSchema) -> Result<Self>;

    /// Whether the field is left out of the document.
    fn is_absent(&self) -> bool {
        false
    }

    /// The value of a field that is not in the document; `None` where that is an error.
    fn absent() -> Option<Self> {
        None
    }
}

/// What can be an element of a stored list: every value but `u8`, since `Vec<u8>` is bytes. Types
/// that derive [`RedisValue`](derive@crate::RedisValue) can.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(Debug, Clone, PartialEq, RedisValue)]
/// enum Suit {
///     Hearts,
///     Spades,
/// }
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "hand")]
/// struct Hand {
///     #[redis(id)]
///     id: u32,
///     suits: Vec<Suit>,
/// }
///
/// # let hands = client.repository::<Hand>().with_namespace(namespace);
/// hands.save(&Hand { id: 1, suits: vec![Suit::Spades, Suit::Hearts] }).await?;
/// let stored: String = client.command("HGET").key(hands.key(&1)).arg("suits").await?;
/// assert_eq!(stored, r#"["Spades","Hearts"]"#);
/// # Ok(()) });
/// ```
pub trait ListItem: RedisValue {}

/// What a `TEXT` index can hold: strings, options of them, and in JSON lists.
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(RedisModel)]
/// #[redis(json, prefix = "thing", index)]
/// struct Thing {
///     #[redis(id)]
///     id: u32,
///     #[redis(text)]
///     title: Option<String>,
/// }
/// # use alizarin::model::IndexKind;
/// # assert!(matches!(Thing::SCHEMA.fields[1].kind(), Some(IndexKind::Text { .. })));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be indexed as TEXT",
    note = "TEXT is for strings; numbers and dates take `numeric`, enums and ids `tag`"
)]
pub trait TextValue {}

/// What a `TAG` index can hold: strings, enums, booleans, whole numbers, ids, options and lists of
/// them.
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(RedisModel)]
/// #[redis(json, prefix = "thing", index)]
/// struct Thing {
///     #[redis(id)]
///     id: u32,
///     #[redis(tag)]
///     rooms: Vec<u32>,
/// }
/// # use alizarin::model::IndexKind;
/// # assert!(matches!(Thing::SCHEMA.fields[1].kind(), Some(IndexKind::Tag { .. })));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be indexed as TAG",
    note = "TAG is for strings, enums, booleans, whole numbers, ids and lists of them; floats and dates take `numeric`"
)]
pub trait TagValue {}

/// What a `NUMERIC` index can hold: numbers and dates, options of them, and in
/// JSON lists and maps.
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(RedisModel)]
/// #[redis(json, prefix = "thing", index)]
/// struct Thing {
///     #[redis(id)]
///     id: u32,
///     #[redis(numeric)]
///     until: std::time::SystemTime,
/// }
/// # use alizarin::model::IndexKind;
/// # assert!(matches!(Thing::SCHEMA.fields[1].kind(), Some(IndexKind::Numeric)));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be indexed as NUMERIC",
    note = "NUMERIC is for numbers and dates; strings, enums and ids take `tag`"
)]
pub trait NumericValue {}

/// What a `GEO` index can hold: [`GeoPoint`](super::GeoPoint)s, options of them, and in JSON
/// lists.
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(RedisModel)]
/// #[redis(json, prefix = "thing", index)]
/// struct Thing {
///     #[redis(id)]
///     id: u32,
///     #[redis(geo)]
///     place: Option<GeoPoint>,
/// }
/// # use alizarin::model::IndexKind;
/// # assert!(matches!(Thing::SCHEMA.fields[1].kind(), Some(IndexKind::Geo)));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be indexed as GEO",
    note = "GEO is for `GeoPoint`; `GeoShape` takes `geoshape`"
)]
pub trait GeoValue {}

/// What a `GEOSHAPE` index can hold: [`GeoShape`](super::GeoShape)s, options of them, and in JSON
/// lists.
///
/// ```
/// # use alizarin::prelude::*;
/// #[derive(RedisModel)]
/// #[redis(json, prefix = "thing", index)]
/// struct Thing {
///     #[redis(id)]
///     id: u32,
///     #[redis(geoshape(flat))]
///     outline: GeoShape,
/// }
/// # use alizarin::model::IndexKind;
/// # assert!(matches!(Thing::SCHEMA.fields[1].kind(), Some(IndexKind::GeoShape { flat: true })));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be indexed as GEOSHAPE",
    note = "GEOSHAPE is for `GeoShape`; `GeoPoint` takes `geo`"
)]
pub trait GeoShapeValue {}

/// What can be `unique`: values with one exact form. Strings, enums, booleans, whole numbers, ids,
/// dates and times, options of them.
///
/// A type that is stored by hand can be unique when its JSON form is a string or a whole number, the
/// same one for values that are the same:
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::UniqueValue;
///
/// #[derive(Debug, Clone, PartialEq, RedisValue)]
/// struct Email(String);
///
/// fn can_be_unique<T: UniqueValue>(_: &T) {}
/// can_be_unique(&Some(Email("ann@example.com".to_owned())));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be unique",
    note = "unique are strings, enums, booleans, whole numbers, ids and dates; floats, lists, maps and places have no one exact form"
)]
pub trait UniqueValue {}

macro_rules! through_option {
    ($($kind:ident)+) => { $(impl<T: $kind> $kind for Option<T> {})+ };
}

through_option!(TextValue TagValue NumericValue GeoValue GeoShapeValue UniqueValue);

impl<T: RedisValue> RedisValue for Option<T> {
    type Item = T::Item;
    const KIND: ValueKind = T::KIND;
    const MANY: bool = T::MANY;
    const MAP: bool = T::MAP;
    const EXACT_IN_INDEX: bool = T::EXACT_IN_INDEX;
    const CASE_SENSITIVE: bool = T::CASE_SENSITIVE;
    const TEXT: bool = T::TEXT;

    fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Some(value) => value.to_hash(field, out),
            None => Ok(()),
        }
    }

    fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<Option<T>> {
        T::from_hash(bytes, field).map(Some)
    }

    fn from_hash_text(text: &str, field: &FieldSchema) -> Result<Option<T>> {
        T::from_hash_text(text, field).map(Some)
    }

    fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Some(value) => value.to_json(field, out),
            None => {
                out.extend_from_slice(b"null");
                Ok(())
            }
        }
    }

    fn from_json(json: &str, field: &FieldSchema) -> Result<Option<T>> {
        match json.trim() {
            "null" => Ok(None),
            json => T::from_json(json, field).map(Some),
        }
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }

    fn absent() -> Option<Option<T>> {
        Some(None)
    }
}

/// The error for a value that cannot be stored.
fn refused(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Value, why)
}

/// Owned text. It is copied first, since what is aligned is checked faster.
fn owned(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec())
        .map_err(|error| Error::decode("text", "bytes that are not UTF-8").with_source(error))
}

/// A hash field's bytes as text.
fn utf8<'a>(bytes: &'a [u8], expected: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes)
        .map_err(|error| Error::decode(expected, "bytes that are not UTF-8").with_source(error))
}
