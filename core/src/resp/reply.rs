//! From a reply straight into the caller's type.

use bytes::Bytes;

use super::{Frame, Reader};
use crate::error::{Error, ErrorKind, Result};

/// A type that decodes itself from a reply.
///
/// It takes exactly one element, with its children, from the reader; a wrong shape is an error
/// that says what was expected and what came, and never disturbs other replies.
///
/// ```
/// use alizarin_core::{FromReply, resp::Reader};
/// let pair = <(String, i64)>::from_reply(&mut Reader::new(b"*2\r\n$1\r\na\r\n:1\r\n"))?;
/// assert_eq!(pair, ("a".to_owned(), 1));
/// # Ok::<(), alizarin_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be decoded from a Redis reply",
    note = "use `Option` for what may be missing, `Value` for any shape; a raw command whose \
            reply is not needed ends in `.exec()`"
)]
pub trait FromReply: Sized {
    /// Takes one value from the reader.
    ///
    /// # Errors
    /// `Server` for an error reply, `Decode` for another shape, `Protocol` for broken bytes.
    fn from_reply(reader: &mut Reader<'_>) -> Result<Self>;

    /// How many bytes one takes besides those of its texts and lists: a cache counts them.
    #[doc(hidden)]
    const HELD: usize = size_of::<Self>();

    /// Takes a list of such values: what `Vec<Self>` decodes by. Bytes (`u8`) and pairs have
    /// list forms of their own.
    ///
    /// # Errors
    /// As [`FromReply::from_reply`].
    #[doc(hidden)]
    fn list_from_reply(reader: &mut Reader<'_>) -> Result<Vec<Self>> {
        super::collections::list(reader)
    }
}

/// The next element, with error replies turned into errors.
pub(crate) fn expect<'a>(reader: &mut Reader<'a>) -> Result<Frame<'a>> {
    match reader.next()? {
        Frame::Error(line) => Err(Error::server(line)),
        frame => Ok(frame),
    }
}

#[cold]
pub(crate) fn mismatch(expected: &str, frame: &Frame<'_>) -> Error {
    Error::decode(expected, &frame.describe())
}

/// The bytes of a string-like element.
pub(crate) fn expect_bytes<'a>(reader: &mut Reader<'a>, expected: &str) -> Result<&'a [u8]> {
    match expect(reader)? {
        Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => Ok(bytes),
        Frame::Simple(text) | Frame::BigNumber(text) => Ok(text.as_bytes()),
        frame => Err(mismatch(expected, &frame)),
    }
}

/// Owned text. It is copied first, since what is aligned is checked faster.
#[inline]
fn text(bytes: &[u8]) -> Result<String> {
    String::from_utf8(bytes.to_vec()).map_err(|_| not_text())
}

#[cold]
fn not_text() -> Error {
    Error::decode("UTF-8 text", "bytes that are not UTF-8")
}

impl FromReply for String {
    #[inline]
    fn from_reply(reader: &mut Reader<'_>) -> Result<String> {
        match reader.short_string() {
            Some(bytes) => match reader.taken_text(bytes.len()) {
                Some(text) => Ok(text.to_owned()),
                None => text(bytes),
            },
            None => long_text(reader),
        }
    }
}

/// Text in any of its forms.
fn long_text(reader: &mut Reader<'_>) -> Result<String> {
    match expect(reader)? {
        Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => text(bytes),
        Frame::Simple(text) | Frame::BigNumber(text) => Ok(text.to_owned()),
        Frame::Integer(value) => Ok(value.to_string()),
        Frame::Double(value) => Ok(value.to_string()),
        Frame::Boolean(value) => Ok(value.to_string()),
        frame => Err(mismatch("a string", &frame)),
    }
}

impl FromReply for Bytes {
    /// Copies nothing: a view of the reply's buffer.
    fn from_reply(reader: &mut Reader<'_>) -> Result<Bytes> {
        let bytes = expect_bytes(reader, "bytes")?;
        Ok(reader.slice(bytes))
    }
}

/// One small number; a `Vec<u8>` is bytes.
impl FromReply for u8 {
    fn from_reply(reader: &mut Reader<'_>) -> Result<u8> {
        let value = integer(reader)?;
        u8::try_from(value)
            .map_err(|_| Error::decode("an integer that fits u8", &value.to_string()))
    }

    fn list_from_reply(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
        Ok(expect_bytes(reader, "bytes")?.to_vec())
    }
}

/// Verbatim text with its format (`txt`, `mkd`); plain strings count as `txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the two parts are all that RESP3 has")]
pub struct Verbatim {
    /// Three letters.
    pub format: String,
    /// The text.
    pub text: String,
}

impl FromReply for Verbatim {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Verbatim> {
        let format = match reader.peek()? {
            Frame::Verbatim(format, _) => format.to_owned(),
            _ => "txt".to_owned(),
        };
        Ok(Verbatim { format, text: String::from_reply(reader)? })
    }
}

impl FromReply for bool {
    /// `#t`, `1`, `OK` and their opposites; null is `false`, as for a refused `SET … NX`.
    #[inline]
    fn from_reply(reader: &mut Reader<'_>) -> Result<bool> {
        if reader.take(b"+OK\r\n") {
            return Ok(true);
        }
        match expect(reader)? {
            Frame::Boolean(value) => Ok(value),
            Frame::Integer(0) | Frame::Null => Ok(false),
            Frame::Integer(1) => Ok(true),
            Frame::Bulk(b"1") | Frame::Simple("OK" | "1") => Ok(true),
            Frame::Bulk(b"0") | Frame::Simple("0") => Ok(false),
            frame => Err(mismatch("a boolean", &frame)),
        }
    }
}

impl FromReply for () {
    /// Any reply but an error.
    #[inline]
    fn from_reply(reader: &mut Reader<'_>) -> Result<()> {
        if reader.take(b"+OK\r\n") {
            return Ok(());
        }
        if let Frame::Error(line) = reader.peek()? {
            return Err(Error::server(line));
        }
        reader.skip()
    }
}

/// An integer in any of its forms.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole number of 53 bits at most, in its branch"
)]
fn integer(reader: &mut Reader<'_>) -> Result<i128> {
    let frame = expect(reader)?;
    let text = match &frame {
        Frame::Integer(value) => return Ok(i128::from(*value)),
        Frame::Boolean(value) => return Ok(i128::from(*value)),
        // What RESP2 writes as text: a score, a sum. Beyond 2^53 a double is no exact integer.
        Frame::Double(value)
            if value.trunc() == *value && value.abs() <= 9_007_199_254_740_992.0 =>
        {
            return Ok(*value as i128);
        }
        Frame::Bulk(bytes) => std::str::from_utf8(bytes).unwrap_or("not text"),
        Frame::Simple(text) | Frame::BigNumber(text) => text,
        _ => return Err(mismatch("an integer", &frame)),
    };
    text.parse().map_err(|_| mismatch("an integer", &frame))
}

macro_rules! integers {
    ($($type:ty)+) => {$(
        impl FromReply for $type {
            fn from_reply(reader: &mut Reader<'_>) -> Result<$type> {
                let value = integer(reader)?;
                <$type>::try_from(value).map_err(|_| {
                    Error::decode(concat!("an integer that fits ", stringify!($type)), &value.to_string())
                })
            }
        }
    )+};
}

integers!(i8 i16 i32 i64 i128 isize u16 u32 u64 u128 usize);

/// The nearest `f32`, which is what whoever asks for one gets.
#[expect(clippy::cast_possible_truncation, reason = "the nearest one is asked for")]
fn narrow(value: f64) -> f32 {
    value as f32
}

macro_rules! floats {
    ($($type:ident, $narrow:expr;)+) => {$(
        impl FromReply for $type {
            #[inline]
            fn from_reply(reader: &mut Reader<'_>) -> Result<$type> {
                match reader.short_double() {
                    Some(value) => Ok($narrow(value)),
                    None => long_float::$type(reader),
                }
            }
        }
    )+};
}

/// Floats in any of their forms.
mod long_float {
    use super::{Frame, Reader, Result, expect, mismatch, narrow};

    macro_rules! floats {
        ($($type:ident, $narrow:expr;)+) => {$(
            #[inline(never)]
            pub(in super::super) fn $type(reader: &mut Reader<'_>) -> Result<$type> {
                let frame = expect(reader)?;
                match &frame {
                    Frame::Double(value) => Ok($narrow(*value)),
                    #[expect(clippy::cast_precision_loss, reason = "the nearest one is asked for")]
                    Frame::Integer(value) => Ok(*value as $type),
                    Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => std::str::from_utf8(bytes)
                        .ok()
                        .and_then(|text| text.parse().ok())
                        .ok_or_else(|| mismatch("a number", &frame)),
                    Frame::Simple(text) => text.parse().map_err(|_| mismatch("a number", &frame)),
                    _ => Err(mismatch("a number", &frame)),
                }
            }
        )+};
    }

    floats!(f32, narrow; f64, std::convert::identity;);
}

floats!(f32, narrow; f64, std::convert::identity;);

impl<T: FromReply> FromReply for Option<T> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Option<T>> {
        if may_be_null(reader) && reader.peek()? == Frame::Null {
            reader.skip()?;
            return Ok(None);
        }
        T::from_reply(reader).map(Some)
    }
}

/// Whether null can come next, by its first bytes.
#[inline]
fn may_be_null(reader: &Reader<'_>) -> bool {
    match reader.rest() {
        [b'$' | b'*', length, ..] => *length == b'-',
        [b':' | b',' | b'+' | b'%', ..] => false,
        _ => true,
    }
}

/// One reply that may be an error, where the others beside it still count: an element of a
/// pipeline or of `EXEC`.
impl<T: FromReply> FromReply for Result<T> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Result<T>> {
        let start = reader.clone();
        match T::from_reply(reader) {
            Ok(value) => Ok(Ok(value)),
            Err(error) if error.kind() == ErrorKind::Protocol => Err(error),
            Err(error) => {
                *reader = start;
                reader.skip()?;
                Ok(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_score_is_an_integer_in_both_protocols() {
        for wire in [",3\r\n", "$1\r\n3\r\n", ",3.0\r\n"] {
            assert_eq!(u64::from_reply(&mut Reader::new(wire.as_bytes())).unwrap(), 3);
        }
        for wire in [",3.5\r\n", "$3\r\n3.5\r\n", ",inf\r\n", ",nan\r\n", ",1e300\r\n"] {
            assert!(u64::from_reply(&mut Reader::new(wire.as_bytes())).is_err(), "{wire:?}");
        }
    }
}
