//! Where does a reply end? Answered incrementally, each byte looked at once, without recursion.

use super::header::{Header, header};
use super::{Limits, short};
use crate::error::{Error, ErrorKind, Result};

/// The longest line (status, error, number) that a server may send.
const MAX_LINE: usize = 64 * 1_024;

/// No frame of a short string or line is longer.
const SHORT_FRAME: u64 = short::LONGEST + 8;

/// So many elements of an aggregate are looked at at once.
const FEW: usize = 4;

/// What a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a frame is complete or it is not")]
pub enum Scan {
    /// A frame is complete.
    Frame {
        /// Its length in bytes.
        len: usize,
        /// Whether it is a push, which answers no command.
        push: bool,
        /// Whether it holds streamed types, which have no length in front.
        streamed: bool,
    },
    /// The frame goes on.
    NeedMore {
        /// How many bytes are certainly missing: at least 1.
        hint: usize,
    },
}

/// Finds the ends of frames in bytes that arrive bit by bit.
///
/// ```
/// use alizarin_core::resp::{Limits, Scan, Scanner};
/// let mut scanner = Scanner::new(Limits::default());
/// assert_eq!(scanner.scan(b"$5\r\nhe")?, Scan::NeedMore { hint: 5 });
/// let whole = Scan::Frame { len: 11, push: false, streamed: false };
/// assert_eq!(scanner.scan(b"$5\r\nhello\r\n")?, whole);
/// # Ok::<(), alizarin_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    /// Whether whatever is short is within the limits.
    short: bool,
    /// Everything before it was understood. Invariant: `at` never moves back within a frame.
    at: usize,
    /// What the innermost open aggregate still needs.
    open: Open,
    /// The aggregates around it.
    outer: Vec<Open>,
    /// Where the search for the end of an incomplete line goes on.
    searched: usize,
    elements: u64,
    push: bool,
    streamed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    /// So many more elements.
    Elements(u64),
    /// Elements until a `.`.
    Endless,
    /// Chunks until `;0`.
    Chunks,
}

/// How one step ended.
enum Step {
    /// An element without children ended.
    Done,
    /// An aggregate began; `true` for attributes, which belong to the element after them.
    Begun(Open, bool),
    /// The innermost endless aggregate ended.
    Ended,
    Missing(usize),
}

impl Scanner {
    /// A scanner at the start of a frame.
    pub fn new(limits: Limits) -> Scanner {
        Scanner {
            limits,
            short: limits.max_bulk_bytes.min(limits.max_frame_bytes) > SHORT_FRAME,
            at: 0,
            open: Open::Elements(1),
            outer: Vec::new(),
            searched: 0,
            elements: 0,
            push: false,
            streamed: false,
        }
    }

    /// Looks for the end of the frame that begins at `bytes[0]`.
    ///
    /// After [`Scan::NeedMore`] call again with the same bytes and more behind them; after
    /// [`Scan::Frame`] the next call is about the next frame.
    ///
    /// # Errors
    /// `Protocol` for what is no RESP, or exceeds the limits. The connection is of no use then.
    #[inline]
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Scan> {
        // Most replies are one short element; they leave no trace here.
        match self.whole(bytes) {
            Some(len) => Ok(Scan::Frame { len, push: false, streamed: false }),
            None => self.scan_on(bytes),
        }
    }

    /// The length of the frame that begins at `bytes[0]`, where it is one short element and the last
    /// scan left none open.
    #[inline(always)]
    pub(crate) fn whole(&self, bytes: &[u8]) -> Option<usize> {
        if self.at | self.searched == 0 { self.single(bytes) } else { None }
    }

    fn scan_on(&mut self, bytes: &[u8]) -> Result<Scan> {
        loop {
            self.pass(bytes)?;
            if self.outer.is_empty() && self.open == Open::Elements(0) {
                return Ok(self.finish());
            }
            match self.step(bytes)? {
                Step::Missing(hint) => return Ok(Scan::NeedMore { hint }),
                Step::Done => self.count_down()?,
                Step::Begun(open, is_attribute) => self.begin(open, is_attribute)?,
                Step::Ended => self.pop(),
            }
        }
    }

    /// The length of a frame that is one short string or line.
    #[inline(always)]
    fn single(&self, bytes: &[u8]) -> Option<usize> {
        match bytes.first()? {
            b'$' if self.short => short::string_end(bytes, 0),
            b'+' if self.short && bytes.starts_with(b"+OK\r\n") => Some(5),
            b'+' | b':' | b',' | b'_' if self.short => short::line_end(bytes, 0),
            _ => None,
        }
    }

    /// Passes over what needs no care: short strings, short lines, and lists of them. Leaves open
    /// an aggregate that needs more, or none.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "three digits at most, and no more pass than are left; positions in bytes that are held in memory cannot overflow"
    )]
    fn pass(&mut self, bytes: &[u8]) -> Result<()> {
        let mut at = self.at;
        while let Open::Elements(left) = self.open {
            if left == 0 {
                match self.outer.pop() {
                    Some(open) => self.open = open,
                    None => break,
                }
                continue;
            }
            let passed = match bytes.get(at) {
                Some(b'$') if self.short => {
                    let (end, passed) = short::strings_end(bytes, at, left);
                    if passed == 0 {
                        break;
                    }
                    at = end;
                    passed
                }
                Some(b'+' | b':' | b',' | b'_') => match short::line_end(bytes, at) {
                    Some(end) => {
                        at = end;
                        1
                    }
                    None => break,
                },
                Some(kind @ (b'*' | b'~' | b'%')) => match short::length(bytes, at) {
                    Some((count, start)) => {
                        let elements = if *kind == b'%' { 2 * count } else { count };
                        match self.few_end(bytes, start, elements) {
                            Some(end) => {
                                self.elements += elements as u64;
                                at = end;
                                1
                            }
                            None => {
                                self.begin(Open::Elements(elements as u64), false)?;
                                at = start;
                                0
                            }
                        }
                    }
                    None => break,
                },
                _ => break,
            };
            if let Open::Elements(left) = &mut self.open {
                *left -= passed;
            }
        }
        self.at = at;
        if at as u64 > self.limits.max_frame_bytes {
            return Err(over("reply length", self.limits.max_frame_bytes));
        }
        Ok(())
    }

    /// Where the last of an aggregate's elements ends, if they are few and short, and the limits
    /// allow them.
    #[inline(always)]
    fn few_end(&self, bytes: &[u8], at: usize, elements: usize) -> Option<usize> {
        let allowed = self.outer.len() < self.limits.max_depth
            && self.elements.saturating_add(elements as u64) <= self.limits.max_elements;
        let few = self.short && allowed && elements <= FEW;
        few.then(|| short::few_end(bytes, at, elements)).flatten()
    }

    fn finish(&mut self) -> Scan {
        let found = Scan::Frame { len: self.at, push: self.push, streamed: self.streamed };
        self.at = 0;
        self.open = Open::Elements(1);
        self.searched = 0;
        self.elements = 0;
        self.push = false;
        self.streamed = false;
        found
    }

    fn count_down(&mut self) -> Result<()> {
        match &mut self.open {
            Open::Elements(left) => *left = left.saturating_sub(1),
            // Nobody said how many there are.
            Open::Endless => self.elements = self.elements.saturating_add(1),
            Open::Chunks => return Ok(()),
        }
        self.check_count()
    }

    #[inline]
    fn check_count(&self) -> Result<()> {
        match self.elements > self.limits.max_elements {
            true => Err(over("element count", self.limits.max_elements)),
            false => Ok(()),
        }
    }

    fn begin(&mut self, open: Open, is_attribute: bool) -> Result<()> {
        if !is_attribute {
            self.count_down()?;
        }
        if self.outer.len() >= self.limits.max_depth {
            return Err(over("nesting depth", self.limits.max_depth as u64));
        }
        if let Open::Elements(more) = open {
            self.elements = self.elements.saturating_add(more);
        }
        self.check_count()?;
        self.outer.push(self.open);
        self.open = open;
        Ok(())
    }

    fn pop(&mut self) {
        self.open = self.outer.pop().unwrap_or(Open::Elements(0));
    }

    /// Takes one element's header, and its payload if it has one.
    #[inline]
    fn step(&mut self, bytes: &[u8]) -> Result<Step> {
        let Some(&kind) = bytes.get(self.at) else { return Ok(Step::Missing(1)) };
        if self.open == Open::Chunks && kind != b';' {
            return Err(unknown(bytes, self.at));
        }
        match kind {
            b'$' | b'=' | b'!' => self.blob(bytes, kind),
            b'+' | b'-' | b':' | b',' | b'#' | b'_' | b'(' => self.line(bytes),
            b'*' | b'~' | b'%' | b'>' | b'|' => self.aggregate(bytes, kind),
            b';' if self.open == Open::Chunks => self.blob(bytes, kind),
            b'.' if self.open == Open::Endless => match self.line(bytes)? {
                Step::Done => Ok(Step::Ended),
                step => Ok(step),
            },
            _ => Err(unknown(bytes, self.at)),
        }
    }

    /// A line whose content matters only to the decoder.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions in bytes that are held in memory cannot overflow"
    )]
    fn line(&mut self, bytes: &[u8]) -> Result<Step> {
        let from = self.searched.max(self.at + 1);
        let found = memchr::memchr(b'\r', bytes.get(from..).unwrap_or_default());
        let end = found.map_or(bytes.len(), |found| from + found);
        if end - (self.at + 1) > MAX_LINE {
            return Err(over("line length", MAX_LINE as u64));
        }
        match bytes.get(end + 1) {
            Some(b'\n') => {
                self.at = end + 2;
                Ok(Step::Done)
            }
            Some(_) => Err(unknown(bytes, self.at)),
            None => {
                self.searched = end;
                Ok(Step::Missing(if found.is_some() { 1 } else { 2 }))
            }
        }
    }

    /// A string with its length in front.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "positions in bytes that are held in memory cannot overflow"
    )]
    fn blob(&mut self, bytes: &[u8], kind: u8) -> Result<Step> {
        let (len, start) = match header(bytes, self.at)? {
            Header::Length(len, start) => (len, start),
            Header::Null(start) if kind == b'$' => {
                self.at = start;
                return Ok(Step::Done);
            }
            Header::Unknown(start) if kind == b'$' => {
                self.at = start;
                self.streamed = true;
                return Ok(Step::Begun(Open::Chunks, false));
            }
            Header::Missing => return Ok(Step::Missing(1)),
            _ => return Err(unknown(bytes, self.at)),
        };
        if kind == b';' && len == 0 {
            self.at = start;
            return Ok(Step::Ended);
        }
        if len > self.limits.max_bulk_bytes {
            return Err(over("string length", self.limits.max_bulk_bytes));
        }
        let end = start.saturating_add(usize::try_from(len).unwrap_or(usize::MAX));
        if end as u64 > self.limits.max_frame_bytes {
            return Err(over("reply length", self.limits.max_frame_bytes));
        }
        match bytes.get(end..end.saturating_add(2)) {
            Some(b"\r\n") => {
                self.at = end + 2;
                Ok(Step::Done)
            }
            Some(_) => Err(unknown(bytes, self.at)),
            None => Ok(Step::Missing((end + 2).saturating_sub(bytes.len()).max(1))),
        }
    }

    fn aggregate(&mut self, bytes: &[u8], kind: u8) -> Result<Step> {
        let (open, start) = match header(bytes, self.at)? {
            Header::Length(len, start) => {
                let pairs = matches!(kind, b'%' | b'|');
                let elements = if pairs { len.checked_mul(2) } else { Some(len) };
                let elements = elements.ok_or_else(|| unknown(bytes, self.at))?;
                (Open::Elements(elements), start)
            }
            Header::Null(start) if kind == b'*' => {
                self.at = start;
                return Ok(Step::Done);
            }
            Header::Unknown(start) if kind != b'|' => {
                self.streamed = true;
                (Open::Endless, start)
            }
            Header::Missing => return Ok(Step::Missing(1)),
            _ => return Err(unknown(bytes, self.at)),
        };
        if kind == b'>' && self.outer.is_empty() {
            self.push = true;
        }
        self.at = start;
        Ok(Step::Begun(open, kind == b'|'))
    }
}

#[cold]
pub(super) fn unknown(bytes: &[u8], at: usize) -> Error {
    let rest = bytes.get(at..).unwrap_or_default();
    let shown = rest.get(..32).unwrap_or(rest).escape_ascii();
    Error::new(
        ErrorKind::Protocol,
        format!("not a Redis reply: it goes on with \"{shown}\"; is this a Redis server?"),
    )
}

#[cold]
fn over(what: &str, limit: u64) -> Error {
    Error::new(ErrorKind::Protocol, format!("a reply exceeds the limit of {limit} for its {what}"))
}

#[cfg(test)]
mod tests;
