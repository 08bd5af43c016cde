//! Ids of entries.

use std::fmt;
use std::str::FromStr;

use alizarin_core::resp::Reader;

use crate::{Error, ErrorKind, FromReply, Result};

/// An entry's place in its stream: milliseconds since 1970, and a number among the entries of one
/// millisecond.
///
/// ```
/// use alizarin::streams::StreamId;
///
/// let id: StreamId = "1526919030474-55".parse()?;
/// assert_eq!((id.milliseconds, id.sequence), (1_526_919_030_474, 55));
/// assert!(id > StreamId::ZERO && id < StreamId::new(1_526_919_030_475, 0));
/// assert_eq!(id.to_string(), "1526919030474-55");
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub struct StreamId {
    /// Milliseconds since 1970.
    pub milliseconds: u64,
    /// The number among those of one millisecond.
    pub sequence: u64,
}

impl StreamId {
    /// Before every entry.
    pub const ZERO: StreamId = StreamId::new(0, 0);

    /// An id by its parts.
    pub const fn new(milliseconds: u64, sequence: u64) -> StreamId {
        StreamId { milliseconds, sequence }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.milliseconds, self.sequence)
    }
}

impl FromStr for StreamId {
    type Err = Error;

    fn from_str(text: &str) -> Result<StreamId> {
        let parts = text.split_once('-').and_then(|(milliseconds, sequence)| {
            Some(StreamId::new(milliseconds.parse().ok()?, sequence.parse().ok()?))
        });
        parts.ok_or_else(|| {
            Error::new(ErrorKind::Decode, format!("{text:?} is no id of a stream's entry"))
        })
    }
}

impl FromReply for StreamId {
    fn from_reply(reader: &mut Reader<'_>) -> Result<StreamId> {
        String::from_reply(reader)?.parse()
    }
}
