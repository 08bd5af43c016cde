//! The lengths in front of strings and aggregates, as far as they have come.

use super::scan::unknown;
use super::short;
use crate::error::Result;

/// What stands after a type byte.
pub(super) enum Header {
    /// A length, and where what follows it begins.
    Length(u64, usize),
    /// `-1`
    Null(usize),
    /// `?`
    Unknown(usize),
    /// More must come first.
    Missing,
}

/// Reads the number after the type byte at `at`.
#[inline]
pub(super) fn header(bytes: &[u8], at: usize) -> Result<Header> {
    match short::length(bytes, at) {
        Some((length, start)) => Ok(Header::Length(length as u64, start)),
        None => long_header(bytes, at),
    }
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "19 digits at most fit 64 bits; positions in bytes that are held in memory cannot overflow"
)]
fn long_header(bytes: &[u8], at: usize) -> Result<Header> {
    let mut value: u64 = 0;
    let mut digits = 0;
    for (past, byte) in bytes.get(at + 1..).unwrap_or_default().iter().enumerate() {
        match byte {
            b'0'..=b'9' if digits < 19 => {
                value = value * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b'\r' if digits > 0 => {
                let end = at + 1 + past;
                return match bytes.get(end + 1) {
                    Some(b'\n') => Ok(Header::Length(value, end + 2)),
                    Some(_) => Err(unknown(bytes, at)),
                    None => Ok(Header::Missing),
                };
            }
            b'-' | b'?' if past == 0 => return special(bytes, at),
            _ => return Err(unknown(bytes, at)),
        }
    }
    Ok(Header::Missing)
}

/// `-1` and `?`, the lengths that are none.
#[cold]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
fn special(bytes: &[u8], at: usize) -> Result<Header> {
    let rest = bytes.get(at + 1..).unwrap_or_default();
    if rest.starts_with(b"-1\r\n") {
        Ok(Header::Null(at + 5))
    } else if rest.starts_with(b"?\r\n") {
        Ok(Header::Unknown(at + 4))
    } else if b"-1\r\n".starts_with(rest) || b"?\r\n".starts_with(rest) {
        Ok(Header::Missing)
    } else {
        Err(unknown(bytes, at))
    }
}
