//! Several nodes' replies as one. No I/O.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Frame, FromReply, Reader};

/// How the replies of several nodes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// The first error, else the first reply.
    AllSucceeded,
    /// The first reply that is no error, else the first error.
    OneSucceeded,
    /// The sum of integers.
    Sum,
    /// Arrays with one element a key, put in the order of the keys.
    Elements,
    /// Arrays, one after the other.
    Concatenated,
    /// Arrays, each element once.
    Union,
    /// Arrays of flags: all must be set.
    And,
    /// Arrays of names and numbers: the numbers of one name are added.
    Counts,
    /// One of those that are not null.
    One,
}

/// One node's part in a command: its reply, and for which of the command's keys.
pub(super) struct Share {
    pub(super) reply: Bytes,
    pub(super) keys: Vec<usize>,
}

impl Merge {
    /// The reply that stands for all; a node's error stands for all of them.
    ///
    /// # Errors
    /// `Protocol` for replies of another shape.
    pub(super) fn apply(self, shares: &[Share]) -> Result<Vec<u8>> {
        let is_error = |share: &&Share| matches!(share.reply.first(), Some(b'-' | b'!'));
        let failed = shares.iter().find(is_error);
        if self == Merge::OneSucceeded
            && let Some(fine) = shares.iter().find(|share| !is_error(share))
        {
            return Ok(fine.reply.to_vec());
        }
        if let Some(failed) = failed {
            return Ok(failed.reply.to_vec());
        }
        let first = || shares.first().map(|share| share.reply.to_vec()).unwrap_or_default();
        match self {
            Merge::AllSucceeded | Merge::OneSucceeded => Ok(first()),
            Merge::One => {
                let full: Vec<_> = shares.iter().filter(|share| !is_null(&share.reply)).collect();
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let at = now.subsec_nanos() as usize / 128;
                Ok(full
                    .get(at.checked_rem(full.len()).unwrap_or(0))
                    .map_or_else(first, |one| one.reply.to_vec()))
            }
            Merge::Sum => {
                let mut sum = 0i64;
                for share in shares {
                    sum = sum.saturating_add(i64::from_reply(&mut Reader::new(&share.reply))?);
                }
                Ok(format!(":{sum}\r\n").into_bytes())
            }
            Merge::Elements => elements(shares),
            Merge::Concatenated => {
                let mut all = Vec::new();
                for share in shares {
                    all.extend(split(&share.reply)?);
                }
                Ok(array(&all))
            }
            Merge::Union => {
                let mut all = BTreeSet::new();
                for share in shares {
                    all.extend(split(&share.reply)?);
                }
                Ok(array(&all.into_iter().collect::<Vec<_>>()))
            }
            Merge::And => {
                let flags = columns(shares, |flags: &[i64]| flags.iter().copied().min())?;
                Ok(integers(&flags))
            }
            Merge::Counts => counts(shares),
        }
    }
}

fn is_null(reply: &[u8]) -> bool {
    matches!(Reader::new(reply).next(), Ok(Frame::Null))
}

/// The elements of an array, each in wire form.
fn split(reply: &Bytes) -> Result<Vec<Bytes>> {
    let mut reader = Reader::new(reply);
    let count = match reader.next()? {
        Frame::Array(count) | Frame::Set(count) => count,
        // RESP3 has maps where RESP2 has flat arrays.
        Frame::Map(pairs) => pairs.saturating_mul(2),
        frame => return Err(shape(&frame.describe())),
    };
    let mut all = Vec::new();
    for _ in 0..count {
        let start = reply.len().saturating_sub(reader.remaining());
        reader.skip()?;
        all.push(reply.slice(start..reply.len().saturating_sub(reader.remaining())));
    }
    Ok(all)
}

fn array(elements: &[Bytes]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", elements.len()).into_bytes();
    elements.iter().for_each(|element| out.extend_from_slice(element));
    out
}

fn integers(values: &[i64]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", values.len()).into_bytes();
    values.iter().for_each(|value| out.extend_from_slice(format!(":{value}\r\n").as_bytes()));
    out
}

fn elements(shares: &[Share]) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for share in shares {
        let elements = split(&share.reply)?;
        if elements.len() != share.keys.len() {
            return Err(shape("another number of elements than keys"));
        }
        all.extend(share.keys.iter().copied().zip(elements));
    }
    all.sort_by_key(|(key, _)| *key);
    Ok(array(&all.into_iter().map(|(_, element)| element).collect::<Vec<_>>()))
}

/// Combines the first elements of all arrays, then the second ones, and so on.
fn columns(shares: &[Share], combine: impl Fn(&[i64]) -> Option<i64>) -> Result<Vec<i64>> {
    let mut rows = Vec::new();
    for share in shares {
        rows.push(<Vec<i64>>::from_reply(&mut Reader::new(&share.reply))?);
    }
    let width = rows.iter().map(Vec::len).min().unwrap_or(0);
    let column = |at: usize| {
        let values: Vec<i64> = rows.iter().filter_map(|row| row.get(at).copied()).collect();
        combine(&values)
    };
    Ok((0..width).filter_map(column).collect())
}

fn counts(shares: &[Share]) -> Result<Vec<u8>> {
    let mut sums: Vec<(Bytes, i64)> = Vec::new();
    for share in shares {
        for pair in split(&share.reply)?.chunks_exact(2) {
            let [name, number] = pair else { continue };
            let number = i64::from_reply(&mut Reader::new(number))?;
            match sums.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum = sum.saturating_add(number),
                None => sums.push((name.clone(), number)),
            }
        }
    }
    let number = |sum: i64| Bytes::from(format!(":{sum}\r\n"));
    Ok(array(&sums.into_iter().flat_map(|(name, sum)| [name, number(sum)]).collect::<Vec<_>>()))
}

fn shape(what: &str) -> Error {
    let text = format!("the nodes' replies cannot be put together: {what}");
    Error::new(ErrorKind::Protocol, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(merge: Merge, replies: &[(&str, &[usize])]) -> String {
        let share = |(reply, keys): &(&str, &[usize])| Share {
            reply: Bytes::from(reply.replace('|', "\r\n")),
            keys: keys.to_vec(),
        };
        let shares: Vec<Share> = replies.iter().map(share).collect();
        String::from_utf8(merge.apply(&shares).unwrap()).unwrap().replace("\r\n", "|")
    }

    #[test]
    fn every_merge() {
        for (merge, replies, expected) in [
            (Merge::Sum, &[(":2|", &[][..]), (":3|", &[])][..], ":5|"),
            (Merge::AllSucceeded, &[("+OK|", &[]), ("+OK|", &[])], "+OK|"),
            (Merge::AllSucceeded, &[("+OK|", &[]), ("-ERR no|", &[])], "-ERR no|"),
            (Merge::OneSucceeded, &[("-NOTBUSY x|", &[]), ("+OK|", &[])], "+OK|"),
            (Merge::OneSucceeded, &[("-NOTBUSY x|", &[]), ("-NOTBUSY y|", &[])], "-NOTBUSY x|"),
            (Merge::Elements, &[("*2|$1|b|_|", &[1, 2]), ("*1|$1|a|", &[0])], "*3|$1|a|$1|b|_|"),
            (Merge::Concatenated, &[("*1|$1|a|", &[]), ("*1|$1|a|", &[])], "*2|$1|a|$1|a|"),
            (Merge::Union, &[("*1|$1|a|", &[]), ("*1|$1|a|", &[])], "*1|$1|a|"),
            (Merge::And, &[("*2|:1|:0|", &[]), ("*2|:1|:1|", &[])], "*2|:1|:0|"),
            (Merge::Counts, &[("*2|$1|a|:1|", &[]), ("*2|$1|a|:4|", &[])], "*2|$1|a|:5|"),
            (Merge::One, &[("_|", &[]), ("$1|k|", &[])], "$1|k|"),
            (Merge::One, &[("_|", &[]), ("_|", &[])], "_|"),
        ] {
            assert_eq!(merged(merge, replies), expected, "{merge:?}");
        }
    }
}
