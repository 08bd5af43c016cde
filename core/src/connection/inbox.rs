//! Bytes that arrive, cut into replies and pushes. No I/O.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::slots::Reply;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::streamed;
use crate::resp::{Limits, Scan, Scanner};

/// The least room that a read gets.
const ROOM: usize = 8 << 10;
/// The most room that a header's promise alone makes.
const TRUST: usize = 1 << 20;

/// The read buffer and what is known of its contents.
pub(crate) struct Inbox {
    buffer: BytesMut,
    scanner: Scanner,
    limits: Limits,
    /// Complete frames at the buffer's front. Invariant: their lengths add up to `scanned`.
    found: VecDeque<Found>,
    scanned: usize,
    /// How many of `found` are replies.
    replies: usize,
    /// How many bytes the frame that has begun wants at least.
    hint: usize,
}

#[derive(Clone, Copy)]
struct Found {
    len: usize,
    push: bool,
}

/// One thing from the inbox.
pub(crate) enum Item {
    Push(Bytes),
    Reply(Reply),
}

impl Inbox {
    pub(crate) fn new(limits: &Limits) -> Inbox {
        Inbox {
            buffer: BytesMut::new(),
            scanner: Scanner::new(*limits),
            limits: *limits,
            found: VecDeque::new(),
            scanned: 0,
            replies: 0,
            hint: 0,
        }
    }

    /// Forgets everything, for a new connection.
    pub(crate) fn clear(&mut self) {
        let limits = self.limits;
        *self = Inbox::new(&limits);
    }

    /// Whether a frame has begun that is not complete, or a reply waits to be taken.
    pub(crate) fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The buffer, with room for the next read.
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        if self.buffer.capacity() - self.buffer.len() < ROOM / 2 || self.hint > ROOM {
            // A promise is believed as far as a multiple of what has come already.
            let room = self.hint.min(TRUST.max(self.buffer.len())).max(ROOM);
            self.buffer.reserve(room);
        }
        &mut self.buffer
    }

    /// Gives back a large buffer that nothing needs at the moment.
    pub(crate) fn shrink(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > TRUST {
            self.buffer = BytesMut::new();
        }
    }

    /// Finds the frames in what has arrived.
    ///
    /// # Errors
    /// `Protocol`: the connection is of no use any more.
    pub(crate) fn scan(&mut self) -> Result<()> {
        self.hint = 0;
        while let Some(bytes) = self.buffer.get(self.scanned..).filter(|bytes| !bytes.is_empty()) {
            match self.scanner.scan(bytes)? {
                Scan::NeedMore { hint } => {
                    self.hint = hint;
                    break;
                }
                Scan::Frame { len, push, streamed } => {
                    let len = if streamed { self.normalize(len)? } else { len };
                    self.found.push_back(Found { len, push });
                    self.scanned += len;
                    self.replies += usize::from(!push);
                }
            }
        }
        Ok(())
    }

    /// The next push, or the reply of a request that `frames` frames answer; `None` waits for
    /// more bytes. `frames` is `None` when nothing is expected.
    ///
    /// # Errors
    /// `Protocol` for a reply that nobody expects.
    pub(crate) fn next(&mut self, frames: Option<u32>) -> Result<Option<Item>> {
        let Some(first) = self.found.front().copied() else { return Ok(None) };
        if first.push {
            self.found.pop_front();
            self.scanned -= first.len;
            return Ok(Some(Item::Push(self.buffer.split_to(first.len).freeze())));
        }
        let Some(frames) = frames else { return Err(self.unexpected(first.len)) };
        if self.replies < frames as usize {
            return Ok(None);
        }
        let mut total = 0;
        let mut left = frames;
        while left > 0 {
            let Some(found) = self.found.pop_front() else { break };
            if found.push {
                // Inside a reply of several frames: taken out, so that it counts as none.
                let push = Bytes::copy_from_slice(
                    self.buffer.get(total..total + found.len).unwrap_or_default(),
                );
                self.remove(total, found.len);
                // It comes out before the reply; the frames taken so far go back as one.
                self.restore(total, frames - left);
                return Ok(Some(Item::Push(push)));
            }
            total += found.len;
            left -= 1;
        }
        self.scanned -= total;
        self.replies -= frames as usize;
        Ok(Some(Item::Reply(Reply::cut(&mut self.buffer, total))))
    }

    /// Takes `len` bytes at `at` out of the buffer.
    fn remove(&mut self, at: usize, len: usize) {
        let end = self.buffer.len();
        self.buffer.copy_within(at + len..end, at);
        self.buffer.truncate(end - len);
        self.scanned -= len;
    }

    /// Puts back `frames` frames of `total` bytes. Only their sum matters: the first carries all.
    fn restore(&mut self, total: usize, frames: u32) {
        for n in (0..frames).rev() {
            let len = if n == 0 { total } else { 0 };
            self.found.push_front(Found { len, push: false });
        }
    }

    /// Replaces a frame with streamed parts by its plain form; gives its new length.
    fn normalize(&mut self, len: usize) -> Result<usize> {
        let tail = self.buffer.split_off(self.scanned + len);
        let frame = self.buffer.split_off(self.scanned);
        let plain = streamed::normalize(&frame)?;
        self.buffer.extend_from_slice(&plain);
        self.buffer.extend_from_slice(&tail);
        Ok(plain.len())
    }

    fn unexpected(&self, len: usize) -> Error {
        let frame = self.buffer.get(..len.min(200)).unwrap_or_default();
        // A server that refuses or ends a connection says why in an error that answers nothing.
        let text = String::from_utf8_lossy(frame);
        let text = text.trim_end();
        match text.strip_prefix('-') {
            Some(line) => Error::new(
                ErrorKind::Disconnected,
                format!("the server ended the connection: {line}"),
            ),
            None => Error::new(ErrorKind::Protocol, "a reply came that answers no request"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::FromReply;

    fn feed(inbox: &mut Inbox, bytes: &[u8]) {
        inbox.room().extend_from_slice(bytes);
        inbox.scan().unwrap();
    }

    fn list(reply: &Reply, count: usize) -> Vec<String> {
        let mut reader = reply.reader();
        let values = (0..count).map(|_| String::from_reply(&mut reader).unwrap()).collect();
        assert!(reader.is_empty());
        values
    }

    #[test]
    fn a_reply_of_several_frames_comes_whole_without_the_pushes_inside() {
        let wire = b"+a\r\n>2\r\n+x\r\n:1\r\n+b\r\n>1\r\n+y\r\n>1\r\n+z\r\n+c\r\n+next\r\n";
        for chunk in [1, 3, 7, wire.len()] {
            let mut inbox = Inbox::new(&Limits::default());
            let (mut pushes, mut replies) = (Vec::new(), Vec::new());
            for bytes in wire.chunks(chunk) {
                feed(&mut inbox, bytes);
                let expected = |replies: &Vec<Vec<String>>| if replies.is_empty() { 3 } else { 1 };
                while let Some(item) = inbox.next(Some(expected(&replies))).unwrap() {
                    match item {
                        Item::Push(push) => pushes.push(push),
                        Item::Reply(reply) => {
                            let count = expected(&replies) as usize;
                            replies.push(list(&reply, count));
                        }
                    }
                }
            }
            assert_eq!(replies, [vec!["a", "b", "c"], vec!["next"]], "chunks of {chunk}");
            assert_eq!(pushes, [&b">2\r\n+x\r\n:1\r\n"[..], b">1\r\n+y\r\n", b">1\r\n+z\r\n"]);
            assert!(!inbox.is_partial());
        }
    }

    #[test]
    fn an_unexpected_error_says_why_the_server_left() {
        let mut inbox = Inbox::new(&Limits::default());
        feed(&mut inbox, b"-ERR max number of clients reached\r\n");
        let error = inbox.next(None).err().unwrap();
        assert!(error.to_string().contains("max number of clients"));
    }

    #[test]
    fn a_promise_reserves_little() {
        let mut inbox = Inbox::new(&Limits::default());
        feed(&mut inbox, b"$500000000\r\nx");
        assert!(inbox.room().capacity() < 3 << 20);
    }
}
