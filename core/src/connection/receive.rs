//! A reply taken in as a connection does it, without one: what is counted where no server is.

use super::inbox::{Inbox, Item};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Limits, Reader};

/// Takes in a reply of so many frames that comes in pieces of so many bytes, and decodes it. Pushes
/// before it and in it are dropped.
///
/// # Errors
/// `Protocol` for what is no RESP, and for half a reply; the errors of `decode`.
#[doc(hidden)]
pub fn receive<T>(
    wire: &[u8],
    piece: usize,
    frames: u32,
    decode: impl FnOnce(&mut Reader<'_>) -> Result<T>,
) -> Result<T> {
    let mut inbox = Inbox::new(&Limits::default());
    let mut pieces = wire.chunks(piece.max(1));
    loop {
        while let Some(item) = inbox.next(Some(frames))? {
            if let Item::Reply(reply) = item {
                return decode(&mut reply.reader());
            }
        }
        let Some(mut bytes) = pieces.next() else {
            return Err(Error::new(ErrorKind::Protocol, "the reply is not complete"));
        };
        // As much at once as there is room, as a socket does.
        while !bytes.is_empty() {
            let room = inbox.room();
            let free = room.capacity().saturating_sub(room.len());
            let (now, later) = bytes.split_at_checked(free).unwrap_or((bytes, &[]));
            room.extend_from_slice(now);
            bytes = later;
            inbox.scan()?;
        }
    }
}
