//! The bytes that answer one request. No I/O.

use bytes::{Bytes, BytesMut};

use crate::resp::Reader;

/// Replies up to this size live in the slot, so that they do not pin the read buffer.
const INLINE: usize = 120;

/// All frames of one request's reply.
pub(crate) enum Reply {
    /// Invariant: `len <= INLINE`.
    Inline { len: u8, bytes: [u8; INLINE] },
    /// A view of the read buffer.
    Shared(Bytes),
}

/// Where a reply is left for whoever wants it: it is large, and is moved little.
pub(crate) type Place = Option<Reply>;

impl Reply {
    /// Cuts the first `len` bytes from `buffer`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::indexing_slicing,
        reason = "`len` is at most INLINE, which fits a byte, and at most the buffer's length"
    )]
    pub(crate) fn cut(buffer: &mut BytesMut, len: usize) -> Reply {
        let len = len.min(buffer.len());
        if len > INLINE {
            return Reply::Shared(buffer.split_to(len).freeze());
        }
        let mut bytes = [0; INLINE];
        bytes[..len].copy_from_slice(&buffer[..len]);
        bytes::Buf::advance(buffer, len);
        Reply::Inline { len: len as u8, bytes }
    }

    /// The reply's bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Reply::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Reply::Shared(bytes) => bytes,
        }
    }

    /// The reply's bytes, to be kept.
    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Reply::Inline { .. } => Bytes::copy_from_slice(self.as_bytes()),
            Reply::Shared(bytes) => bytes,
        }
    }

    /// A reader over the reply.
    pub(crate) fn reader(&self) -> Reader<'_> {
        match self {
            Reply::Inline { len, bytes } => {
                Reader::new(bytes.get(..usize::from(*len)).unwrap_or_default())
            }
            Reply::Shared(bytes) => Reader::shared(bytes),
        }
    }
}
