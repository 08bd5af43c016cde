//! The few forms that nearly all replies are made of, read without loops: lengths of up to three
//! digits, and decimal numbers that a double holds exactly.
//!
//! Eight bytes are looked at together, as one word. Everything here may say `None` for what it does
//! not know; the general code then looks again.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "lengths have three digits at most, numbers no more than their types hold, a double \
              exactly; positions in bytes that are held in memory cannot overflow"
)]

/// Longer strings take the general way.
pub(super) const LONGEST: u64 = 999;

/// The longest line that [`line_end`] knows; no plain number is longer.
const LONGEST_LINE: usize = 24;

/// What a header looks like in a word: its bits without the digits', and what they are.
type Form = (u64, u64);

/// The form of a header in which each `0` is any digit.
const fn form(header: &[u8]) -> Form {
    let (mut mask, mut bits, mut at) = (0, 0, 0);
    while at < header.len() {
        if header[at] != b'0' {
            mask |= 0xff << (8 * at);
            bits |= (header[at] as u64) << (8 * at);
        }
        at += 1;
    }
    (mask, bits)
}

/// Headers of strings.
const FIRST: [Form; 3] = [form(b"$0\r\n"), form(b"$00\r\n"), form(b"$000\r\n")];
/// The same behind the end of what comes before.
const NEXT: [Form; 3] = [form(b"\r\n$0\r\n"), form(b"\r\n$00\r\n"), form(b"\r\n$000\r\n")];

/// Eight bytes, the first of them in the lowest bits.
#[inline(always)]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[inline(always)]
fn digit(byte: u8) -> Option<usize> {
    match byte.wrapping_sub(b'0') {
        digit @ 0..=9 => Some(usize::from(digit)),
        _ => None,
    }
}

/// The length in a header of one of these forms, whose first digit is the byte `at` of the word;
/// and where what follows the header begins.
#[inline(always)]
fn head(word: u64, forms: &[Form; 3], at: u32) -> Option<(usize, usize)> {
    let is = |(mask, bits): Form| word & mask == bits;
    let digit = |past: u32| digit((word >> (8 * (at + past))) as u8);
    let end = at as usize;
    if is(forms[0]) {
        return Some((digit(0)?, end + 3));
    }
    if is(forms[1]) {
        return Some((digit(0)? * 10 + digit(1)?, end + 4));
    }
    if is(forms[2]) {
        return Some((digit(0)? * 100 + digit(1)? * 10 + digit(2)?, end + 5));
    }
    None
}

/// The length in the header at `at`, of up to three digits, and where what follows it begins.
///
/// At least six bytes must be left, as any string's frame has.
#[inline(always)]
pub(super) fn length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let head: &[u8; 6] = bytes.get(at..)?.first_chunk()?;
    let mut length = digit(head[1])?;
    if head[2] == b'\r' {
        return (head[3] == b'\n').then_some((length, at + 4));
    }
    length = length * 10 + digit(head[2])?;
    if head[3] == b'\r' {
        return (head[4] == b'\n').then_some((length, at + 5));
    }
    length = length * 10 + digit(head[3])?;
    (head[4] == b'\r' && head[5] == b'\n').then_some((length, at + 6))
}

/// The length of the string whose frame begins at `at`, and where it begins itself.
#[inline(always)]
fn string_head(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    match word(bytes, at) {
        Some(word) => head(word, &FIRST, 1).map(|(length, start)| (length, at + start)),
        None => match last_head(bytes, at) {
            (_, 0) => None,
            (length, start) => Some((length as usize, at + start as usize)),
        },
    }
}

/// As [`string_head`], where less than eight bytes are left: from `at` on, and 0 where it is none. Two
/// small numbers come back in registers.
#[inline(never)]
fn last_head(bytes: &[u8], at: usize) -> (u32, u32) {
    let found = (bytes.get(at) == Some(&b'$')).then(|| length(bytes, at)).flatten();
    found.map_or((0, 0), |(length, start)| (length as u32, (start - at) as u32))
}

#[inline(always)]
fn ends(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..).and_then(<[u8]>::first_chunk) == Some(b"\r\n")
}

/// Where the string's frame that begins at `at` ends.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let (length, start) = string_head(bytes, at)?;
    let end = start + length;
    ends(bytes, end).then_some(end + 2)
}

/// Passes over at most `most` strings that follow each other, and a line's end before them; gives
/// where the last one's frame ends, and how many there are.
#[inline(never)]
pub(super) fn strings_end(bytes: &[u8], at: usize, most: u64) -> (usize, u64) {
    let (Some(mut end), Some(last)) = (at.checked_sub(2), bytes.len().checked_sub(8)) else {
        return string_end(bytes, at).map_or((at, 0), |end| (end, 1));
    };
    // A string's end is looked at together with the next one's header.
    let (mut before, mut left) = (end, most);
    while left > 0 && end <= last {
        let Some(word) = word(bytes, end) else { break };
        let Some((length, start)) = head(word, &NEXT, 3) else { break };
        before = end;
        end += start + length;
        left -= 1;
    }
    if left < most && !ends(bytes, end) {
        end = before;
        left += 1;
    }
    (end + 2, most - left)
}

/// The text of the line that begins at `at`, and where it ends, if it is short.
#[inline(always)]
pub(super) fn line(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let end = line_end(bytes, at)?;
    Some((bytes.get(at + 1..end - 2)?, end))
}

/// The place of the first byte of a word that is `byte`, in bits.
#[inline(always)]
fn place(word: u64, byte: u8) -> Option<u32> {
    const LOW: u64 = u64::MAX / 255;
    let zeros = word ^ (LOW * byte as u64);
    let found = zeros.wrapping_sub(LOW) & !zeros & (LOW << 7);
    (found != 0).then(|| found.trailing_zeros() & !7)
}

/// Where the line that begins at `at` ends, if it is short.
#[inline(always)]
pub(super) fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    while from < at + LONGEST_LINE
        && let Some(word) = word(bytes, from)
    {
        if let Some(place) = place(word, b'\r') {
            let end = from + place as usize / 8;
            return ends(bytes, end).then_some(end + 2);
        }
        from += 8;
    }
    last_line_end(bytes, from)
}

/// As [`line_end`], where less than eight bytes are left.
fn last_line_end(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let end = from + rest.iter().take(8).position(|byte| *byte == b'\r')?;
    ends(bytes, end).then_some(end + 2)
}

/// Where the last of a few elements without children ends, if all are short.
#[inline(always)]
pub(super) fn few_end(bytes: &[u8], mut at: usize, count: usize) -> Option<usize> {
    for _ in 0..count {
        at = match bytes.get(at)? {
            b'$' => string_end(bytes, at)?,
            b'+' | b':' | b',' | b'_' => line_end(bytes, at)?,
            _ => return None,
        };
    }
    Some(at)
}

/// The string whose frame begins at `at`, and where the frame ends.
#[inline(always)]
pub(super) fn string(bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let (length, start) = string_head(bytes, at)?;
    let rest = bytes.get(start..)?;
    // Looked at once: what lies before the line's end is there if that is.
    if rest.len() < length + 2 {
        return None;
    }
    Some((rest.get(..length)?, start + length + 2))
}

/// Powers of ten that a double holds exactly.
const TENS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The same as integers.
const WHOLE_TENS: [u64; 16] = {
    let (mut tens, mut at) = ([1; 16], 1);
    while at < 16 {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

/// What eight digits in a word are together.
#[inline(always)]
fn eight(digits: u64) -> u64 {
    let pairs = (digits & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(10 * 256 + 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 * 65_536 + 1) >> 16;
    (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 * (1 << 32) + 1) >> 32
}

/// The highest bit of each byte of a word that is no digit.
#[inline(always)]
fn no_digits(word: u64) -> u64 {
    const LOW: u64 = u64::MAX / 255;
    let zeros = word ^ (LOW * 0x30);
    // None of the additions carries: bytes from 128 on lose their highest bit before.
    (((zeros & (LOW * 0x7f)) + LOW * (0x80 - 10)) | zeros) & (LOW << 7)
}

/// Up to eight digits that begin at `at`, and how many there are.
#[inline(always)]
fn digits(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let word = word(bytes, at)?;
    let found = no_digits(word);
    if found == 0 {
        return Some((eight(word), 8));
    }
    let bits = found.trailing_zeros() & !7;
    if bits == 0 {
        return Some((0, 0));
    }
    // What is behind them goes, and zeros come before them.
    Some((eight(word << (64 - bits)), bits as usize / 8))
}

/// What this word's digits are together, of which only the last `count` are looked at.
#[inline(always)]
fn last_digits(word: u64, count: usize) -> Option<u64> {
    (no_digits(word) >> (64 - 8 * count) == 0).then(|| eight(word))
}

/// A text that is nothing but digits, up to eight of them.
#[inline(always)]
fn few_digits(text: &[u8]) -> Option<u64> {
    let count = text.len();
    // Two parts that may overlap: there they say the same.
    let word = match count {
        0 => return Some(0),
        1 => u64::from(text[0]),
        2 | 3 => {
            let (first, last) = (text.first_chunk()?, text.last_chunk()?);
            u64::from(u16::from_le_bytes(*first))
                | u64::from(u16::from_le_bytes(*last)) << (8 * (count - 2))
        }
        _ => {
            let (first, last) = (text.first_chunk()?, text.last_chunk()?);
            u64::from(u32::from_le_bytes(*first))
                | u64::from(u32::from_le_bytes(*last)) << (8 * (count - 4))
        }
    };
    last_digits(word << (64 - 8 * count), count)
}

/// A text that is nothing but digits, up to 19 of them.
#[inline(always)]
fn all_digits(text: &[u8]) -> Option<u64> {
    let Some((before, last)) = text.split_last_chunk() else { return few_digits(text) };
    let last = last_digits(u64::from_le_bytes(*last), 8)?;
    let before = match before.split_last_chunk() {
        None => few_digits(before)?,
        Some((first, _)) if first.len() > 3 => return None,
        Some((first, middle)) => {
            few_digits(first)? * 100_000_000 + last_digits(u64::from_le_bytes(*middle), 8)?
        }
    };
    Some(before * 100_000_000 + last)
}

/// An integer of up to 18 digits; mostly they are few.
#[inline]
pub fn integer(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 4 {
        return long_integer(text);
    }
    let mut value = 0;
    for byte in text {
        let Some(digit) = digit(*byte) else { return long_integer(text) };
        value = value * 10 + digit as i64;
    }
    Some(value)
}

#[inline(never)]
fn long_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let value = all_digits(digits)? as i64;
    Some(if negative { -value } else { value })
}

/// The number that these digits are with the last ones behind the point: one division of two exact
/// doubles, which rounds once, is the nearest double.
#[inline(always)]
fn ratio(negative: bool, whole: u64, fraction: u64, places: usize) -> Option<f64> {
    let value = (whole * WHOLE_TENS.get(places)? + fraction) as i64 as f64;
    let value = if places == 0 { value } else { value / TENS.get(places)? };
    Some(if negative { -value } else { value })
}

/// A whole text that is a decimal number of up to 15 digits without exponent.
#[inline]
pub fn decimal(text: &[u8]) -> Option<f64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    let Some(point) = text.iter().position(|byte| *byte == b'.') else {
        return ratio(negative, all_digits(text).filter(|_| text.len() < 16)?, 0, 0);
    };
    let (whole, fraction) = (text.get(..point)?, text.get(point + 1..)?);
    if whole.is_empty() || fraction.is_empty() {
        return None;
    }
    ratio(negative, all_digits(whole)?, all_digits(fraction)?, fraction.len())
}

/// The double whose frame begins at `at`, and where the frame ends; of up to seven digits on each
/// side of its point.
#[inline]
pub(super) fn double(bytes: &[u8], at: usize) -> Option<(f64, usize)> {
    if *bytes.get(at)? != b',' {
        return None;
    }
    let negative = *bytes.get(at + 1)? == b'-';
    let start = at + 1 + usize::from(negative);
    let (whole, count) = digits(bytes, start).filter(|(_, count)| matches!(count, 1..8))?;
    let mut end = start + count;
    let (mut fraction, mut places) = (0, 0);
    if *bytes.get(end)? == b'.' {
        (fraction, places) = digits(bytes, end + 1).filter(|(_, count)| matches!(count, 1..8))?;
        end += 1 + places;
    }
    ends(bytes, end).then_some((ratio(negative, whole, fraction, places)?, end + 2))
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
