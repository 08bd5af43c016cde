//! Requests, as a mock server reads them.

/// What the front of the bytes is.
pub(super) enum Request {
    /// One command, and how many bytes it took.
    Whole(Vec<Vec<u8>>, usize),
    /// More bytes are needed.
    Partial,
    /// No command at all.
    Malformed,
}

/// Looks for one command at the front of the bytes.
pub(super) fn request(bytes: &[u8]) -> Request {
    let mut at = 0;
    let count = match number(bytes, &mut at, b'*') {
        Ok(Some(count)) => count,
        Ok(None) => return Request::Partial,
        Err(Foreign) => return Request::Malformed,
    };
    let mut words = Vec::new();
    for _ in 0..count {
        let length = match number(bytes, &mut at, b'$') {
            Ok(Some(length)) => length,
            Ok(None) => return Request::Partial,
            Err(Foreign) => return Request::Malformed,
        };
        let Some(end) = at.checked_add(length) else { return Request::Malformed };
        match (bytes.get(at..end), bytes.get(end..end.saturating_add(2))) {
            (Some(word), Some(b"\r\n")) => words.push(word.to_vec()),
            (Some(_), Some(_)) => return Request::Malformed,
            _ => return Request::Partial,
        }
        at = end + 2;
    }
    Request::Whole(words, at)
}

struct Foreign;

/// A line of a sign and a number, and the place after it.
fn number(bytes: &[u8], at: &mut usize, sign: u8) -> Result<Option<usize>, Foreign> {
    let rest = bytes.get(*at..).unwrap_or_default();
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else {
        return if rest.len() > 32 { Err(Foreign) } else { Ok(None) };
    };
    let line = rest.get(..end).unwrap_or_default();
    let digits = line.strip_prefix(&[sign]).ok_or(Foreign)?;
    let value = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    *at += end + 2;
    value.map(Some).ok_or(Foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_commands_however_they_are_split() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$4\r\na\r\nb\r\n*1\r\n$4\r\nPING\r\n";
        for cut in 0..23 {
            assert!(matches!(request(&bytes[..cut]), Request::Partial), "{cut}");
        }
        let Request::Whole(words, used) = request(bytes) else { panic!("a command") };
        assert_eq!((words[1].as_slice(), used), (&b"a\r\nb"[..], 23));
        assert!(matches!(request(b"GET / HTTP/1.1\r\n"), Request::Malformed));
        assert!(matches!(request(b"*1\r\n$1\r\nab\r\n"), Request::Malformed));
    }
}
