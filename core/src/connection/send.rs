//! One write to a socket, of whatever is still to be written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use super::outbox::Rest;
use super::stream::Stream;

/// So many pieces go in one write: a large value has a small one before and behind it.
const PIECES: usize = 32;

/// Writes once.
pub(crate) fn poll_write(
    stream: &mut Stream,
    rest: Rest<'_>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let written = match rest.as_one() {
        Some(bytes) => Pin::new(stream).poll_write(cx, bytes),
        None => {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let used = rest.gather(&mut slices);
            Pin::new(stream).poll_write_vectored(cx, slices.get(..used).unwrap_or_default())
        }
    };
    match written {
        Poll::Ready(Ok(0)) if !rest.is_empty() => {
            Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, "the socket takes no bytes")))
        }
        outcome => outcome,
    }
}

/// Writes what the socket takes at once, as [`Stream::try_write`].
pub(crate) fn try_write(stream: &mut Stream, rest: Rest<'_>) -> io::Result<usize> {
    match rest.as_one() {
        Some(bytes) => stream.try_write(bytes),
        None => {
            let mut slices = [IoSlice::new(&[]); PIECES];
            let used = rest.gather(&mut slices);
            stream.try_write_vectored(slices.get(..used).unwrap_or_default())
        }
    }
}
