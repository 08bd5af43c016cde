//! The forms of other object mappers: what a model with `layout` reads and writes.
//!
//! A mapper's own file says all that is its own. The values read the table of their field's layout.

mod alizarin;
mod dotnet;
mod fit;
mod node;
mod python;
mod redisvl;
mod spring;
mod time;

use crate::{Error, ErrorKind, Result};

pub(super) use fit::layout_misfit;
#[cfg(any(feature = "chrono", feature = "time"))]
pub(super) use time::layout_offset;
pub(super) use time::{read_time, read_time_text, write_time};

/// Which object mapper's keys, documents and indexes a model has: `#[redis(layout = "..")]`.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{DocumentWriter, Layout, Storage};
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "shop:card", layout = "redis-om-python", index)]
/// struct Card {
///     #[redis(id)]
///     pk: String,
///     #[redis(tag)]
///     valid: bool,
/// }
///
/// assert_eq!(Card::SCHEMA.layout, Layout::RedisOmPython);
/// assert_eq!(Card::SCHEMA.index.map(|index| index.name), Some("shop:card:index"));
/// let mut writer = DocumentWriter::new(Storage::Hash);
/// writer.document(&Card { pk: "a".into(), valid: true })?;
/// let (set, _) = writer.into_hash();
/// assert_eq!(set.arguments().collect::<Vec<_>>(), [&b"pk"[..], b"a", b"valid", b"1"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Layout {
    /// Our own: without `layout`.
    #[default]
    Alizarin,
    /// Redis OM .NET: `redis-om-dotnet`.
    RedisOmDotnet,
    /// Redis OM for Node.js: `redis-om-node`.
    RedisOmNode,
    /// Redis OM Python: `redis-om-python`.
    RedisOmPython,
    /// Redis OM Spring: `redis-om-spring`.
    RedisOmSpring,
    /// `RedisVL`: `redisvl`.
    Redisvl,
}

impl Layout {
    /// The word for it in `#[redis(layout = "..")]`.
    ///
    /// ```
    /// use alizarin::model::Layout;
    ///
    /// assert_eq!(Layout::RedisOmNode.name(), "redis-om-node");
    /// ```
    pub const fn name(self) -> &'static str {
        self.forms().name
    }

    /// The separator of a TAG field of such values, where the field does not say its own. Derived
    /// code calls it.
    #[doc(hidden)]
    pub const fn separator(self, kind: ValueKind) -> char {
        match kind {
            ValueKind::Boolean => self.forms().boolean_separator,
            _ => self.forms().separator,
        }
    }

    pub(crate) const fn is_native(self) -> bool {
        matches!(self, Layout::Alizarin)
    }

    /// Whether a struct without values is told apart from none wherever it is stored.
    pub(crate) const fn marks_empty_structs(self) -> bool {
        self.is_native() || !self.forms().nested_in_hash
    }

    pub(crate) const fn forms(self) -> &'static Forms {
        match self {
            Layout::Alizarin => &alizarin::FORMS,
            Layout::RedisOmDotnet => &dotnet::FORMS,
            Layout::RedisOmNode => &node::FORMS,
            Layout::RedisOmPython => &python::FORMS,
            Layout::RedisOmSpring => &spring::FORMS,
            Layout::Redisvl => &redisvl::FORMS,
        }
    }
}

/// What a value is, to a layout: it decides on the form. Of lists and options that of what is inside;
/// of enums text or an integer, as they are stored.
///
/// ```
/// use std::time::SystemTime;
///
/// use alizarin::model::{RedisValue, ValueKind};
///
/// assert_eq!(<Option<SystemTime>>::KIND, ValueKind::Time);
/// assert_eq!(<Vec<String>>::KIND, ValueKind::Text);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueKind {
    /// `bool`
    Boolean,
    /// Bytes.
    Bytes,
    /// A day.
    Date,
    /// A decimal number.
    Decimal,
    /// A length of time.
    Duration,
    /// A float.
    Float,
    /// An integer of at most 64 bits.
    Integer,
    /// Any JSON.
    Json,
    /// A day with a time and no zone.
    LocalTime,
    /// A map.
    Map,
    /// A time with the offset of its place.
    OffsetTime,
    /// What is stored by hand: as its own code says.
    Other,
    /// A point on Earth.
    Place,
    /// The id of another document.
    Reference,
    /// A shape.
    Shape,
    /// Text, and what is stored as text.
    Text,
    /// A moment.
    Time,
    /// A time of the day.
    TimeOfDay,
    /// A vector.
    Vector,
    /// An integer of more than 64 bits.
    WideInteger,
}

impl ValueKind {
    /// Several of them, for messages.
    const fn plural(self) -> &'static str {
        match self {
            ValueKind::Boolean => "booleans",
            ValueKind::Bytes => "bytes",
            ValueKind::Date => "dates",
            ValueKind::Decimal => "decimals",
            ValueKind::Duration => "durations",
            ValueKind::Float => "floats",
            ValueKind::Integer => "integers",
            ValueKind::Json => "`Json`",
            ValueKind::LocalTime => "times without a zone",
            ValueKind::Map => "maps",
            ValueKind::OffsetTime => "times with an offset",
            ValueKind::Other => "values stored by hand",
            ValueKind::Place => "points",
            ValueKind::Reference => "references",
            ValueKind::Shape => "shapes",
            ValueKind::Text => "text",
            ValueKind::Time => "times in UTC",
            ValueKind::TimeOfDay => "times of the day",
            ValueKind::Vector => "vectors",
            ValueKind::WideInteger => "integers of 128 bits",
        }
    }
}

/// What one mapper stores in its own way.
#[derive(Debug)]
pub(crate) struct Forms {
    /// The word for it.
    name: &'static str,
    /// `false` and `true` in a hash.
    pub(crate) booleans: [&'static str; 2],
    /// Whether a whole float has a `.0` in a hash.
    pub(crate) point_zero: bool,
    /// Whether numbers are doubles, so that integers beyond 2^53 are none.
    pub(crate) doubles: bool,
    times: Unit,
    dates: Unit,
    /// Whether bytes are base64 in a hash too.
    pub(crate) base64: bool,
    #[cfg_attr(
        not(feature = "rust_decimal"),
        expect(dead_code, reason = "only those of `rust_decimal` are read")
    )]
    pub(crate) decimals: Decimals,
    /// Whether what is absent is `null` in JSON; else there is no member.
    pub(crate) nulls: bool,
    /// How a list of tags is one field of a hash.
    pub(crate) lists: Lists,
    /// How JSON paths of the index are written.
    pub(crate) paths: Paths,
    /// Whether what is nested has its own name alone in the index.
    pub(crate) bare_names: bool,
    /// Whether the prefix of the index ends in the key's colon.
    pub(crate) colon: bool,
    separator: char,
    /// That of booleans; NUL where none is named, and the server has its own.
    boolean_separator: char,
    /// What a hash can hold.
    hash: &'static [ValueKind],
    /// What JSON can hold.
    json: &'static [ValueKind],
    /// Whether a hash can hold nested structs.
    nested_in_hash: bool,
}

/// What times and dates count, since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// Nanoseconds of times, days of dates.
    Own,
    Milliseconds,
    /// A float with so many digits behind the point.
    Seconds(u32),
}

/// How a decimal number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decimals {
    /// By the index: a number under a NUMERIC one, else text.
    Own,
    /// As the float that is nearest, or the integer that it is.
    Float,
    /// All its digits: text in a hash, a number in JSON.
    Number,
}

/// How a list of tags is one field of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    /// It cannot be.
    None,
    /// The items with the separator between them.
    Joined,
    /// The same, with a backslash before punctuation.
    Escaped,
}

/// Appends an item of an escaped list.
///
/// # Errors
/// `Value` for one with a backslash, which does not come back.
pub(crate) fn escape_tag(item: &[u8], out: &mut Vec<u8>) -> Result<()> {
    const ESCAPED: &[u8] = b",.<>{}[]\"':;!@#$%^&*()-+=~|/";
    for byte in item {
        if *byte == b'\\' {
            let message = "an item of this list cannot hold a backslash: it marks others";
            return Err(Error::new(ErrorKind::Value, message));
        }
        if ESCAPED.contains(byte) {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    Ok(())
}

/// How a JSON path is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paths {
    /// `$.a`, `$.tags[*]`
    Dots,
    /// `$["a"]`, `$["tags"][*]`
    Brackets,
    /// `$.a`, `$.tags`: lists are looked into without being told.
    Whole,
}
