//! Ids and the keys made of them.

use std::fmt;

use super::key::{parse_key, write_key};
use crate::{Error, ErrorKind, Result};

/// What can identify a document: it becomes the end of the key, and is read back from it. A key is
/// taken for a document's only if the id read from it writes itself so.
///
/// Strings, integers, `Ulid`, `Uuid`, what derives [`RedisValue`](derive@crate::RedisValue), and
/// tuples of up to four of these: the ids of models with several `#[redis(id)]` fields.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(Debug, Clone, PartialEq, RedisValue)]
/// struct Isbn(String);
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "book")]
/// struct Book {
///     #[redis(id)]
///     isbn: Isbn,
/// }
///
/// let books = client.repository::<Book>();
/// assert_eq!(books.key(&Isbn("0-441-47812-3".into())), "book:0-441-47812-3");
/// # let _ = namespace;
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a model's id",
    note = "strings, integers, `Ulid`, `Uuid`, types that derive `RedisValue`, and tuples of these can"
)]
pub trait ModelId: Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Appends the id as text. Called by repositories.
    fn write_id(&self, out: &mut String);

    /// Reads the id from text. Called by repositories.
    ///
    /// # Errors
    /// `Decode` when the text is no such id.
    fn parse_id(text: &str) -> Result<Self>;

    /// How many parts of a key it makes: more than one for tuples.
    const PARTS: usize = 1;

    /// Appends one part as text; the first has the number 0. Called by repositories.
    fn write_part(&self, _at: usize, out: &mut String) {
        self.write_id(out);
    }

    /// Reads the id from as many texts as it has parts. Called by repositories.
    ///
    /// # Errors
    /// As [`ModelId::parse_id`].
    fn parse_parts(parts: &[&str]) -> Result<Self> {
        match parts {
            [one] => Self::parse_id(one),
            _ => Err(wrong_parts(1)),
        }
    }
}

fn wrong_parts(count: usize) -> Error {
    Error::new(ErrorKind::Decode, format!("an id of {count} parts has others"))
}

macro_rules! tuples {
    ($($count:literal [$($text:literal)+] ($($type:ident $at:tt)+);)+) => {$(
        /// As text its parts stand in order with colons between them.
        impl<$($type: ModelId),+> ModelId for ($($type,)+) {
            const PARTS: usize = $count;

            fn write_id(&self, out: &mut String) {
                write_key(&[$($text),+], self, out);
            }

            fn parse_id(text: &str) -> Result<Self> {
                parse_key(&[$($text),+], text).ok_or_else(|| {
                    Error::new(
                        ErrorKind::Decode,
                        format!("{text:?} is no id of {} parts", Self::PARTS),
                    )
                })
            }

            fn write_part(&self, at: usize, out: &mut String) {
                match at {
                    $($at => self.$at.write_id(out),)+
                    _ => {}
                }
            }

            fn parse_parts(parts: &[&str]) -> Result<Self> {
                let mut parts = parts.iter();
                let id = ($(
                    $type::parse_id(parts.next().ok_or_else(|| wrong_parts(Self::PARTS))?)?,
                )+);
                match parts.next() {
                    None => Ok(id),
                    Some(_) => Err(wrong_parts(Self::PARTS)),
                }
            }
        }
    )+};
}

tuples! {
    2 ["" ":" ""] (A 0 B 1);
    3 ["" ":" ":" ""] (A 0 B 1 C 2);
    4 ["" ":" ":" ":" ""] (A 0 B 1 C 2 D 3);
}

impl ModelId for String {
    fn write_id(&self, out: &mut String) {
        out.push_str(self);
    }

    fn parse_id(text: &str) -> Result<String> {
        Ok(text.to_owned())
    }
}

macro_rules! parsed {
    ($write:expr; $($type:ty),+ $(,)?) => {$(
        impl ModelId for $type {
            fn write_id(&self, out: &mut String) {
                $write(self, out);
            }

            fn parse_id(text: &str) -> Result<$type> {
                text.parse().map_err(|error| {
                    Error::new(
                        ErrorKind::Decode,
                        format!("{text:?} is no id of type {}", stringify!($type)),
                    )
                    .with_source(error)
                })
            }
        }
    )+};
}

fn write_number(number: &impl itoa::Integer, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(*number));
}

#[cfg(any(feature = "ulid", feature = "uuid"))]
fn write_shown(id: &impl fmt::Display, out: &mut String) {
    use fmt::Write as _;
    // Writing to a `String` cannot fail.
    let _ = write!(out, "{id}");
}

parsed!(write_number; i8, i16, i32, i64, i128, u8, u16, u32, u64, u128);
#[cfg(feature = "ulid")]
parsed!(write_shown; ulid::Ulid);
#[cfg(feature = "uuid")]
parsed!(write_shown; uuid::Uuid);
