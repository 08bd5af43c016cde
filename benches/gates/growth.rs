//! Twice as much costs about twice as much, whatever comes and however it is cut.

use std::collections::{BTreeSet, HashMap};
use std::hint::black_box;

use alizarin::__private::{decode_document, decode_hits, receive};
use alizarin::resp::Reader;
use alizarin::{FromReply, Result, Value};

use crate::count;
use crate::paths::{Order, Profile, bulk, fields, hits, json};

/// In pieces of so many bytes, so many elements.
const CUTS: [(usize, usize); 2] = [(1, 512), (16 << 10, 8_192)];

/// Twice as much may cost so much, in hundredths of what once costs: four times is the square.
const MOST: u64 = 240;

/// One kind of reply.
struct Kind {
    name: &'static str,
    /// A reply of so many elements, each of some 16 bytes or more.
    wire: fn(usize) -> Vec<u8>,
    /// How many frames it has.
    frames: fn(usize) -> u32,
    decode: fn(&mut Reader<'_>) -> Result<()>,
}

fn decode<T: FromReply>(reader: &mut Reader<'_>) -> Result<()> {
    black_box(T::from_reply(reader)?);
    Ok(())
}

/// All that come, one after the other.
fn decode_all<T: FromReply>(reader: &mut Reader<'_>) -> Result<()> {
    while !reader.is_empty() {
        decode::<T>(reader)?;
    }
    Ok(())
}

fn one(_: usize) -> u32 {
    1
}

/// A header with the number of elements, and the elements.
fn aggregate(kind: char, n: usize, element: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let head = format!("{kind}{n}\r\n").into_bytes();
    head.into_iter().chain((0..n).flat_map(element)).collect()
}

fn text(n: usize) -> Vec<u8> {
    bulk(&format!("element {n}"))
}

/// One hash of which the model has a few fields.
fn wide(n: usize) -> Vec<u8> {
    let own = fields(7);
    let own = own.strip_prefix(b"%20\r\n").unwrap_or_default();
    let mut wire = format!("%{}\r\n", n + 20).into_bytes();
    wire.extend((0..n).flat_map(|at| [text(at), bulk("x")].concat()));
    wire.extend(own);
    wire
}

/// A list without a length, of strings without one.
fn streamed(n: usize) -> Vec<u8> {
    [b"*?\r\n".to_vec(), b"$?\r\n;1\r\na\r\n;0\r\n".repeat(n), b".\r\n".to_vec()].concat()
}

/// A pipeline of two frames, with pushes between them.
fn pushes(n: usize) -> Vec<u8> {
    let push = b">3\r\n+message\r\n+news\r\n+x\r\n".repeat(n);
    [aggregate('*', n, |_| b":7\r\n".to_vec()), push, aggregate('*', 1, text)].concat()
}

const KINDS: [Kind; 14] = [
    Kind {
        name: "Bytes",
        wire: |n| bulk(&"x".repeat(16 * n)),
        frames: one,
        decode: decode::<bytes::Bytes>,
    },
    Kind {
        name: "String",
        wire: |n| bulk(&"\u{fc}".repeat(8 * n)),
        frames: one,
        decode: decode::<String>,
    },
    Kind {
        name: "Vec<String>",
        wire: |n| aggregate('*', n, text),
        frames: one,
        decode: decode::<Vec<String>>,
    },
    Kind {
        name: "Vec<u64>",
        wire: |n| aggregate('*', n, |at| format!(":{at}\r\n").into_bytes()),
        frames: one,
        decode: decode::<Vec<u64>>,
    },
    Kind {
        name: "BTreeSet<String>",
        wire: |n| aggregate('~', n, text),
        frames: one,
        decode: decode::<BTreeSet<String>>,
    },
    Kind {
        name: "HashMap<String, u64>",
        wire: |n| aggregate('%', n, |at| [text(at), b":7\r\n".to_vec()].concat()),
        frames: one,
        decode: decode::<HashMap<String, u64>>,
    },
    Kind {
        name: "Vec<(String, f64)>",
        wire: |n| {
            aggregate('*', n, |at| [b"*2\r\n".to_vec(), text(at), b",1.5\r\n".to_vec()].concat())
        },
        frames: one,
        decode: decode::<Vec<(String, f64)>>,
    },
    Kind {
        name: "Value",
        wire: |n| {
            aggregate('*', n, |_| b"|1\r\n+a\r\n#t\r\n%1\r\n+k\r\n*2\r\n:1\r\n_\r\n".to_vec())
        },
        frames: one,
        decode: decode::<Value>,
    },
    Kind { name: "streamed", wire: streamed, frames: one, decode: decode::<Vec<String>> },
    Kind {
        name: "pipeline",
        wire: |n| (0..n).flat_map(text).collect(),
        frames: |n| u32::try_from(n).unwrap_or(u32::MAX),
        decode: decode_all::<String>,
    },
    Kind { name: "pushes", wire: pushes, frames: |_| 2, decode: decode_all::<Value> },
    Kind {
        name: "models",
        wire: |n| hits(n / 32),
        frames: one,
        decode: |reader| decode_hits::<Profile>(reader.rest()).map(|found| drop(black_box(found))),
    },
    Kind {
        name: "hash",
        wire: wide,
        frames: one,
        decode: |reader| {
            decode_document::<Profile>(reader.rest()).map(|found| drop(black_box(found)))
        },
    },
    Kind {
        name: "JSON",
        wire: |n| bulk(&json(n / 8)),
        frames: one,
        decode: |reader| {
            decode_document::<Order>(reader.rest()).map(|found| drop(black_box(found)))
        },
    },
];

/// Receives a reply once.
pub(crate) fn run(name: &str, piece: usize, size: usize) -> Result<(), String> {
    let kind = KINDS.iter().find(|kind| kind.name == name).ok_or("no such kind of reply")?;
    let wire = (kind.wire)(size);
    measured(kind, &wire, piece, size).map_err(|error| error.to_string())
}

/// What callgrind counts.
#[inline(never)]
fn measured(kind: &Kind, wire: &[u8], piece: usize, size: usize) -> Result<()> {
    receive(wire, piece, (kind.frames)(size), kind.decode)
}

/// Fails when a kind of reply grows dearer than in proportion.
pub(crate) fn check() -> Result<(), String> {
    if let Err(reason) = count::available() {
        println!("growth: skipped, {reason}");
        return Ok(());
    }
    let mut missed = Vec::new();
    for kind in &KINDS {
        for (piece, size) in CUTS {
            let once = count::growth(kind.name, piece, size)?;
            let twice = count::growth(kind.name, piece, 2 * size)?;
            let share = twice as f64 / once as f64;
            let what = format!("{} in pieces of {piece}", kind.name);
            println!("growth {what}: {once} instructions, of twice as much {share:.2} times");
            if twice * 100 > once * MOST {
                missed.push(what);
            }
        }
    }
    match missed.is_empty() {
        true => Ok(()),
        false => Err(format!("dearer than in proportion: {}", missed.join(", "))),
    }
}
