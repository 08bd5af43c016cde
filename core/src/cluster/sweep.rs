//! One page of a scan (`SCAN`) over all primaries, and the cursor that leads on from there. No I/O.

use std::sync::Arc;

use bytes::Bytes;

use super::map::Map;
use super::node::Node;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Frame, FromReply, Packed, Parcel, Pieces, Reader};

/// How far down a cursor's bits the node's number stands: no server uses as many for its own.
const CURSOR: u32 = 48;

/// A page that is asked for.
pub(super) struct Sweep {
    /// The number of the primary that is asked.
    number: usize,
    /// Where that one goes on.
    inner: u64,
    words: Vec<Vec<u8>>,
}

/// An empty page, the last one.
const END: &[u8] = b"*2\r\n$1\r\n0\r\n*0\r\n";

impl Sweep {
    /// What the arguments ask for.
    ///
    /// # Errors
    /// `Usage` for a cursor that is none.
    pub(super) fn new(arguments: &[&[u8]], map: &Map) -> Result<Sweep> {
        let cursor = arguments.get(1).and_then(|text| std::str::from_utf8(text).ok());
        let cursor: Option<u64> = cursor.and_then(|text| text.parse().ok());
        let usage = |text| Error::new(ErrorKind::Usage, text).with_command("SCAN");
        let cursor = cursor.ok_or_else(|| usage("the cursor is no number"))?;
        let number = usize::try_from(cursor >> CURSOR).unwrap_or(usize::MAX);
        if map.tour.at(number).is_none() {
            return Err(usage("the cursor is not one of this cluster's"));
        }
        let words = arguments.iter().map(|word| word.to_vec()).collect();
        Ok(Sweep { number, inner: cursor & ((1 << CURSOR) - 1), words })
    }

    /// Whom to ask, and what; `None` when there is nobody left to be asked.
    pub(super) fn next(&mut self, map: &Map) -> Option<(Arc<Node>, Parcel)> {
        let stop = map.tour.at(self.number).flatten()?;
        if stop.number != self.number {
            // Another's cursor means nothing to it.
            (self.number, self.inner) = (stop.number, 0);
        }
        let inner = self.inner.to_string();
        let mut packed = Packed::new();
        for (at, word) in self.words.iter().enumerate() {
            packed.push(if at == 1 { inner.as_bytes() } else { word });
        }
        let mut out = Pieces::default();
        packed.write_pieces(&mut out);
        Some((Arc::clone(&stop.node), out.into()))
    }

    /// Whether whoever is asked is still the one to be asked.
    pub(super) fn holds(&self, map: &Map) -> bool {
        map.tour.at(self.number).flatten().is_some_and(|stop| stop.number == self.number)
    }

    /// Whether the scan ends with this page, as far as the map knows.
    pub(super) fn is_last(&self, reply: &[u8], map: &Map) -> bool {
        matches!(cursor(&mut Reader::new(reply)), Ok(Some(0)))
            && map.tour.after(self.number).is_none()
    }

    /// The page with the cursor that goes on from there, or at the next node.
    ///
    /// # Errors
    /// `Protocol`.
    pub(super) fn page(&self, reply: &Bytes, map: &Map) -> Result<Vec<u8>> {
        let mut reader = Reader::new(reply);
        let Some(inner) = cursor(&mut reader)? else { return Ok(reply.to_vec()) };
        if inner >> CURSOR != 0 {
            return Err(Error::new(ErrorKind::Protocol, "the server's cursor has too many bits"));
        }
        let cursor = match (inner, map.tour.after(self.number)) {
            (0, Some(next)) => (next as u64) << CURSOR,
            (0, None) => 0,
            (inner, _) => (self.number as u64) << CURSOR | inner,
        };
        let cursor = cursor.to_string();
        let mut out = format!("*2\r\n${}\r\n{cursor}\r\n", cursor.len()).into_bytes();
        let rest = reply.len().saturating_sub(reader.remaining());
        out.extend_from_slice(reply.get(rest..).unwrap_or_default());
        Ok(out)
    }

    /// What stands for the page of nobody.
    pub(super) fn end() -> Bytes {
        Bytes::from_static(END)
    }
}

/// The cursor of a page; `None` where the reply is none.
fn cursor(reader: &mut Reader<'_>) -> Result<Option<u64>> {
    if !matches!(reader.next()?, Frame::Array(2)) {
        return Ok(None);
    }
    let text = String::from_reply(reader)?;
    text.parse().map(Some).map_err(|_| Error::decode("a cursor", &text))
}
