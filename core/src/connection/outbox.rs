//! Requests on their way to the socket. No I/O.
//!
//! Two buffers take turns: callers append to [`Pending`] while the connection writes
//! [`Writing`]. Every byte has a place in the connection's endless stream of requests, so that
//! after a loss it is known of which requests a byte was written.

use std::collections::VecDeque;
use std::fmt;
use std::io::IoSlice;

use super::slots::Entry;
use crate::resp::{Packed, Pieces, View};

/// Buffers that grew beyond this are given back once they are empty.
const KEEP: usize = 1 << 20;

/// One request in wire form.
#[derive(Clone, Copy)]
pub enum Wire<'a> {
    /// A command.
    One(&'a Packed),
    /// Several commands that share one slot.
    Many {
        /// All of them.
        bytes: View<'a>,
        /// How many frames answer them.
        frames: u32,
    },
}

impl Wire<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Wire::One(packed) => packed.wire_len(),
            Wire::Many { bytes, .. } => bytes.len(),
        }
    }

    #[inline]
    pub(crate) fn write_pieces(&self, out: &mut Pieces) {
        match self {
            Wire::One(packed) => packed.write_pieces(out),
            Wire::Many { bytes, .. } => out.extend(*bytes),
        }
    }

    pub(crate) fn frames(&self) -> u32 {
        match self {
            Wire::One(_) => 1,
            Wire::Many { frames, .. } => *frames,
        }
    }
}

impl fmt::Debug for Wire<'_> {
    /// How much it is: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, frames) = (self.len(), self.frames());
        f.debug_struct("Wire").field("bytes", &bytes).field("frames", &frames).finish()
    }
}

/// What is still to be written of some bytes.
#[derive(Clone, Copy)]
pub(crate) struct Rest<'a> {
    bytes: View<'a>,
    /// Invariant: `at <= bytes.len()`.
    at: usize,
}

impl<'a> Rest<'a> {
    pub(crate) fn new(bytes: impl Into<View<'a>>) -> Rest<'a> {
        Rest { bytes: bytes.into(), at: 0 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// All of it, if it is in one piece.
    #[inline]
    pub(crate) fn as_one(&self) -> Option<&'a [u8]> {
        self.bytes.as_one()?.get(self.at..)
    }

    /// As many pieces of it as there are slices to point to them; gives how many.
    pub(crate) fn gather<'s>(&self, slices: &mut [IoSlice<'s>]) -> usize
    where
        'a: 's,
    {
        self.bytes.gather(self.at, slices)
    }

    /// `count` bytes of it were written.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "no more is written than there is, and 64 bits of bytes do not end"
    )]
    pub(crate) fn advance(&mut self, count: usize) {
        self.at += count;
    }
}

/// What callers have appended and nobody has begun to write.
#[derive(Default)]
pub(crate) struct Pending {
    bytes: Pieces,
    /// How many requests that is.
    requests: usize,
    /// Where the stream of requests ends.
    end: u64,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// How many requests wait.
    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    /// Gives back all room; only when nothing is pending.
    pub(crate) fn empty(&mut self) {
        self.bytes.clear(0);
    }

    /// Appends a request; gives its place in the stream.
    #[expect(clippy::arithmetic_side_effects, reason = "64 bits of bytes do not end")]
    pub(crate) fn append(&mut self, wire: &Wire<'_>) -> (u64, u64) {
        let before = self.bytes.len();
        wire.write_pieces(&mut self.bytes);
        self.requests += 1;
        let start = self.end;
        self.end += (self.bytes.len() - before) as u64;
        (start, self.end)
    }
}

/// What is being written.
#[derive(Default)]
pub(crate) struct Writing {
    bytes: Pieces,
    /// How much of `bytes` is written. Invariant: `at <= bytes.len()`.
    at: usize,
    /// How much of the stream of requests is written.
    written: u64,
}

impl Writing {
    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// What is still to be written.
    pub(crate) fn rest(&self) -> Rest<'_> {
        Rest { bytes: self.bytes.view(), at: self.at }
    }

    /// How much of the stream of requests is written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// `count` bytes of the rest were written.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "no more is written than there is, and 64 bits of bytes do not end"
    )]
    pub(crate) fn advance(&mut self, count: usize) {
        self.at += count;
        self.written += count as u64;
        if self.is_empty() {
            self.at = 0;
            self.bytes.clear(KEEP);
        }
    }

    /// Gives back all room; only when all is written.
    pub(crate) fn empty(&mut self) {
        self.bytes.clear(0);
    }

    /// Takes over what is pending; only when all is written.
    pub(crate) fn refill(&mut self, pending: &mut Pending) {
        debug_assert!(self.is_empty());
        self.at = 0;
        self.bytes.clear(KEEP);
        std::mem::swap(&mut self.bytes, &mut pending.bytes);
        pending.requests = 0;
    }

    /// Whether a byte of the entry was written.
    pub(crate) fn began(&self, entry: &Entry) -> bool {
        entry.start < self.written
    }

    /// After a loss, or to forget cancelled requests: keeps the bytes of these entries alone, of
    /// none of which a byte was written, and gives them their new places. What is left is to be
    /// dropped outside of any lock: large values may be anybody's.
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        reason = "entries lie within the two buffers, whose positions in the stream are known"
    )]
    pub(crate) fn retain(
        &mut self,
        pending: &mut Pending,
        entries: &mut VecDeque<Entry>,
    ) -> [Pieces; 2] {
        let first = self.written - self.at as u64;
        let second = pending.end - pending.bytes.len() as u64;
        let mut kept = Pieces::default();
        for entry in entries.iter_mut() {
            let (buffer, base) =
                if entry.start < second { (&self.bytes, first) } else { (&pending.bytes, second) };
            let range = (entry.start - base) as usize..(entry.end - base) as usize;
            let start = self.written + kept.len() as u64;
            kept.extend_within(buffer.view(), range);
            (entry.start, entry.end) = (start, self.written + kept.len() as u64);
        }
        self.at = 0;
        pending.end = self.written + kept.len() as u64;
        pending.requests = entries.len();
        [std::mem::take(&mut self.bytes), std::mem::replace(&mut pending.bytes, kept)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(pending: &mut Pending, entries: &mut VecDeque<Entry>, text: &str) {
        let wire = Wire::Many { bytes: text.as_bytes().into(), frames: 1 };
        let (start, end) = pending.append(&wire);
        entries.push_back(Entry { slot: 0, frames: 1, start, end, tick: 0 });
    }

    #[test]
    fn what_was_not_begun_survives_a_loss() {
        let (mut pending, mut writing) = (Pending::default(), Writing::default());
        let mut entries = VecDeque::new();
        for text in ["one", "two", "three"] {
            add(&mut pending, &mut entries, text);
        }
        writing.refill(&mut pending);
        writing.advance(4);
        add(&mut pending, &mut entries, "four");
        add(&mut pending, &mut entries, "five");
        entries.retain(|entry| !writing.began(entry));
        assert_eq!(entries.len(), 3);
        entries.remove(1);
        writing.retain(&mut pending, &mut entries);
        assert_eq!(&*pending.bytes.view().joined(), b"threefive");
        assert!(writing.is_empty());
        // And once more, from the new places.
        writing.refill(&mut pending);
        writing.advance(5);
        assert!(writing.began(&entries[0]) && !writing.began(&entries[1]));
        entries.pop_front();
        writing.retain(&mut pending, &mut entries);
        assert_eq!(&*pending.bytes.view().joined(), b"five");
    }
}
