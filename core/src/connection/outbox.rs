//! Requests on their way to the socket. No I/O.
//!
//! Two buffers take turns: callers append to [`Pending`] while the connection writes
//! [`Writing`]. Every byte has a place in the connection's endless stream of requests, so that
//! after a loss it is known of which requests a byte was written.

use std::collections::VecDeque;

use super::slots::Entry;
use crate::resp::Packed;

/// Buffers that grew beyond this are given back once they are empty.
const KEEP: usize = 1 << 20;

/// One request in wire form.
#[derive(Debug, Clone, Copy)]
pub enum Wire<'a> {
    /// A command.
    One(&'a Packed),
    /// Several commands that share one slot.
    Many {
        /// All of them.
        bytes: &'a [u8],
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

    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Wire::One(packed) => packed.write_to(out),
            Wire::Many { bytes, .. } => out.extend_from_slice(bytes),
        }
    }

    pub(crate) fn frames(&self) -> u32 {
        match self {
            Wire::One(_) => 1,
            Wire::Many { frames, .. } => *frames,
        }
    }
}

/// What callers have appended and nobody has begun to write.
#[derive(Default)]
pub(crate) struct Pending {
    bytes: Vec<u8>,
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

    /// Appends a request; gives its place in the stream.
    pub(crate) fn append(&mut self, wire: &Wire<'_>) -> (u64, u64) {
        let before = self.bytes.len();
        match wire {
            Wire::One(packed) => packed.write_to(&mut self.bytes),
            Wire::Many { bytes, .. } => self.bytes.extend_from_slice(bytes),
        }
        self.requests += 1;
        let start = self.end;
        self.end += (self.bytes.len() - before) as u64;
        (start, self.end)
    }
}

/// What is being written.
#[derive(Default)]
pub(crate) struct Writing {
    bytes: Vec<u8>,
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
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// How much of the stream of requests is written.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// `count` bytes of the rest were written.
    pub(crate) fn advance(&mut self, count: usize) {
        self.at += count;
        self.written += count as u64;
        if self.is_empty() {
            self.at = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEEP {
                self.bytes = Vec::new();
            }
        }
    }

    /// Takes over what is pending; only when all is written.
    pub(crate) fn refill(&mut self, pending: &mut Pending) {
        debug_assert!(self.is_empty());
        self.at = 0;
        self.bytes.clear();
        std::mem::swap(&mut self.bytes, &mut pending.bytes);
        pending.requests = 0;
    }

    /// Whether a byte of the entry was written.
    pub(crate) fn began(&self, entry: &Entry) -> bool {
        entry.start < self.written
    }

    /// After a loss, or to forget cancelled requests: keeps the bytes of these entries alone, of
    /// none of which a byte was written, and gives them their new places.
    pub(crate) fn retain(&mut self, pending: &mut Pending, entries: &mut VecDeque<Entry>) {
        let first = self.written - self.at as u64;
        let second = pending.end - pending.bytes.len() as u64;
        let mut kept = Vec::new();
        for entry in entries.iter_mut() {
            let (buffer, base) =
                if entry.start < second { (&self.bytes, first) } else { (&pending.bytes, second) };
            let range = (entry.start - base) as usize..(entry.end - base) as usize;
            let start = self.written + kept.len() as u64;
            kept.extend_from_slice(buffer.get(range).unwrap_or_default());
            (entry.start, entry.end) = (start, self.written + kept.len() as u64);
        }
        self.bytes = Vec::new();
        self.at = 0;
        pending.end = self.written + kept.len() as u64;
        pending.bytes = kept;
        pending.requests = entries.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(pending: &mut Pending, entries: &mut VecDeque<Entry>, text: &str) {
        let wire = Wire::Many { bytes: text.as_bytes(), frames: 1 };
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
        assert_eq!(pending.bytes, b"threefive");
        assert!(writing.is_empty());
        // And once more, from the new places.
        writing.refill(&mut pending);
        writing.advance(5);
        assert!(writing.began(&entries[0]) && !writing.began(&entries[1]));
        entries.pop_front();
        writing.retain(&mut pending, &mut entries);
        assert_eq!(pending.bytes, b"five");
    }
}
