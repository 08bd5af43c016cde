//! Several commands in wire form.

use std::fmt;

use super::check::{check, not_blocking};
use super::{Command, Flags, slot};
use crate::error::{Error, Result};
use crate::resp::{Frame, Packed, Parcel, Pieces, Reader, View};

/// No more room is made because of the first command alone.
const MOST_ROOM: usize = 1 << 20;

/// Commands in wire form, one after the other, with what is known of them together.
pub struct Encoded {
    pieces: Pieces,
    /// All of them, once there are no more.
    whole: Parcel,
    frames: u32,
    /// Frames in front that are none of the batch's.
    before: u32,
    repeatable: bool,
    check: Result<()>,
    /// Where each command of the batch ends, its first key's slot and its flags; where asked for.
    spans: Option<Vec<(usize, Option<u16>, Flags)>>,
    /// Where the batch's first command begins.
    start: usize,
}

impl Encoded {
    /// With `routed`, notes what each command is routed by.
    pub(crate) fn new(routed: bool) -> Encoded {
        Encoded {
            pieces: Pieces::default(),
            whole: Parcel::default(),
            frames: 0,
            before: 0,
            repeatable: true,
            check: Ok(()),
            spans: routed.then(Vec::new),
            start: 0,
        }
    }

    /// Appends a command.
    #[inline]
    pub fn push<R>(&mut self, command: &Command<R>) {
        let (packed, flags) = (command.packed(), command.known_flags());
        packed.write_pieces(&mut self.pieces);
        self.frames += 1;
        self.repeatable &= flags.is_repeatable();
        if let Some(spans) = &mut self.spans {
            spans.push((self.pieces.len(), packed.first_key().map(slot), flags));
        }
        if !flags.is_plain() && self.check.is_ok() {
            self.check = check(packed, flags).and_then(|()| not_blocking(packed, flags));
        }
    }

    /// Makes room for so many commands like those that are here, the first of them included.
    pub(crate) fn expect_more(&mut self, commands: usize) {
        let each = self.pieces.small().len().saturating_sub(self.start);
        let more = each.saturating_mul(commands.saturating_sub(1)).min(MOST_ROOM);
        // The last one is written with bytes behind it that are taken back.
        self.pieces.small_mut().reserve(more.saturating_add(256));
    }

    /// No more comes: what is here can be sent without being copied.
    pub(crate) fn close(&mut self) {
        self.whole = std::mem::take(&mut self.pieces).into();
    }

    /// Appends a command that is one word, around the batch.
    pub(crate) fn word(&mut self, word: &str) {
        let mut packed = Packed::new();
        packed.push(word.as_bytes());
        packed.write_pieces(&mut self.pieces);
        if self.frames == 0 {
            self.before = 1;
            self.start = self.pieces.len();
        }
        self.frames += 1;
    }

    pub(crate) fn view(&self) -> View<'_> {
        match self.pieces.is_empty() {
            true => self.whole.view(),
            false => self.pieces.view(),
        }
    }

    /// Each command of the batch: its bytes, its first key's slot, its flags.
    pub(crate) fn spans(
        &self,
    ) -> impl Iterator<Item = (std::ops::Range<usize>, Option<u16>, Flags)> + '_ {
        let mut start = self.start;
        self.spans.iter().flatten().map(move |&(end, slot, flags)| {
            let range = start..end;
            start = end;
            (range, slot, flags)
        })
    }

    /// The number of commands, each of which one frame answers.
    pub(crate) fn frames(&self) -> u32 {
        self.frames
    }

    pub(crate) fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    /// What cannot be part of a batch.
    pub(crate) fn check(&self) -> Result<()> {
        self.check.as_ref().map_err(Error::duplicate).copied()
    }

    /// The name of one of all commands.
    #[cold]
    pub(crate) fn name(&self, at: u32) -> String {
        let bytes = self.view().joined();
        let mut reader = Reader::new(&bytes);
        // A command has the form of a reply: a list of strings.
        let read = reader.skip_many(at as usize).and_then(|()| reader.next());
        match (read, reader.next()) {
            (Ok(Frame::Array(_)), Ok(Frame::Bulk(name))) => {
                String::from_utf8_lossy(name).into_owned()
            }
            _ => "batch".to_owned(),
        }
    }

    /// The name of one of the batch's commands.
    #[cold]
    pub(crate) fn inner_name(&self, at: u32) -> String {
        self.name(at + self.before)
    }
}

impl fmt::Debug for Encoded {
    /// How many commands: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoded").field("frames", &self.frames).finish_non_exhaustive()
    }
}
