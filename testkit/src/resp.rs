//! As much of RESP2 as test set-up needs: send words, read one reply, show it as text.

use std::io::{self, BufRead, Read, Write};

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Error(String),
    Integer(i64),
    List(Vec<Reply>),
    Nil,
    Text(String),
}

impl Reply {
    /// As `redis-cli --raw` shows it: a list is one element a line, nil is empty.
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Error(text) | Self::Text(text) => text,
            Self::Integer(number) => number.to_string(),
            Self::List(items) => {
                items.into_iter().map(Self::into_text).collect::<Vec<_>>().join("\n")
            }
            Self::Nil => String::new(),
        }
    }

    pub(crate) fn into_list(self) -> Vec<Reply> {
        if let Self::List(items) = self { items } else { Vec::new() }
    }
}

/// Writes one command.
pub(crate) fn write(to: &mut impl Write, words: &[&str]) -> io::Result<()> {
    let mut packet = format!("*{}\r\n", words.len());
    for word in words {
        packet.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    to.write_all(packet.as_bytes())
}

/// Reads one reply.
pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Reply> {
    read_nested(from, 0)
}

fn read_nested(from: &mut impl BufRead, depth: u8) -> io::Result<Reply> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    let Some(body) = line.strip_suffix(b"\r\n") else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let body = String::from_utf8_lossy(body).into_owned();
    let mut characters = body.chars();
    let (sign, rest) = (characters.next(), characters.as_str());
    match sign {
        Some('+') => Ok(Reply::Text(rest.to_owned())),
        Some('-') => Ok(Reply::Error(rest.to_owned())),
        Some(':') => Ok(Reply::Integer(number(rest)?)),
        Some('$') => read_bulk(from, number(rest)?),
        Some('*') if depth < 32 => read_list(from, number(rest)?, depth),
        _ => Err(malformed()),
    }
}

fn read_bulk(from: &mut impl BufRead, length: i64) -> io::Result<Reply> {
    let Ok(length) = u64::try_from(length) else { return Ok(Reply::Nil) };
    let mut bytes = Vec::new();
    // no allocation by a length that a peer only claims
    from.by_ref().take(length + 2).read_to_end(&mut bytes)?;
    let text = bytes.strip_suffix(b"\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(Reply::Text(String::from_utf8_lossy(text).into_owned()))
}

fn read_list(from: &mut impl BufRead, length: i64, depth: u8) -> io::Result<Reply> {
    if length < 0 {
        return Ok(Reply::Nil);
    }
    (0..length).map(|_| read_nested(from, depth + 1)).collect::<io::Result<_>>().map(Reply::List)
}

fn number(text: &str) -> io::Result<i64> {
    text.parse().map_err(|_| malformed())
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the peer does not speak RESP2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_shape() {
        let bytes = b"*6\r\n+OK\r\n:-3\r\n$5\r\nhe\r\nl\r\n$-1\r\n*-1\r\n-ERR no\r\n";
        let reply = read(&mut &bytes[..]).unwrap();
        assert_eq!(reply.clone().into_list().len(), 6);
        assert_eq!(reply.into_text(), "OK\n-3\nhe\r\nl\n\n\nERR no");
    }

    #[test]
    fn refuses_what_is_cut_or_foreign() {
        for bytes in
            [&b""[..], b"+OK", b"$5\r\nhe", b"*2\r\n:1\r\n", b"HTTP/1.1 200\r\n", b":x\r\n"]
        {
            assert!(read(&mut &*bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        let deep = b"*1\r\n".repeat(100);
        assert!(read(&mut &deep[..]).is_err());
    }

    #[test]
    fn writes_words() {
        let mut bytes = Vec::new();
        write(&mut bytes, &["SET", "k", ""]).unwrap();
        assert_eq!(bytes, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
    }
}
