//! Streamed types, which have no length in front, rewritten into those that have.
//!
//! No server is known to send them; the protocol has them. Only frames that hold one come here.

use super::Reader;
use crate::error::{Error, ErrorKind, Result};

/// The same frame with every length known.
///
/// # Errors
/// `Protocol` when the bytes are no complete frame.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
pub(crate) fn normalize(frame: &[u8]) -> Result<Vec<u8>> {
    /// An aggregate being copied: where its body begins, its type, and what it still needs.
    struct Level {
        start: usize,
        kind: u8,
        /// `None` until its `.`.
        left: Option<usize>,
        count: usize,
    }
    let mut out = Vec::with_capacity(frame.len());
    let mut levels: Vec<Level> = Vec::new();
    let mut rest = frame;
    while !rest.is_empty() {
        let line = memchr::memchr(b'\r', rest).ok_or_else(broken)?;
        let (head, tail) =
            (rest.get(..line).unwrap_or_default(), rest.get(line + 2..).unwrap_or_default());
        let kind = *head.first().ok_or_else(broken)?;
        let mut closed = false;
        match (kind, head.get(1..).unwrap_or_default()) {
            (b'.', _) => {
                let level = levels.pop().ok_or_else(broken)?;
                close(&mut out, level.start, level.kind, level.count)?;
                rest = tail;
                closed = true;
            }
            (b'$', b"?") => {
                let (text, after) = chunks(tail)?;
                out.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
                out.extend_from_slice(&text);
                out.extend_from_slice(b"\r\n");
                rest = after;
                closed = true;
            }
            (b'*' | b'~' | b'%' | b'>', b"?") => {
                levels.push(Level { start: out.len(), kind, left: None, count: 0 });
                rest = tail;
            }
            (b'*' | b'~' | b'%' | b'>' | b'|', _) => {
                let children = Reader::new(rest).next_raw()?.children();
                out.extend_from_slice(rest.get(..line + 2).unwrap_or_default());
                rest = tail;
                // An attribute is no element of what holds it: it is closed without being counted.
                levels.push(Level { start: out.len(), kind, left: Some(children), count: 0 });
            }
            _ => {
                let mut reader = Reader::new(rest);
                reader.next()?;
                let used = rest.len() - reader.remaining();
                out.extend_from_slice(rest.get(..used).unwrap_or_default());
                rest = rest.get(used..).unwrap_or_default();
                closed = true;
            }
        }
        // An element ended: so may the aggregates around it.
        let mut ended = closed;
        while let Some(level) = levels.last_mut() {
            if ended {
                level.count += 1;
                level.left = level.left.map(|left| left.saturating_sub(1));
            }
            if level.left != Some(0) {
                break;
            }
            ended = level.kind != b'|';
            levels.pop();
        }
    }
    Ok(out)
}

/// Puts the header of a streamed aggregate in front of its body.
fn close(out: &mut Vec<u8>, start: usize, kind: u8, count: usize) -> Result<()> {
    if kind == b'%' && !count.is_multiple_of(2) {
        return Err(Error::new(ErrorKind::Protocol, "a streamed map has a key without a value"));
    }
    let count = if kind == b'%' { count / 2 } else { count };
    let header = format!("{}{count}\r\n", char::from(kind));
    let body = out.split_off(start.min(out.len()));
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&body);
    Ok(())
}

/// The text of a streamed string, and what follows it.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "positions in bytes that are held in memory cannot overflow"
)]
fn chunks(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    loop {
        let line = memchr::memchr(b'\r', rest).ok_or_else(broken)?;
        let digits = rest.get(1..line).and_then(|digits| std::str::from_utf8(digits).ok());
        let len: usize = digits.and_then(|digits| digits.parse().ok()).ok_or_else(broken)?;
        let start = line + 2;
        if len == 0 {
            return Ok((text, rest.get(start..).unwrap_or_default()));
        }
        let end = start.checked_add(len).ok_or_else(broken)?;
        text.extend_from_slice(rest.get(start..end).ok_or_else(broken)?);
        rest = rest.get(end + 2..).ok_or_else(broken)?;
    }
}

#[cold]
fn broken() -> Error {
    Error::new(ErrorKind::Protocol, "a streamed reply ends before its end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::{FromReply as _, Value};

    fn value(wire: &[u8]) -> Value {
        Value::from_reply(&mut Reader::new(wire)).unwrap()
    }

    #[test]
    fn lengths_are_put_in_front() {
        for (streamed, definite) in [
            ("$?\r\n;2\r\nab\r\n;1\r\nc\r\n;0\r\n", "$3\r\nabc\r\n"),
            ("*?\r\n:1\r\n*2\r\n:2\r\n:3\r\n.\r\n", "*2\r\n:1\r\n*2\r\n:2\r\n:3\r\n"),
            ("*2\r\n%?\r\n+a\r\n:1\r\n.\r\n$?\r\n;0\r\n", "*2\r\n%1\r\n+a\r\n:1\r\n$0\r\n\r\n"),
            ("|1\r\n+a\r\n~?\r\n:1\r\n.\r\n*?\r\n.\r\n", "|1\r\n+a\r\n~1\r\n:1\r\n*0\r\n"),
        ] {
            let out = normalize(streamed.as_bytes()).unwrap();
            assert_eq!(String::from_utf8_lossy(&out), definite);
            assert_eq!(value(&out), value(definite.as_bytes()));
        }
        assert!(normalize(b"%?\r\n+a\r\n.\r\n").is_err());
    }
}
