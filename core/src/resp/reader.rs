//! A pull reader over complete replies.

use bytes::Bytes;

use super::short;
use crate::error::{Error, ErrorKind, Result};

/// One element of a reply. Aggregates give their number of direct children, which the reader
/// yields next.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// `+OK`
    Simple(&'a str),
    /// `-ERR …` or `!…`, without the sign.
    Error(&'a str),
    /// `:1`
    Integer(i64),
    /// `,1.5`
    Double(f64),
    /// `#t`
    Boolean(bool),
    /// `_`, `$-1` or `*-1`
    Null,
    /// `(123…`: digits with their sign.
    BigNumber(&'a str),
    /// `$…`: any bytes.
    Bulk(&'a [u8]),
    /// `=…`: the three-letter format and the text.
    Verbatim(&'a str, &'a [u8]),
    /// `*n`
    Array(usize),
    /// `~n`
    Set(usize),
    /// `%n`: `n` pairs, `2 n` elements.
    Map(usize),
    /// `>n`
    Push(usize),
}

impl Frame<'_> {
    /// What this element is, in words, for errors.
    pub fn describe(&self) -> String {
        match self {
            Frame::Simple(text) => format!("simple string {text:?}"),
            Frame::Error(text) => format!("error {text:?}"),
            Frame::Integer(value) => format!("integer {value}"),
            Frame::Double(value) => format!("double {value}"),
            Frame::Boolean(value) => format!("boolean {value}"),
            Frame::Null => "null".into(),
            Frame::BigNumber(_) => "big number".into(),
            Frame::Bulk(bytes) => format!("string of {} bytes", bytes.len()),
            Frame::Verbatim(_, text) => format!("verbatim text of {} bytes", text.len()),
            Frame::Array(n) => format!("array of {n}"),
            Frame::Set(n) => format!("set of {n}"),
            Frame::Map(n) => format!("map of {n}"),
            Frame::Push(n) => format!("push of {n}"),
        }
    }

    /// The number of elements the reader yields for this one's children.
    pub fn children(&self) -> usize {
        match *self {
            Frame::Array(n) | Frame::Set(n) | Frame::Push(n) => n,
            Frame::Map(n) => n.saturating_mul(2),
            _ => 0,
        }
    }
}

/// Reads elements of complete replies in order, without building a tree.
///
/// A type decodes itself by taking exactly one element (and its children) from the reader.
///
/// ```
/// use alizarin_core::resp::{Frame, Reader};
/// let mut reader = Reader::new(b"*2\r\n:1\r\n$1\r\na\r\n");
/// assert_eq!(reader.next()?, Frame::Array(2));
/// assert_eq!(reader.next()?, Frame::Integer(1));
/// assert_eq!(reader.next()?, Frame::Bulk(b"a"));
/// # Ok::<(), alizarin_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    /// Invariant: `at <= bytes.len()`.
    at: usize,
    /// The shared buffer that `bytes` is a view of, so that large values can be taken without a
    /// copy.
    backing: Option<&'a Bytes>,
    /// A part of `bytes` that is known to be UTF-8, and where it begins: where many texts are read,
    /// they are checked together.
    text: &'a str,
    text_at: usize,
}

/// So much is checked to be text at once.
const WINDOW: usize = 4_096;

/// With less than so much behind it a text is alone, or the last, and checked by itself.
const ALONE: usize = 64;

impl<'a> Reader<'a> {
    /// A reader over complete replies; incomplete ones give protocol errors.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0, backing: None, text: "", text_at: 0 }
    }

    /// A reader over a shared buffer: [`Reader::slice`] then copies nothing.
    pub fn shared(bytes: &'a Bytes) -> Reader<'a> {
        Reader { bytes, at: 0, backing: Some(bytes), text: "", text_at: 0 }
    }

    /// What was not read yet.
    #[doc(hidden)]
    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Takes the string that comes behind these bytes, if they come next and it has less than 1,000
    /// bytes; else takes nothing.
    #[doc(hidden)]
    #[inline(always)]
    pub fn string_behind<const N: usize>(&mut self, known: &[u8; N]) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        if rest.first_chunk() != Some(known) {
            return None;
        }
        let (value, end) = short::string(rest, N)?;
        self.at = self.at.wrapping_add(end);
        Some(value)
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The part of the buffer that `value`, which came from this reader, stands for.
    pub fn slice(&self, value: &[u8]) -> Bytes {
        match self.backing {
            Some(backing) if !value.is_empty() => backing.slice_ref(value),
            _ => Bytes::copy_from_slice(value),
        }
    }

    /// The next element, attributes passed over.
    ///
    /// # Errors
    /// `Protocol` when the bytes are not a complete reply.
    #[expect(clippy::should_implement_trait, reason = "it fails rather than ends")]
    #[inline]
    pub fn next(&mut self) -> Result<Frame<'a>> {
        match self.short_string() {
            Some(value) => Ok(Frame::Bulk(value)),
            None => self.other(),
        }
    }

    /// The next element if it is a string of less than 1,000 bytes.
    #[inline(always)]
    pub(crate) fn short_string(&mut self) -> Option<&'a [u8]> {
        let (value, end) = short::string(self.bytes, self.at)?;
        self.at = end;
        Some(value)
    }

    /// The string of so many bytes that was just taken, if it is text; mostly without looking at it.
    /// `None` also where it is alone: then looking at a copy of it, which is aligned, is faster.
    #[doc(hidden)]
    #[inline(always)]
    pub fn taken_text(&mut self, len: usize) -> Option<&'a str> {
        let end = self.at.wrapping_sub(2);
        let start = end.wrapping_sub(len);
        let known = start.wrapping_sub(self.text_at)..end.wrapping_sub(self.text_at);
        match self.text.get(known) {
            Some(text) => Some(text),
            None if self.bytes.len().wrapping_sub(end) < ALONE => None,
            None => {
                (self.text, self.text_at) = (check_text(self.bytes, start, len)?, start);
                self.text.get(..len)
            }
        }
    }

    /// Takes these bytes, if they come next.
    #[doc(hidden)]
    #[inline(always)]
    pub fn take<const N: usize>(&mut self, known: &[u8; N]) -> bool {
        let taken = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) == Some(known);
        self.at = self.at.wrapping_add(if taken { N } else { 0 });
        taken
    }

    /// The next element's bytes, if it is a string or a status line; else the element.
    ///
    /// # Errors
    /// As [`Reader::next`].
    #[inline]
    pub fn next_bytes(&mut self) -> Result<std::result::Result<&'a [u8], Frame<'a>>> {
        match self.short_string() {
            Some(value) => Ok(Ok(value)),
            None => self.other_bytes(),
        }
    }

    #[inline(never)]
    fn other_bytes(&mut self) -> Result<std::result::Result<&'a [u8], Frame<'a>>> {
        if self.bytes.get(self.at) == Some(&b'+')
            && let Some((value, end)) = short::line(self.bytes, self.at)
        {
            self.at = end;
            return Ok(Ok(value));
        }
        Ok(match self.other()? {
            Frame::Bulk(bytes) | Frame::Verbatim(_, bytes) => Ok(bytes),
            Frame::Simple(text) => Ok(text.as_bytes()),
            frame => Err(frame),
        })
    }

    /// The next element if it is a double of few digits.
    #[inline]
    pub(crate) fn short_double(&mut self) -> Option<f64> {
        let (value, end) = short::double(self.bytes, self.at)?;
        self.at = end;
        Some(value)
    }

    fn other(&mut self) -> Result<Frame<'a>> {
        let kind = *self.bytes.get(self.at).ok_or_else(truncated)?;
        match kind {
            b'$' => self.bulk(),
            b'|' => self.after_attributes(),
            b'%' | b'*' => match short::length(self.bytes, self.at) {
                Some((count, end)) => {
                    self.at = end;
                    Ok(if kind == b'%' { Frame::Map(count) } else { Frame::Array(count) })
                }
                None => self.uncommon(kind),
            },
            _ => self.uncommon(kind),
        }
    }

    /// Passes over attributes, and attributes inside them, without recursion.
    #[cold]
    #[expect(clippy::arithmetic_side_effects, reason = "`passing` is not 0 in this branch")]
    fn after_attributes(&mut self) -> Result<Frame<'a>> {
        let mut passing = 0usize;
        loop {
            let attribute = self.bytes.get(self.at) == Some(&b'|');
            let frame = self.next_raw()?;
            if attribute {
                passing = passing.saturating_add(frame.children());
            } else if passing == 0 {
                return Ok(frame);
            } else {
                passing = (passing - 1).saturating_add(frame.children());
            }
        }
    }

    /// The next element as it stands; an attribute looks like a map.
    pub(crate) fn next_raw(&mut self) -> Result<Frame<'a>> {
        match *self.bytes.get(self.at).ok_or_else(truncated)? {
            b'$' => self.bulk(),
            kind => self.uncommon(kind),
        }
    }

    /// How many bytes are still to be read.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "`at` is at most the length: each move is bounded by it"
    )]
    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next element without taking it.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub fn peek(&self) -> Result<Frame<'a>> {
        self.clone().next()
    }

    /// Passes over the next element and all its children, however deep.
    ///
    /// # Errors
    /// As [`Reader::next`].
    pub fn skip(&mut self) -> Result<()> {
        self.skip_many(1)
    }

    /// Passes over several elements and all their children.
    ///
    /// # Errors
    /// As [`Reader::next`].
    #[expect(clippy::arithmetic_side_effects, reason = "`left` is not 0 in the loop")]
    pub fn skip_many(&mut self, mut left: usize) -> Result<()> {
        while left > 0 {
            left = (left - 1).saturating_add(self.next()?.children());
        }
        Ok(())
    }

    fn bulk(&mut self) -> Result<Frame<'a>> {
        let len = self.header()?;
        if len < 0 {
            return Ok(Frame::Null);
        }
        Ok(Frame::Bulk(self.payload(len)?))
    }

    fn payload(&mut self, len: i64) -> Result<&'a [u8]> {
        let len = usize::try_from(len).map_err(|_| truncated())?;
        let end = self.at.checked_add(len).ok_or_else(truncated)?;
        let value = self.bytes.get(self.at..end).ok_or_else(truncated)?;
        self.at = end.checked_add(2).filter(|at| *at <= self.bytes.len()).ok_or_else(truncated)?;
        Ok(value)
    }

    fn uncommon(&mut self, kind: u8) -> Result<Frame<'a>> {
        Ok(match kind {
            b'+' => Frame::Simple(text(self.line()?)?),
            b'-' => Frame::Error(text(self.line()?)?),
            b':' => Frame::Integer(self.header()?),
            b',' => Frame::Double(double(self.line()?)?),
            b'#' => Frame::Boolean(self.line()? == b"t"),
            b'_' => {
                self.line()?;
                Frame::Null
            }
            b'(' => Frame::BigNumber(text(self.line()?)?),
            b'!' => {
                let len = self.header()?;
                Frame::Error(text(self.payload(len)?)?)
            }
            b'=' => {
                let len = self.header()?;
                let value = self.payload(len)?;
                match (value.get(..3), value.get(3), value.get(4..)) {
                    (Some(format), Some(b':'), Some(rest)) => Frame::Verbatim(text(format)?, rest),
                    _ => {
                        return Err(Error::new(
                            ErrorKind::Protocol,
                            "verbatim text without a format",
                        ));
                    }
                }
            }
            b'*' => match self.header()? {
                len if len < 0 => Frame::Null,
                len => Frame::Array(count(len)?),
            },
            b'~' => Frame::Set(self.header().and_then(count)?),
            b'%' | b'|' => Frame::Map(self.header().and_then(count)?),
            b'>' => Frame::Push(self.header().and_then(count)?),
            other => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    format!("unknown reply type {:?}", char::from(other)),
                ));
            }
        })
    }

    /// The text of the current line, type byte excluded; moves past it.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions in bytes that are held in memory cannot overflow"
    )]
    fn line(&mut self) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.at + 1..).ok_or_else(truncated)?;
        let end = memchr::memchr(b'\r', rest).ok_or_else(truncated)?;
        self.at = (self.at + end + 3).min(self.bytes.len());
        rest.get(..end).ok_or_else(truncated)
    }

    /// The number on the current line; moves past it.
    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "three digits at most")]
    fn header(&mut self) -> Result<i64> {
        if let Some((number, end)) = short::length(self.bytes, self.at) {
            self.at = end;
            return Ok(number as i64);
        }
        self.long_header()
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions in bytes that are held in memory cannot overflow; a digit is from 0 to 9"
    )]
    fn long_header(&mut self) -> Result<i64> {
        let mut at = self.at + 1;
        let mut negative = false;
        let mut value: i64 = 0;
        loop {
            match self.bytes.get(at) {
                // Negative numbers are summed downwards, so that i64::MIN is reached.
                Some(digit @ b'0'..=b'9') => {
                    let digit = i64::from(digit - b'0');
                    let digit = if negative { -digit } else { digit };
                    value = value
                        .checked_mul(10)
                        .and_then(|value| value.checked_add(digit))
                        .ok_or_else(|| Error::new(ErrorKind::Protocol, "number out of range"))?;
                }
                Some(b'-') if at == self.at + 1 => negative = true,
                Some(b'+') if at == self.at + 1 => {}
                Some(b'\r') if ends_in_digit(self.bytes, at) => break,
                Some(_) => return Err(Error::new(ErrorKind::Protocol, "not a number in a header")),
                None => return Err(truncated()),
            }
            at += 1;
        }
        self.at = (at + 2).min(self.bytes.len());
        Ok(value)
    }
}

/// The text that begins at `start`, of at least `len` bytes.
#[inline(never)]
fn check_text(bytes: &[u8], start: usize, len: usize) -> Option<&str> {
    let rest = bytes.get(start..)?;
    let mut end = rest.len().min(len.max(WINDOW));
    // Not inside of a letter.
    while end > len && rest.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end = end.saturating_sub(1);
    }
    let window = rest.get(..end)?;
    let error = match std::str::from_utf8(window) {
        Ok(text) => return Some(text),
        Err(error) => error,
    };
    let valid = window.get(..error.valid_up_to()).filter(|valid| valid.len() >= len)?;
    std::str::from_utf8(valid).ok()
}

/// Whether a digit stands before `at`.
#[inline]
#[expect(clippy::arithmetic_side_effects, reason = "`at` is behind the frame's kind")]
fn ends_in_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at - 1).is_some_and(u8::is_ascii_digit)
}

#[cold]
fn truncated() -> Error {
    Error::new(ErrorKind::Protocol, "a reply ends before its end")
}

fn count(len: i64) -> Result<usize> {
    usize::try_from(len).map_err(|_| Error::new(ErrorKind::Protocol, "negative element count"))
}

fn text(bytes: &[u8]) -> Result<&str> {
    // Error and status lines may quote the user's bytes: those that are no UTF-8 are cut off.
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => Ok(std::str::from_utf8(bytes.get(..error.valid_up_to()).unwrap_or_default())
            .unwrap_or_default()),
    }
}

fn double(line: &[u8]) -> Result<f64> {
    if let Some(value) = short::decimal(line) {
        return Ok(value);
    }
    let text = text(line)?;
    text.parse().map_err(|_| Error::new(ErrorKind::Protocol, format!("not a double: {text:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_digits() {
        for (wire, value) in [
            (":+7\r\n", 7),
            (":-9223372036854775808\r\n", i64::MIN),
            (":9223372036854775807\r\n", i64::MAX),
        ] {
            assert_eq!(Reader::new(wire.as_bytes()).next().unwrap(), Frame::Integer(value));
        }
        for wire in [":\r\n", ":-\r\n", ":+\r\n", ":9223372036854775808\r\n", ":1 \r\n"] {
            assert!(Reader::new(wire.as_bytes()).next().is_err(), "{wire:?}");
        }
    }
}
