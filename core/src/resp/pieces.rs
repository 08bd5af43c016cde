//! Bytes in order, of which the large stretches stay where they are.

use std::borrow::Cow;
use std::fmt;
use std::io::IoSlice;
use std::ops::Range;

use bytes::Bytes;

/// From this size on a value is a stretch of its own, and travels without being copied. Below it
/// a copy costs less than keeping count of one more piece.
pub(crate) const LARGE: usize = 32 << 10;

/// From this size on small values that were copied together are such a stretch.
const MANY: usize = 8 << 10;

/// A request in wire form, or several. Small values are copied together, large ones are shared.
#[derive(Clone, Default)]
pub(crate) struct Pieces {
    small: Vec<u8>,
    /// Invariant: in order, none of them empty.
    large: Vec<Large>,
}

/// A large stretch among the small bytes.
#[derive(Clone)]
struct Large {
    /// How many small bytes stand before it. Invariant: `at <= small.len()`.
    at: usize,
    /// How many bytes stand before it in all.
    start: usize,
    bytes: Bytes,
}

/// The same, to be shared by several.
#[derive(Clone, Default)]
pub(crate) struct Parcel {
    small: Bytes,
    large: Vec<Large>,
}

/// A view of either.
#[derive(Clone, Copy)]
#[doc(hidden)]
pub struct View<'a> {
    small: &'a [u8],
    large: &'a [Large],
    /// The small bytes, where they can be shared.
    shared: Option<&'a Bytes>,
}

impl Large {
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    fn end(&self) -> usize {
        self.start + self.bytes.len()
    }
}

impl Pieces {
    /// With room for so many small bytes.
    pub(crate) fn with_capacity(small: usize) -> Pieces {
        Pieces { small: Vec::with_capacity(small), large: Vec::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.small.is_empty() && self.large.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.view().len()
    }

    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        View { small: &self.small, large: &self.large, shared: None }
    }

    /// What was copied together.
    #[inline]
    pub(crate) fn small(&self) -> &[u8] {
        &self.small
    }

    /// The same, for additions at its end.
    #[inline]
    pub(crate) fn small_mut(&mut self) -> &mut Vec<u8> {
        &mut self.small
    }

    /// Adds a stretch that is not copied.
    pub(crate) fn push_large(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            let (at, start) = (self.small.len(), self.len());
            self.large.push(Large { at, start, bytes });
        }
    }

    /// Adds all of another's.
    #[inline]
    pub(crate) fn extend(&mut self, other: View<'_>) {
        if other.large.is_empty() && other.small.len() < MANY {
            self.small.extend_from_slice(other.small);
        } else {
            self.extend_many(other);
        }
    }

    #[inline(never)]
    fn extend_many(&mut self, other: View<'_>) {
        match other.shared {
            _ if !other.large.is_empty() => self.extend_within(other, 0..other.len()),
            Some(shared) => self.push_large(shared.clone()),
            None => self.small.extend_from_slice(other.small),
        }
    }

    /// Adds a part of another's.
    pub(crate) fn extend_within(&mut self, other: View<'_>, range: Range<usize>) {
        for part in other.parts(range.start, range.end) {
            match part {
                Part::Small(bytes) => self.small.extend_from_slice(bytes),
                Part::Large(bytes, range) => self.push_large(bytes.slice(range)),
            }
        }
    }

    /// Forgets everything; gives back more than `keep` bytes of room.
    pub(crate) fn clear(&mut self, keep: usize) {
        self.small.clear();
        if self.small.capacity() > keep {
            self.small = Vec::new();
        }
        self.large.clear();
        if self.large.capacity() > 64 {
            self.large = Vec::new();
        }
    }
}

impl From<Pieces> for Parcel {
    fn from(pieces: Pieces) -> Parcel {
        Parcel { small: pieces.small.into(), large: pieces.large }
    }
}

impl From<Bytes> for Parcel {
    fn from(small: Bytes) -> Parcel {
        Parcel { small, large: Vec::new() }
    }
}

impl Parcel {
    pub(crate) fn view(&self) -> View<'_> {
        View { small: &self.small, large: &self.large, shared: Some(&self.small) }
    }

    /// A part of it.
    pub(crate) fn slice(&self, range: Range<usize>) -> Parcel {
        if self.large.is_empty() {
            return Parcel::from(self.small.slice(range));
        }
        let mut part = Pieces::default();
        part.extend_within(self.view(), range);
        part.into()
    }
}

impl<'a> From<&'a [u8]> for View<'a> {
    fn from(small: &'a [u8]) -> View<'a> {
        View { small, large: &[], shared: None }
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for View<'a> {
    fn from(small: &'a [u8; N]) -> View<'a> {
        View::from(small.as_slice())
    }
}

impl<'a> View<'a> {
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    pub(crate) fn len(self) -> usize {
        let large = self.large.last().map_or(0, |last| last.end() - last.at);
        self.small.len() + large
    }

    /// All of it, if it is in one piece.
    #[inline]
    pub(crate) fn as_one(self) -> Option<&'a [u8]> {
        self.large.is_empty().then_some(self.small)
    }

    /// All of it in one piece, copied together if need be.
    pub(crate) fn joined(self) -> Cow<'a, [u8]> {
        match self.as_one() {
            Some(bytes) => Cow::Borrowed(bytes),
            None => {
                let mut all = Vec::with_capacity(self.len());
                self.write_to(&mut all);
                Cow::Owned(all)
            }
        }
    }

    /// Copies all of it.
    #[inline]
    pub(crate) fn write_to(self, out: &mut Vec<u8>) {
        match self.as_one() {
            Some(bytes) => out.extend_from_slice(bytes),
            None => self.parts(0, self.len()).for_each(|part| out.extend_from_slice(part.bytes())),
        }
    }

    /// The small bytes from a place in them on, and the large stretch that stands there.
    pub(crate) fn at(self, small: usize) -> (&'a [u8], Option<&'a [u8]>) {
        let place = self.large.binary_search_by_key(&small, |large| large.at).ok();
        let large = place.and_then(|place| self.large.get(place));
        (self.small.get(small..).unwrap_or_default(), large.map(|large| &*large.bytes))
    }

    /// The pieces between two places in the whole.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    fn parts(self, start: usize, end: usize) -> Parts<'a> {
        let next = self.large.partition_point(|large| large.end() <= start);
        let before = next.checked_sub(1).and_then(|last| self.large.get(last));
        let shared = before.map_or(0, |last| last.end() - last.at);
        let begun = self.large.get(next).filter(|large| large.start < start);
        let small = begun.map_or(start - shared, |large| large.at);
        Parts { view: self, at: start, small, next, end }
    }

    /// Points `slices` to what comes behind `start`; gives how many were used.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    pub(crate) fn gather<'s>(self, start: usize, slices: &mut [IoSlice<'s>]) -> usize
    where
        'a: 's,
    {
        let mut used = 0;
        for (slice, part) in slices.iter_mut().zip(self.parts(start, self.len())) {
            *slice = IoSlice::new(part.bytes());
            used += 1;
        }
        used
    }
}

impl fmt::Debug for View<'_> {
    /// How much it is: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// One piece.
enum Part<'a> {
    Small(&'a [u8]),
    /// So much of a large stretch.
    Large(&'a Bytes, Range<usize>),
}

impl<'a> Part<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Part::Small(bytes) => bytes,
            Part::Large(bytes, range) => bytes.get(range.clone()).unwrap_or_default(),
        }
    }
}

/// The pieces between two places, none of them empty.
struct Parts<'a> {
    view: View<'a>,
    /// The place in the whole.
    at: usize,
    /// The place in the small bytes.
    small: usize,
    /// The next large stretch.
    next: usize,
    end: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Part<'a>;

    #[expect(
        clippy::arithmetic_side_effects,
        reason = "lengths of what is held in memory cannot overflow"
    )]
    fn next(&mut self) -> Option<Part<'a>> {
        let left = self.end.checked_sub(self.at).filter(|left| *left > 0)?;
        let large = self.view.large.get(self.next);
        if let Some(large) = large.filter(|large| large.at == self.small) {
            let from = self.at - large.start;
            let to = large.bytes.len().min(from + left);
            self.at += to - from;
            self.next += 1;
            return Some(Part::Large(&large.bytes, from..to));
        }
        let to = large.map_or(self.view.small.len(), |large| large.at).min(self.small + left);
        let part = self.view.small.get(self.small..to).filter(|part| !part.is_empty())?;
        self.at += part.len();
        self.small = to;
        Some(Part::Small(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `ab<LARGE>c<LARGE><LARGE>d`, and the same in one piece.
    fn mixed() -> (Pieces, Vec<u8>) {
        let mut pieces = Pieces::default();
        pieces.small_mut().extend_from_slice(b"ab");
        pieces.push_large(Bytes::from_static(b"LARGE"));
        pieces.small_mut().push(b'c');
        pieces.push_large(Bytes::from_static(b"second"));
        pieces.push_large(Bytes::from_static(b"third"));
        pieces.small_mut().push(b'd');
        (pieces, b"abLARGEcsecondthirdd".to_vec())
    }

    #[test]
    fn every_part_is_what_it_would_be_in_one_piece() {
        let (pieces, whole) = mixed();
        assert_eq!((pieces.len(), &*pieces.view().joined()), (whole.len(), &*whole));
        let parcel = Parcel::from(pieces);
        for start in 0..=whole.len() {
            for end in start..=whole.len() {
                let part = parcel.slice(start..end);
                assert_eq!(part.view().len(), end - start, "{start}..{end}");
                assert_eq!(&*part.view().joined(), &whole[start..end]);
                // And a part of the part.
                let again = part.slice((end - start) / 2..end - start);
                assert_eq!(&*again.view().joined(), &whole[start + (end - start) / 2..end]);
            }
        }
    }

    #[test]
    fn what_is_gathered_continues_wherever_a_write_stopped() {
        let (pieces, whole) = mixed();
        for room in 1..8 {
            for step in 1..whole.len() {
                let (mut written, mut at) = (Vec::new(), 0);
                while at < whole.len() {
                    let mut slices = [IoSlice::new(&[]); 8];
                    let used = pieces.view().gather(at, &mut slices[..room]);
                    let all: Vec<u8> = slices[..used].iter().flat_map(|it| it.to_vec()).collect();
                    assert!(slices[..used].iter().all(|slice| !slice.is_empty()));
                    let taken = all.len().min(step);
                    written.extend_from_slice(&all[..taken]);
                    at += taken;
                }
                assert_eq!(written, whole);
            }
        }
    }

    #[test]
    fn many_small_bytes_are_shared_and_few_copied() {
        for (len, copied) in [(MANY, 1), (MANY - 1, MANY)] {
            let parcel = Parcel::from(Bytes::from(vec![b'x'; len]));
            let mut other = Pieces::default();
            other.small_mut().push(b'*');
            other.extend(parcel.view());
            other.small_mut().push(b'.');
            assert_eq!((other.small().len(), other.len()), (copied + 1, len + 2));
            assert!(other.view().joined().ends_with(b"x."));
        }
    }

    #[test]
    fn large_stretches_are_shared_and_not_copied() {
        let large = Bytes::from(vec![b'x'; LARGE]);
        let mut pieces = Pieces::default();
        pieces.push_large(large.clone());
        let mut other = Pieces::default();
        other.small_mut().push(b'*');
        other.extend(pieces.view());
        let (_, found) = other.view().at(1);
        assert_eq!(found.unwrap().as_ptr(), large.as_ptr());
        other.clear(0);
        assert!(other.is_empty() && other.view().len() == 0);
    }
}
