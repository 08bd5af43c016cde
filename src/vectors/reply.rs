//! The replies of `VSIM`, in the shapes of both protocols.

use crate::resp::{Frame, Reader};
use crate::{Error, FromReply, Result};

/// An element as `VSIM … WITHSCORES` gives it.
#[derive(Debug, PartialEq)]
pub(super) struct Hit {
    pub(super) id: String,
    pub(super) score: f64,
    pub(super) attributes: Option<String>,
}

/// The reply to `VSIM … WITHSCORES`, with `WITHATTRIBS` where `A` says so: in RESP2 a flat list, in
/// RESP3 a map from each element to its score, or to its score and attributes.
pub(super) struct Hits<const ATTRIBUTES: bool>(pub(super) Vec<Hit>);

impl<const ATTRIBUTES: bool> FromReply for Hits<ATTRIBUTES> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Self> {
        let width = if ATTRIBUTES { 3 } else { 2 };
        let (n, keyed) = match reader.next()? {
            Frame::Map(n) => (n, true),
            Frame::Array(n) if n % width == 0 => (n / width, false),
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("elements with their scores", &frame.describe())),
        };
        let mut hits = Vec::new();
        for _ in 0..n {
            let id = String::from_reply(reader)?;
            if keyed && ATTRIBUTES {
                match reader.next()? {
                    Frame::Array(2) => {}
                    frame => {
                        return Err(Error::decode("a score and attributes", &frame.describe()));
                    }
                }
            }
            let score = f64::from_reply(reader)?;
            let attributes = if ATTRIBUTES { Option::from_reply(reader)? } else { None };
            hits.push(Hit { id, score, attributes });
        }
        Ok(Hits(hits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<const A: bool>(wire: &str) -> Result<Vec<Hit>> {
        Hits::<A>::from_reply(&mut Reader::new(wire.as_bytes())).map(|hits| hits.0)
    }

    #[test]
    fn both_protocols_give_the_same_hits() {
        let two =
            read::<true>("*6\r\n$1\r\na\r\n$3\r\n0.5\r\n$2\r\n{}\r\n$1\r\nb\r\n$1\r\n0\r\n$-1\r\n")
                .unwrap();
        let three =
            read::<true>("%2\r\n$1\r\na\r\n*2\r\n,0.5\r\n$2\r\n{}\r\n$1\r\nb\r\n*2\r\n,0\r\n_\r\n")
                .unwrap();
        assert_eq!(two, three);
        assert_eq!(two[0], Hit { id: "a".into(), score: 0.5, attributes: Some("{}".into()) });
        assert_eq!(
            read::<false>("*2\r\n$1\r\na\r\n$3\r\n0.5\r\n").unwrap(),
            read::<false>("%1\r\n$1\r\na\r\n,0.5\r\n").unwrap()
        );
    }

    #[test]
    fn odd_shapes_are_errors() {
        assert!(read::<true>("*2\r\n$1\r\na\r\n$3\r\n0.5\r\n").is_err());
        assert!(read::<false>("*1\r\n$1\r\na\r\n").is_err());
        assert!(read::<true>("%1\r\n$1\r\na\r\n,0.5\r\n").is_err());
        assert!(read::<false>("-ERR no\r\n").is_err());
    }
}
