//! Lists, sets, maps and tuples out of replies, in the shapes of both protocols.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use super::reply::{expect, mismatch};
use super::{Frame, FromReply, Reader};
use crate::error::{Error, ErrorKind, Result};

/// Most elements for which room is made because a reply says that they come.
const MAX_RESERVE: usize = 64 * 1_024;

/// The number of elements of a list-like frame: a map counts keys and values.
fn length(reader: &mut Reader<'_>, expected: &str) -> Result<usize> {
    match expect(reader)? {
        frame @ (Frame::Array(_) | Frame::Set(_) | Frame::Push(_) | Frame::Map(_)) => {
            Ok(frame.children())
        }
        frame => Err(mismatch(expected, &frame)),
    }
}

/// For how many of `n` elements room is made: no more than can be in what has come.
fn room(n: usize, reader: &Reader<'_>) -> usize {
    // The shortest element is `_\r\n`.
    n.min(MAX_RESERVE).min(reader.remaining() / 3)
}

/// The general form of a list.
pub(super) fn list<T: FromReply>(reader: &mut Reader<'_>) -> Result<Vec<T>> {
    let n = length(reader, "a list")?;
    let mut items = Vec::with_capacity(room(n, reader));
    for _ in 0..n {
        items.push(T::from_reply(reader)?);
    }
    Ok(items)
}

/// The number of pairs to come, and whether each is a list of its own: they are a RESP3 map, a list
/// of two-element lists, or a flat list.
fn pairs(reader: &mut Reader<'_>) -> Result<(usize, bool)> {
    let (n, is_map) = match expect(reader)? {
        Frame::Map(n) => (n, true),
        Frame::Array(n) | Frame::Set(n) | Frame::Push(n) => (n, false),
        frame => return Err(mismatch("pairs", &frame)),
    };
    let nested = !is_map && n > 0 && matches!(reader.peek()?, Frame::Array(2));
    match (is_map, nested) {
        (true, _) | (_, true) => Ok((n, nested)),
        _ if n % 2 == 0 => Ok((n / 2, false)),
        _ => Err(Error::decode("pairs", &format!("a list of {n}, an odd number"))),
    }
}

/// One of these pairs.
#[inline]
fn pair<A: FromReply, B: FromReply>(reader: &mut Reader<'_>, nested: bool) -> Result<(A, B)> {
    if nested && !reader.take(b"*2\r\n") {
        match expect(reader)? {
            Frame::Array(2) => {}
            frame => return Err(mismatch("a pair", &frame)),
        }
    }
    Ok((A::from_reply(reader)?, B::from_reply(reader)?))
}

/// All of these pairs, one after the other.
fn each_pair<A: FromReply, B: FromReply>(
    reader: &mut Reader<'_>,
    mut each: impl FnMut(A, B),
) -> Result<()> {
    let (count, nested) = pairs(reader)?;
    for _ in 0..count {
        let (a, b) = pair(reader, nested)?;
        each(a, b);
    }
    Ok(())
}

impl<T: FromReply> FromReply for Vec<T> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Vec<T>> {
        T::list_from_reply(reader)
    }
}

impl<T: FromReply> FromReply for VecDeque<T> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<VecDeque<T>> {
        T::list_from_reply(reader).map(VecDeque::from)
    }
}

impl<T: FromReply + Eq + Hash, S: BuildHasher + Default> FromReply for HashSet<T, S> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<HashSet<T, S>> {
        let n = length(reader, "a set")?;
        (0..n).map(|_| T::from_reply(reader)).collect()
    }
}

impl<T: FromReply + Ord> FromReply for BTreeSet<T> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<BTreeSet<T>> {
        let n = length(reader, "a set")?;
        (0..n).map(|_| T::from_reply(reader)).collect()
    }
}

impl<K, V, S> FromReply for HashMap<K, V, S>
where
    K: FromReply + Eq + Hash,
    V: FromReply,
    S: BuildHasher + Default,
{
    fn from_reply(reader: &mut Reader<'_>) -> Result<HashMap<K, V, S>> {
        let mut map = HashMap::default();
        each_pair(reader, |key, value| drop(map.insert(key, value)))?;
        Ok(map)
    }
}

impl<K: FromReply + Ord, V: FromReply> FromReply for BTreeMap<K, V> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<BTreeMap<K, V>> {
        let mut map = BTreeMap::new();
        each_pair(reader, |key, value| drop(map.insert(key, value)))?;
        Ok(map)
    }
}

impl<T: FromReply, const N: usize> FromReply for [T; N] {
    fn from_reply(reader: &mut Reader<'_>) -> Result<[T; N]> {
        let items = T::list_from_reply(reader)?;
        let n = items.len();
        <[T; N]>::try_from(items)
            .map_err(|_| Error::decode(&format!("a list of {N}"), &format!("one of {n}")))
    }
}

/// A pair has a list form of its own: `Vec<(A, B)>` also reads maps and flat lists.
impl<A: FromReply, B: FromReply> FromReply for (A, B) {
    fn from_reply(reader: &mut Reader<'_>) -> Result<(A, B)> {
        fixed(reader, 2)?;
        Ok((A::from_reply(reader)?, B::from_reply(reader)?))
    }

    fn list_from_reply(reader: &mut Reader<'_>) -> Result<Vec<(A, B)>> {
        let (count, nested) = pairs(reader)?;
        let mut items = Vec::with_capacity(room(count, reader));
        for _ in 0..count {
            items.push(pair(reader, nested)?);
        }
        Ok(items)
    }
}

fn fixed(reader: &mut Reader<'_>, n: usize) -> Result<()> {
    match length(reader, "a list")? {
        came if came == n => Ok(()),
        came => {
            Err(Error::new(ErrorKind::Decode, format!("expected a list of {n}, got one of {came}")))
        }
    }
}

macro_rules! tuples {
    ($($n:literal ($($name:ident)+))+) => {$(
        impl<$($name: FromReply),+> FromReply for ($($name,)+) {
            fn from_reply(reader: &mut Reader<'_>) -> Result<Self> {
                fixed(reader, $n)?;
                Ok(($($name::from_reply(reader)?,)+))
            }
        }
    )+};
}

tuples! {
    1 (A) 3 (A B C) 4 (A B C D) 5 (A B C D E) 6 (A B C D E F) 7 (A B C D E F G) 8 (A B C D E F G H)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: FromReply>(wire: &str) -> Result<T> {
        T::from_reply(&mut Reader::new(wire.as_bytes()))
    }

    #[test]
    fn pairs_come_in_three_shapes() {
        let expected = vec![("a".to_owned(), 1.5)];
        for wire in [
            "%1\r\n$1\r\na\r\n,1.5\r\n",
            "*2\r\n$1\r\na\r\n$3\r\n1.5\r\n",
            "*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n",
        ] {
            assert_eq!(read::<Vec<(String, f64)>>(wire).unwrap(), expected, "{wire:?}");
            let map: BTreeMap<String, f64> = read(wire).unwrap();
            assert_eq!(map.into_iter().collect::<Vec<_>>(), expected, "{wire:?}");
        }
        assert!(read::<Vec<(String, i64)>>("*1\r\n$1\r\na\r\n").is_err());
    }

    #[test]
    fn bytes_are_no_list_of_numbers() {
        assert_eq!(read::<Vec<u8>>("$2\r\n\0x\r\n").unwrap(), b"\0x");
        assert_eq!(read::<Vec<Option<u16>>>("*2\r\n:1\r\n$-1\r\n").unwrap(), [Some(1), None]);
        assert!(read::<(u16, u16)>("*3\r\n:1\r\n:2\r\n:3\r\n").is_err());
    }

    #[test]
    fn a_lying_count_reserves_nothing_large() {
        assert!(read::<Vec<u64>>("*2000000000\r\n:1\r\n").is_err());
    }
}
