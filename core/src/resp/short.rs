//! The few forms that nearly all replies are made of, read without loops: lengths of up to three
//! digits, and decimal numbers that a double holds exactly.
//!
//! Everything here may say `None` for what it does not know; the general code then looks again.

/// Longer strings take the general way.
pub(super) const LONGEST: u64 = 999;

/// The length in the header at `at`, of up to three digits, and where what follows it begins.
///
/// At least six bytes must be left, as any string's frame has.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "six bytes are there, and three digits at most; positions in bytes that are held in memory cannot overflow"
)]
pub(super) fn length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let head: &[u8; 6] = bytes.get(at..)?.first_chunk()?;
    let digit = |at: usize| match head[at].wrapping_sub(b'0') {
        digit @ 0..=9 => Some(usize::from(digit)),
        _ => None,
    };
    let mut length = digit(1)?;
    if head[2] == b'\r' {
        return (head[3] == b'\n').then_some((length, at + 4));
    }
    length = length * 10 + digit(2)?;
    if head[3] == b'\r' {
        return (head[4] == b'\n').then_some((length, at + 5));
    }
    length = length * 10 + digit(3)?;
    (head[4] == b'\r' && head[5] == b'\n').then_some((length, at + 6))
}

/// Where the string's frame that begins at `at` ends.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    if *bytes.get(at)? != b'$' {
        return None;
    }
    let (length, start) = length(bytes, at)?;
    let end = start + length;
    let tail: &[u8; 2] = bytes.get(end..)?.first_chunk()?;
    (tail == b"\r\n").then_some(end + 2)
}

/// Passes over at most `most` strings that follow each other; gives where the last one's frame
/// ends, and how many there are.
#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
pub(super) fn strings_end(bytes: &[u8], mut at: usize, most: u64) -> (usize, u64) {
    let mut passed = 0;
    while passed < most {
        let Some(end) = string_end(bytes, at) else { break };
        at = end;
        passed += 1;
    }
    (at, passed)
}

/// The text of the line that begins at `at`, and where it ends, if it is short.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a line has its kind in front and CRLF at its end"
)]
pub(super) fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let end = line_end(bytes, at)?;
    Some((bytes.get(at + 1..end - 2)?, end))
}

/// Where the line that begins at `at` ends, if it is no longer than any plain number.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
pub(super) fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let line = bytes.get(at..)?;
    let end = line.iter().take(24).position(|byte| *byte == b'\r')?;
    (line.get(end + 1) == Some(&b'\n')).then_some(at + end + 2)
}

/// The string whose frame begins at `at`, and where the frame ends.
#[inline(always)]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
pub(super) fn string(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    if *bytes.get(at)? != b'$' {
        return None;
    }
    let (length, start) = length(bytes, at)?;
    let end = start + length;
    let value = bytes.get(start..end)?;
    (end + 2 <= bytes.len()).then_some((value, end + 2))
}

/// Powers of ten that a double holds exactly.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A decimal number of up to 15 digits without exponent, and how many bytes it takes: one division
/// of two exact doubles, which rounds once, is the nearest double.
#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_precision_loss,
    reason = "17 bytes at most are looked at; 15 digits are exact in a double"
)]
fn decimal_prefix(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mut value, mut point) = (0u64, None);
    let mut at = start;
    while let Some(byte) = text.get(at) {
        match byte.wrapping_sub(b'0') {
            digit @ 0..=9 => value = value.wrapping_mul(10).wrapping_add(u64::from(digit)),
            _ if *byte == b'.' && point.is_none() && at > start => point = Some(at),
            _ => break,
        }
        at += 1;
        if at - start > 16 {
            return None;
        }
    }
    let fraction = point.map_or(0, |point| at - point - 1);
    let digits = at - start - usize::from(point.is_some());
    if digits == 0 || digits > 15 || (point.is_some() && fraction == 0) {
        return None;
    }
    let value = value as f64 / TENS.get(fraction)?;
    Some((if negative { -value } else { value }, at))
}

/// A whole text that is a decimal number of up to 15 digits without exponent.
#[inline]
pub fn decimal(text: &[u8]) -> Option<f64> {
    decimal_prefix(text).filter(|(_, len)| *len == text.len()).map(|(value, _)| value)
}

/// The double whose frame begins at `at`, and where the frame ends.
#[inline]
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
pub(super) fn double(bytes: &[u8], at: usize) -> Option<(f64, usize)> {
    let line = bytes.get(at..)?.strip_prefix(b",")?;
    let (value, len) = decimal_prefix(line)?;
    (line.get(len..)?.first_chunk() == Some(b"\r\n")).then_some((value, at + len + 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_strings_end_where_they_end() {
        for n in [0, 1, 9, 10, 99, 100, 999] {
            let frame = format!("$${n}\r\n{}\r\n", "x".repeat(n));
            let at = 1;
            let Some((value, end)) = string(frame.as_bytes(), at) else { panic!("{n}") };
            assert_eq!((value.len(), end), (n, frame.len()));
            assert_eq!(string_end(frame.as_bytes(), at), Some(frame.len()));
            let cut = frame.len() - 1;
            assert!(string(&frame.as_bytes()[..cut], at).is_none());
            assert!(string_end(&frame.as_bytes()[..cut], at).is_none());
        }
        for other in ["$1000\r\nx", "$-1\r\n+x\r\n", "$?\r\n;1\r\n", "$1\rxa\r\n", "$a\r\nbcde"] {
            assert!(string_end(other.as_bytes(), 0).is_none(), "{other:?}");
        }
        assert!(string_end(b"$1\r\nabc\r\n", 0).is_none());
    }

    #[test]
    fn decimals_are_what_the_standard_library_reads() {
        for text in ["0", "-0", "63", "1.5", "-12.25", "0.1", "999999999999999", "123456.789012345"]
        {
            let (read, expected) =
                (decimal(text.as_bytes()).unwrap(), text.parse::<f64>().unwrap());
            assert_eq!(read.to_bits(), expected.to_bits(), "{text}");
        }
        for other in ["", "-", ".5", "5.", "1e3", "inf", "1.2.3", "1234567890123456", "+1"] {
            assert!(decimal(other.as_bytes()).is_none(), "{other}");
        }
    }
}
