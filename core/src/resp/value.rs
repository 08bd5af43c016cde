//! A reply of any shape, for those who ask for one.

use bytes::Bytes;

use super::{Frame, FromReply, Reader};
use crate::error::{Error, Result};

/// A reply as it came.
///
/// An error reply inside a list is an element; one that is the whole reply is an `Err`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A list.
    Array(Vec<Value>),
    /// A number beyond 64 bits, as digits.
    BigNumber(String),
    /// True or false.
    Boolean(bool),
    /// A string: any bytes.
    Bulk(Bytes),
    /// A float.
    Double(f64),
    /// An error inside a list.
    Error(String),
    /// An integer.
    Integer(i64),
    /// Keys and values, in the order they came.
    Map(Vec<(Value, Value)>),
    /// Nothing.
    Null,
    /// An out-of-band message.
    Push(Vec<Value>),
    /// A set.
    Set(Vec<Value>),
    /// A status line.
    Simple(String),
    /// Text with its format.
    Verbatim(String, Bytes),
}

impl Value {
    /// The text of a string, if it is UTF-8.
    ///
    /// ```
    /// assert_eq!(alizarin_core::Value::Simple("OK".into()).as_str(), Some("OK"));
    /// ```
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Bulk(bytes) | Value::Verbatim(_, bytes) => std::str::from_utf8(bytes).ok(),
            Value::Simple(text) | Value::BigNumber(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, if it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, of an integer or float.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the caller asked for a float: the nearest one is what it gets"
    )]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Double(value) => Some(*value),
            Value::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// The elements of a list, set or push.
    pub fn as_slice(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => Some(items),
            _ => None,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Value> {
        // Recursion is bounded by the scanner's depth limit.
        let items = |reader: &mut Reader<'_>, n: usize| {
            let mut items = Vec::with_capacity(room(reader, n));
            for _ in 0..n {
                items.push(Value::read(reader)?);
            }
            Ok::<_, Error>(items)
        };
        Ok(match reader.next()? {
            Frame::Simple(text) => Value::Simple(text.to_owned()),
            Frame::Error(text) => Value::Error(text.to_owned()),
            Frame::Integer(value) => Value::Integer(value),
            Frame::Double(value) => Value::Double(value),
            Frame::Boolean(value) => Value::Boolean(value),
            Frame::Null => Value::Null,
            Frame::BigNumber(digits) => Value::BigNumber(digits.to_owned()),
            Frame::Bulk(bytes) => Value::Bulk(reader.slice(bytes)),
            Frame::Verbatim(format, text) => Value::Verbatim(format.to_owned(), reader.slice(text)),
            Frame::Array(n) => Value::Array(items(reader, n)?),
            Frame::Set(n) => Value::Set(items(reader, n)?),
            Frame::Push(n) => Value::Push(items(reader, n)?),
            Frame::Map(n) => {
                let mut pairs = Vec::with_capacity(room(reader, n));
                for _ in 0..n {
                    pairs.push((Value::read(reader)?, Value::read(reader)?));
                }
                Value::Map(pairs)
            }
        })
    }
}

/// For how many elements room is made: the scanner has seen them all, and each takes three bytes at
/// least.
fn room(reader: &Reader<'_>, elements: usize) -> usize {
    elements.min(reader.remaining() / 3)
}

impl FromReply for Value {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Value> {
        match Value::read(reader)? {
            Value::Error(line) => Err(Error::server(&line)),
            value => Ok(value),
        }
    }
}
