//! Bytes that arrive, cut into replies and pushes. No I/O.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::reply::Reply;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::streamed;
use crate::resp::{Limits, Scan, Scanner};

/// The least room that a read gets.
const ROOM: usize = 8 << 10;
/// The most room that a header's promise alone makes.
const TRUST: usize = 64 << 10;
/// So many times what has come of a frame is believed of its promise: a large value has its room
/// at the second allocation, and who promises much has to send much.
const FAITH: usize = 64;
/// A buffer that grew beyond this is given back once it is empty.
const KEEP: usize = 1 << 20;

/// The read buffer and what is known of its contents.
pub(crate) struct Inbox {
    /// Replies, complete and incomplete; pushes are taken out as they are found.
    buffer: BytesMut,
    scanner: Scanner,
    limits: Limits,
    /// Complete frames, in order. Invariant: the replies' lengths add up to `scanned`.
    found: VecDeque<Found>,
    scanned: usize,
    /// How many of `found` are replies.
    replies: usize,
    /// The pushes. Invariant: one for each push in `found`, behind `loose` others.
    pushes: VecDeque<Bytes>,
    loose: usize,
    /// How many bytes the frame that has begun wants at least.
    hint: usize,
    /// The largest that the buffer has been since it was made.
    largest: usize,
    /// How long the last reply was that was not small.
    usual: usize,
}

#[derive(Clone, Copy)]
enum Found {
    Push,
    Reply {
        len: usize,
        /// Whether it has to be normalized.
        streamed: bool,
    },
}

/// One thing from the inbox.
pub(crate) enum Item {
    Push(Bytes),
    Reply(Reply),
}

impl Item {
    pub(crate) fn into_reply(self) -> Option<Reply> {
        match self {
            Item::Reply(reply) => Some(reply),
            Item::Push(_) => None,
        }
    }
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
            pushes: VecDeque::new(),
            loose: 0,
            hint: 0,
            largest: 0,
            usual: 0,
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

    /// Whether it has no room at all.
    pub(crate) fn is_bare(&self) -> bool {
        self.buffer.capacity() == 0
    }

    /// Whether a part of a reply has come, or all of it: pushes answer nobody.
    pub(crate) fn has_reply(&self) -> bool {
        self.buffer.first().is_some_and(|kind| *kind != b'>')
    }

    /// How much of replies has come that was not taken.
    pub(crate) fn held(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes the frame that has begun wants at least.
    pub(crate) fn missing(&self) -> usize {
        self.hint
    }

    /// The buffer, with room for the next read.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions in a buffer in memory, within what the scanner found; counts of what is held in memory cannot overflow"
    )]
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        // All of it can be used again once the last reply was dropped; later that costs a copy.
        if self.buffer.is_empty() && self.buffer.capacity() < self.usual {
            let _ = self.buffer.try_reclaim(self.usual);
        }
        let free = self.buffer.capacity() - self.buffer.len();
        // A promise is believed as far as a multiple of what has come already.
        let believed = TRUST.max(self.buffer.len() * FAITH);
        // What is missing of a large frame may be little, and would cost a copy of all of it.
        let suffices = self.buffer.len() > TRUST && (1..=free).contains(&self.hint);
        if free < ROOM / 2 && !suffices || free < self.hint && self.hint <= believed {
            let mut room = self.hint.min(believed).max(ROOM);
            if !self.buffer.try_reclaim(room) {
                // The last reply is still in use. What comes may be as long: growing step by step
                // would copy it.
                room = room.max(self.usual);
                self.usual = 0;
            }
            self.buffer.reserve(room);
            self.largest = self.largest.max(self.buffer.capacity());
        }
        &mut self.buffer
    }

    /// Gives back a large buffer that nothing needs at the moment, or of which little is left.
    pub(crate) fn shrink(&mut self) {
        if self.buffer.is_empty() && self.largest > KEEP {
            self.buffer = BytesMut::new();
            self.largest = 0;
        }
    }

    /// Gives back all room: nothing comes at the moment.
    pub(crate) fn empty(&mut self) {
        if self.buffer.is_empty() && self.found.is_empty() && self.pushes.is_empty() {
            (self.buffer, self.largest, self.usual) = (BytesMut::new(), 0, 0);
            (self.found, self.pushes) = (VecDeque::new(), VecDeque::new());
        }
    }

    /// Finds the frames in what has arrived.
    ///
    /// # Errors
    /// `Protocol`: the connection is of no use any more. What was found before it counts.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions in a buffer in memory, within what the scanner found; counts of what is held in memory cannot overflow"
    )]
    pub(crate) fn scan(&mut self) -> Result<()> {
        self.hint = 0;
        let mut at = self.scanned;
        // Bytes up to `kept` stay; between it and `at` lie pushes that were taken out.
        let mut kept = self.scanned;
        let mut outcome = Ok(());
        while let Some(bytes) = self.buffer.get(at..).filter(|bytes| !bytes.is_empty()) {
            if kept == at
                && let Some(len) = self.scanner.whole(bytes)
            {
                self.found.push_back(Found::Reply { len, streamed: false });
                self.replies += 1;
                at += len;
                kept = at;
                continue;
            }
            match self.scanner.scan(bytes) {
                Ok(Scan::Frame { len, push: true, streamed }) => {
                    match take(bytes, len, streamed) {
                        Ok(push) => {
                            self.pushes.push_back(push);
                            self.found.push_back(Found::Push);
                        }
                        Err(error) => outcome = Err(error),
                    }
                    at += len;
                }
                Ok(Scan::Frame { len, push: false, streamed }) => {
                    if kept < at {
                        self.buffer.copy_within(at..at + len, kept);
                    }
                    self.found.push_back(Found::Reply { len, streamed });
                    self.replies += 1;
                    at += len;
                    kept += len;
                }
                Ok(Scan::NeedMore { hint }) => {
                    self.hint = hint;
                    break;
                }
                Err(error) => outcome = Err(error),
            }
            if outcome.is_err() {
                break;
            }
        }
        if kept < at {
            let rest = self.buffer.len() - at;
            self.buffer.copy_within(at.., kept);
            self.buffer.truncate(kept + rest);
        }
        self.scanned = kept;
        outcome
    }

    /// The next push, or the reply of a request that `frames` frames answer; `None` waits for
    /// more bytes. `frames` is `None` when nothing is expected. Pushes come in order; those that
    /// arrived inside a reply of several frames come before it.
    ///
    /// # Errors
    /// `Protocol` for a reply that nobody expects.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions in a buffer in memory, within what the scanner found; counts of what is held in memory cannot overflow"
    )]
    pub(crate) fn next(&mut self, frames: Option<u32>) -> Result<Option<Item>> {
        if let (0, Some(1), Some(&Found::Reply { len, streamed: false })) =
            (self.loose, frames, self.found.front())
        {
            self.found.pop_front();
            return Ok(Some(Item::Reply(self.cut(len, 1))));
        }
        if self.loose > 0 {
            self.loose -= 1;
            return Ok(self.pushes.pop_front().map(Item::Push));
        }
        let frames = match (self.found.front(), frames) {
            (None, _) => return Ok(None),
            (Some(Found::Push), _) => {
                self.found.pop_front();
                return Ok(self.pushes.pop_front().map(Item::Push));
            }
            (Some(Found::Reply { len, .. }), None) => return Err(self.unexpected(*len)),
            (Some(Found::Reply { .. }), Some(frames)) => frames,
        };
        if frames > 1 && !self.pushes.is_empty() {
            // They do not wait for a reply that may take long.
            self.found.retain(|found| matches!(found, Found::Reply { .. }));
            self.loose = self.pushes.len() - 1;
            return Ok(self.pushes.pop_front().map(Item::Push));
        }
        if self.replies < frames as usize {
            return Ok(None);
        }
        let (mut total, mut any_streamed) = (0, false);
        for _ in 0..frames {
            if let Some(Found::Reply { len, streamed }) = self.found.pop_front() {
                total += len;
                any_streamed |= streamed;
            }
        }
        let reply = self.cut(total, frames as usize);
        if any_streamed {
            let plain = streamed::normalize(reply.as_bytes())?;
            return Ok(Some(Item::Reply(Reply::Shared(plain.into()))));
        }
        Ok(Some(Item::Reply(reply)))
    }

    /// Takes the first bytes, which are those of so many frames.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the frames that were found are in the buffer, and were counted"
    )]
    fn cut(&mut self, len: usize, frames: usize) -> Reply {
        self.scanned -= len;
        self.replies -= frames;
        if len > ROOM {
            self.usual = len.min(KEEP);
        }
        Reply::cut(&mut self.buffer, len)
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

/// A push frame, copied out of the buffer.
fn take(bytes: &[u8], len: usize, streamed: bool) -> Result<Bytes> {
    let frame = bytes.get(..len).unwrap_or_default();
    match streamed {
        true => streamed::normalize(frame).map(Bytes::from),
        false => Ok(Bytes::copy_from_slice(frame)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::FromReply;

    /// As much at once as there is room, as a socket does.
    fn feed(inbox: &mut Inbox, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = inbox.room();
            let (now, later) = bytes.split_at(bytes.len().min(room.capacity() - room.len()));
            room.extend_from_slice(now);
            bytes = later;
            inbox.scan().unwrap();
        }
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
    fn pushes_do_not_pile_up_behind_half_a_reply() {
        let mut inbox = Inbox::new(&Limits::default());
        feed(&mut inbox, b"+a\r\n");
        for _ in 0..1_000 {
            feed(&mut inbox, b">1\r\n+x\r\n>?\r\n+y\r\n.\r\n");
            for expected in [b">1\r\n+x\r\n", b">1\r\n+y\r\n"] {
                let Ok(Some(Item::Push(push))) = inbox.next(Some(2)) else { panic!("a push") };
                assert_eq!(push, &expected[..]);
            }
            assert!(inbox.next(Some(2)).unwrap().is_none());
            assert!(inbox.buffer.len() < 100 && inbox.found.len() == 1);
        }
        feed(&mut inbox, b"*?\r\n:1\r\n.\r\n");
        let Ok(Some(Item::Reply(reply))) = inbox.next(Some(2)) else { panic!("the reply") };
        let mut reader = reply.reader();
        assert_eq!(String::from_reply(&mut reader).unwrap(), "a");
        assert_eq!(Vec::<u64>::from_reply(&mut reader).unwrap(), [1]);
        assert!(!inbox.is_partial() && inbox.scanned == 0);
    }

    #[test]
    fn many_streamed_replies_in_one_read_are_linear() {
        let mut inbox = Inbox::new(&Limits::default());
        let count = 200_000;
        feed(&mut inbox, &b"*?\r\n.\r\n".repeat(count));
        for _ in 0..count {
            assert!(matches!(inbox.next(Some(1)), Ok(Some(Item::Reply(_)))));
        }
        assert!(inbox.next(Some(1)).unwrap().is_none());
    }

    #[test]
    fn the_rest_of_a_large_buffer_is_given_back_however_small_it_is() {
        let mut inbox = Inbox::new(&Limits::default());
        let mut reply = |len: usize| {
            feed(&mut inbox, format!("${len}\r\n{}\r\n", "x".repeat(len)).as_bytes());
            assert!(matches!(inbox.next(Some(1)), Ok(Some(Item::Reply(_)))));
            inbox.buffer.capacity()
        };
        let left = reply(8 << 20);
        if left > 60_000 {
            reply(left - 50_000);
        }
        // Little is left, but of a large allocation.
        assert!(inbox.buffer.capacity() < KEEP && inbox.largest > KEEP);
        inbox.shrink();
        assert_eq!((inbox.buffer.capacity(), inbox.largest), (0, 0));
    }

    #[test]
    fn while_a_long_reply_is_held_there_is_room_for_another_at_once() {
        let mut inbox = Inbox::new(&Limits::default());
        let wire = [b"*20000\r\n".to_vec(), b"$5\r\nhello\r\n".repeat(20_000)].concat();
        feed(&mut inbox, &wire);
        let Ok(Some(Item::Reply(held))) = inbox.next(Some(1)) else { panic!("a reply") };
        let left = inbox.room().capacity();
        feed(&mut inbox, &wire[..left + 1]);
        inbox.room();
        assert!(inbox.buffer.capacity() >= wire.len() && inbox.usual == 0);
        assert_eq!(held.as_bytes(), wire);
    }

    #[test]
    fn a_promise_reserves_little() {
        let mut inbox = Inbox::new(&Limits::default());
        feed(&mut inbox, b"$500000000\r\nx");
        assert!(inbox.room().capacity() < 3 << 20);
    }
}
