//! Ids and the keys made of them.

use std::fmt;

use crate::{Error, ErrorKind, Result};

/// What can identify a document: it becomes the end of the key, and is read back from it. A key is
/// taken for a document's only if the id read from it writes itself so.
///
/// Strings, integers, `Ulid`, `Uuid`, and what derives [`RedisValue`](derive@crate::RedisValue).
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
    note = "strings, integers, `Ulid` and `Uuid` can"
)]
pub trait ModelId: Clone + fmt::Debug + PartialEq + Send + Sync + 'static {
    /// Appends the id as text. Called by repositories.
    fn write_id(&self, out: &mut String);

    /// Reads the id from text. Called by repositories.
    ///
    /// # Errors
    /// `Decode` when the text is no such id.
    fn parse_id(text: &str) -> Result<Self>;
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
    ($($type:ty),+ $(,)?) => {$(
        impl ModelId for $type {
            fn write_id(&self, out: &mut String) {
                use fmt::Write as _;
                // Writing to a `String` cannot fail.
                let _ = write!(out, "{self}");
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

parsed!(i8, i16, i32, i64, i128, u8, u16, u32, u64, u128);
#[cfg(feature = "ulid")]
parsed!(ulid::Ulid);
#[cfg(feature = "uuid")]
parsed!(uuid::Uuid);
