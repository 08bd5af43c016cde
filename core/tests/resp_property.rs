//! Any tree of replies decodes to itself in any chunking; any bytes at all do no harm.

use alizarin_core::resp::{Limits, Packed, Reader, Scan, Scanner};
use alizarin_core::{FromReply, Value};
use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The letters that begin elements, and those that make lengths and ends.
const ALPHABET: &[u8] = b"+-:,#_($=!*~%>|;.?0123456789\r\nxt";

fn scalar() -> impl Strategy<Value = Value> {
    let line = "[ -~]{0,20}";
    prop_oneof![
        line.prop_map(Value::Simple),
        line.prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        "-?[1-9][0-9]{0,60}".prop_map(Value::BigNumber),
        any::<bool>().prop_map(Value::Boolean),
        any::<f64>().prop_filter("equal to itself", |v| !v.is_nan()).prop_map(Value::Double),
        vec(any::<u8>(), 0..300).prop_map(|bytes| Value::Bulk(bytes.into())),
        vec(select(ALPHABET), 0..40).prop_map(|bytes| Value::Bulk(bytes.into())),
        ("[a-z]{3}", vec(any::<u8>(), 0..40))
            .prop_map(|(format, text)| Value::Verbatim(format, text.into())),
        Just(Value::Null),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec(inner.clone(), 0..6).prop_map(Value::Set),
            vec(inner.clone(), 0..6).prop_map(Value::Push),
            vec((inner.clone(), inner), 0..4).prop_map(Value::Map),
        ]
    })
}

/// How a tree is written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Resp2,
    Resp3,
    /// With an attribute before each element.
    Attributed,
}

fn encode(value: &Value, form: Form, out: &mut Vec<u8>) {
    if form == Form::Attributed {
        out.extend_from_slice(b"|1\r\n+ttl\r\n*2\r\n:1\r\n$0\r\n\r\n");
    }
    let line = |out: &mut Vec<u8>, sign: char, text: &str| {
        out.extend_from_slice(format!("{sign}{text}\r\n").as_bytes());
    };
    let blob = |out: &mut Vec<u8>, sign: char, parts: &[&[u8]]| {
        out.extend_from_slice(format!("{sign}{}\r\n", parts.concat().len()).as_bytes());
        out.extend_from_slice(&parts.concat());
        out.extend_from_slice(b"\r\n");
    };
    let all = |out: &mut Vec<u8>, sign: char, items: &[Value]| {
        line(out, sign, &items.len().to_string());
        items.iter().for_each(|item| encode(item, form, out));
    };
    match value {
        Value::Simple(text) => line(out, '+', text),
        Value::Error(text) if form == Form::Attributed => blob(out, '!', &[text.as_bytes()]),
        Value::Error(text) => line(out, '-', text),
        Value::Integer(value) => line(out, ':', &value.to_string()),
        Value::BigNumber(digits) => line(out, '(', digits),
        Value::Boolean(value) => line(out, '#', if *value { "t" } else { "f" }),
        Value::Double(value) => line(out, ',', &value.to_string()),
        Value::Bulk(bytes) => blob(out, '$', &[bytes]),
        Value::Verbatim(format, text) => blob(out, '=', &[format.as_bytes(), b":", text]),
        Value::Null if form == Form::Resp2 => line(out, '$', "-1"),
        Value::Null => line(out, '_', ""),
        Value::Array(items) => all(out, '*', items),
        Value::Set(items) => all(out, '~', items),
        Value::Push(items) => all(out, '>', items),
        Value::Map(pairs) => {
            line(out, '%', &pairs.len().to_string());
            for (key, value) in pairs {
                encode(key, form, out);
                encode(value, form, out);
            }
        }
        other => panic!("no such value is made: {other:?}"),
    }
}

/// The same reply as an old server gives it.
fn in_resp2(value: Value) -> Value {
    let text = |text: String| Value::Bulk(Bytes::from(text));
    let all = |items: Vec<Value>| Value::Array(items.into_iter().map(in_resp2).collect());
    match value {
        Value::BigNumber(digits) => text(digits),
        Value::Boolean(value) => Value::Integer(i64::from(value)),
        Value::Double(value) => text(value.to_string()),
        Value::Verbatim(_, bytes) => Value::Bulk(bytes),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => all(items),
        Value::Map(pairs) => all(pairs.into_iter().flat_map(|(k, v)| [k, v]).collect()),
        other => other,
    }
}

/// A reply of the kinds that are scanned many elements at once.
fn row() -> impl Strategy<Value = Vec<u8>> {
    let bulk = |bytes: Vec<u8>| {
        let mut out = Vec::new();
        encode(&Value::Bulk(bytes.into()), Form::Resp3, &mut out);
        out
    };
    let string = prop_oneof![
        4 => vec(any::<u8>(), 0..12),
        2 => vec(select(ALPHABET), 0..120),
        1 => vec(select(ALPHABET), 990..1010),
    ]
    .prop_map(bulk);
    let line = prop_oneof![
        "[+][a-zA-Z ]{0,40}\r\n",
        "[:,]-?[0-9]{1,18}\r\n",
        Just("+OK\r\n".to_owned()),
        Just("_\r\n".to_owned()),
        Just("$-1\r\n".to_owned()),
    ]
    .prop_map(String::into_bytes);
    let element = prop_oneof![3 => string, 2 => line];
    let many = |sign: char, width: usize, elements: Vec<Vec<u8>>| {
        let count = elements.len() / width;
        let mut out = format!("{sign}{count}\r\n").into_bytes();
        elements.into_iter().take(count * width).for_each(|element| out.extend(element));
        out
    };
    element.prop_recursive(3, 60, 10, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..10).prop_map(move |all| many('*', 1, all)),
            vec(inner.clone(), 2..3).prop_map(move |all| many('*', 1, all)),
            vec(inner, 0..12).prop_map(move |all| many('%', 2, all)),
        ]
    })
}

/// Where the reply ends, found in the plainest way.
fn end_of(wire: &[u8]) -> Option<usize> {
    let line = wire.windows(2).position(|bytes| bytes == b"\r\n")? + 2;
    let number = || std::str::from_utf8(&wire[1..line - 2]).ok()?.parse::<i64>().ok();
    let children = match wire[0] {
        b'$' => return Some(number()?.try_into().map_or(line, |len: usize| line + len + 2)),
        b'*' => number()?,
        b'%' => number()? * 2,
        _ => 0,
    };
    let mut end = line;
    for _ in 0..children {
        end += end_of(&wire[end..])?;
    }
    Some(end)
}

/// Where the frames end, with the bytes fed in pieces of these sizes.
fn frames(wire: &[u8], chunks: &[usize]) -> Vec<(usize, bool)> {
    let (mut scanner, mut found) = (Scanner::new(Limits::default()), Vec::new());
    let (mut at, mut fed) = (0, 0);
    let mut sizes = chunks.iter().copied().cycle();
    while fed < wire.len() {
        fed = (fed + sizes.next().unwrap_or(1).max(1)).min(wire.len());
        while at < fed {
            match scanner.scan(&wire[at..fed]).unwrap() {
                Scan::NeedMore { hint } => {
                    assert!(hint >= 1 && fed + hint <= wire.len(), "promises {hint} too much");
                    break;
                }
                Scan::Frame { len, push, streamed } => {
                    assert!(!streamed);
                    found.push((len, push));
                    at += len;
                }
            }
        }
    }
    assert_eq!(at, wire.len());
    found
}

/// Decodes into everything that might stumble.
fn decode_in_every_way(frame: &Bytes) {
    fn one<T: FromReply>(frame: &Bytes) {
        let _ = T::from_reply(&mut Reader::shared(frame));
        let _ = T::from_reply(&mut Reader::new(frame));
    }
    type Nested<T> = Vec<Vec<Vec<T>>>;
    one::<Value>(frame);
    one::<()>(frame);
    one::<Option<Vec<alizarin_core::Result<String>>>>(frame);
    one::<Nested<[u64; 4]>>(frame);
    one::<std::collections::HashMap<String, Vec<u8>>>(frame);
    one::<Vec<(String, f64)>>(frame);
    one::<(bool, i128, alizarin_core::resp::Verbatim)>(frame);
    one::<alizarin_core::commands::Ttl>(frame);
    one::<Bytes>(frame);
}

proptest! {
    #[test]
    fn any_tree_decodes_to_itself_in_any_chunking(
        values in vec(tree(), 1..5),
        chunks in vec(1..40usize, 1..20),
        form in select(&[Form::Resp2, Form::Resp3, Form::Attributed][..]),
    ) {
        let values: Vec<Value> = match form {
            Form::Resp2 => values.into_iter().map(in_resp2).collect(),
            _ => values,
        };
        let mut wire = Vec::new();
        values.iter().for_each(|value| encode(value, form, &mut wire));
        let at_once = frames(&wire, &[wire.len()]);
        prop_assert_eq!(&frames(&wire, &chunks), &at_once);
        prop_assert_eq!(&frames(&wire, &[1]), &at_once);
        prop_assert_eq!(at_once.len(), values.len());
        let wire = Bytes::from(wire);
        let mut at = 0;
        for ((len, push), value) in at_once.into_iter().zip(&values) {
            prop_assert_eq!(push, matches!(value, Value::Push(_)));
            let frame = wire.slice(at..at + len);
            for mut reader in [Reader::shared(&frame), Reader::new(&frame)] {
                match (Value::from_reply(&mut reader), value) {
                    (Err(error), Value::Error(line)) => prop_assert_eq!(error.message(), line),
                    (came, value) => prop_assert_eq!(&came.unwrap(), value),
                }
                prop_assert!(reader.is_empty());
            }
            decode_in_every_way(&frame);
            at += len;
        }
    }

    #[test]
    fn what_is_short_is_read_as_by_the_plain_rules(
        rows in vec(row(), 1..12),
        chunks in vec(1..40usize, 1..20),
        list: bool,
    ) {
        // What a client mostly gets: lists of short strings, pairs and maps, alone or in a list.
        let mut wire = Vec::new();
        if list {
            wire.extend_from_slice(format!("*{}\r\n", rows.len()).as_bytes());
        }
        rows.iter().for_each(|row| wire.extend_from_slice(row));
        let mut expected = Vec::new();
        while let Some(end) = end_of(&wire[expected.iter().sum::<usize>()..]) {
            expected.push(end);
        }
        prop_assert_eq!(expected.iter().sum::<usize>(), wire.len());
        for chunks in [&chunks[..], &[1], &[wire.len()], &[16 << 10]] {
            let found: Vec<usize> = frames(&wire, chunks).into_iter().map(|(len, _)| len).collect();
            prop_assert_eq!(&found, &expected);
        }
    }

    #[test]
    fn texts_that_are_checked_together_are_as_those_checked_alone(
        texts in vec(
            prop_oneof![
                4 => "[a-z ]{0,40}".prop_map(String::into_bytes),
                2 => "\\PC{0,30}".prop_map(String::into_bytes),
                1 => vec(any::<u8>(), 0..20),
                1 => "\\PC{900,1100}".prop_map(String::into_bytes),
                1 => "[a-z]{4000,5000}".prop_map(String::into_bytes),
            ],
            0..40,
        ),
    ) {
        let mut wire = format!("*{}\r\n", texts.len()).into_bytes();
        for text in &texts {
            encode(&Value::Bulk(text.clone().into()), Form::Resp3, &mut wire);
        }
        let together: Vec<alizarin_core::Result<String>> =
            FromReply::from_reply(&mut Reader::new(&wire)).unwrap();
        prop_assert_eq!(together.len(), texts.len());
        for (came, text) in together.into_iter().zip(texts) {
            prop_assert_eq!(came.ok(), String::from_utf8(text).ok());
        }
    }

    #[test]
    fn numbers_are_what_the_standard_library_reads(
        text in prop_oneof![
            "-?[0-9]{1,20}",
            "-?[0-9]{0,9}[.]?[0-9]{0,9}(e-?[0-9]{1,2})?",
            any::<f64>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            "[-+.0-9/:e]{0,20}",
        ],
        behind in vec(any::<u8>(), 0..20),
    ) {
        use alizarin_core::resp::{short_decimal, short_integer};
        if let Some(read) = short_integer(text.as_bytes()) {
            prop_assert_eq!(Ok(read), text.parse::<i64>());
        }
        let expected = text.parse::<f64>().map(f64::to_bits);
        if let Some(read) = short_decimal(text.as_bytes()) {
            prop_assert_eq!(Some(read.to_bits()), expected.as_ref().ok().copied());
        }
        let wire = [format!(",{text}\r\n").as_bytes(), &behind].concat();
        let read = f64::from_reply(&mut Reader::new(&wire)).map(f64::to_bits);
        prop_assert_eq!(read.ok(), expected.ok());
    }

    #[test]
    fn any_arguments_travel_unchanged(arguments in vec(vec(any::<u8>(), 0..200), 1..20)) {
        let mut packed = Packed::new();
        arguments.iter().for_each(|argument| packed.push(argument));
        let mut wire = Vec::new();
        packed.write_to(&mut wire);
        prop_assert_eq!(wire.len(), packed.wire_len());
        let back: Vec<Vec<u8>> = FromReply::from_reply(&mut Reader::new(&wire)).unwrap();
        prop_assert_eq!(&back, &arguments);
        prop_assert!(packed.arguments().eq(arguments.iter().map(Vec::as_slice)));
    }

    #[test]
    fn hostile_bytes_neither_panic_nor_allocate_by_what_they_claim(
        wire in prop_oneof![
            vec(select(ALPHABET), 0..200),
            vec(any::<u8>(), 0..200),
            (tree(), vec((0..400usize, select(ALPHABET)), 1..6)).prop_map(|(value, changes)| {
                let mut wire = Vec::new();
                encode(&value, Form::Resp3, &mut wire);
                for (at, byte) in changes {
                    let len = wire.len();
                    wire[at % len] = byte;
                }
                wire
            }),
        ],
        chunks in vec(1..30usize, 1..10),
    ) {
        let shared = Bytes::from(wire.clone());
        let spent = allocation_counter::measure(|| {
            let mut scanner = Scanner::new(Limits::default());
            let (mut at, mut fed) = (0, 0);
            let mut sizes = chunks.iter().copied().cycle();
            'fed: while fed < wire.len() {
                fed = (fed + sizes.next().unwrap_or(1)).min(wire.len());
                while at < fed {
                    match scanner.scan(&wire[at..fed]) {
                        Ok(Scan::Frame { len, .. }) => {
                            assert!(len >= 3 && at + len <= fed);
                            decode_in_every_way(&shared.slice(at..at + len));
                            at += len;
                        }
                        Ok(_) => break,
                        Err(_) => break 'fed,
                    }
                }
            }
            // Never scanned: what a caller's own reader may be given.
            decode_in_every_way(&shared);
        });
        // A list reserves room for 65,536 elements at most, at three depths, in two readers.
        prop_assert!(spent.bytes_max < 16 << 20, "{} bytes for {:?}", spent.bytes_max, wire);
    }
}

#[test]
fn depth_is_a_limit_and_costs_no_stack() {
    let mut limits = Limits::default();
    for (sign, each) in [("*", "*1\r\n"), ("%", "%1\r\n+k\r\n"), ("~", "~?\r\n"), ("|", "|1\r\n")] {
        let deep = each.repeat(100_000);
        assert!(Scanner::new(limits).scan(deep.as_bytes()).is_err(), "{sign}");
    }
    limits.max_depth = 3;
    assert!(Scanner::new(limits).scan(b"*1\r\n*1\r\n*1\r\n:1\r\n").is_ok());
    assert!(Scanner::new(limits).scan(b"*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n").is_err());
    // A reader that is given such bytes all the same passes over them without recursion.
    let deep = format!("{}:1\r\n", "*1\r\n".repeat(1_000_000));
    let mut reader = Reader::new(deep.as_bytes());
    reader.skip().unwrap();
    assert!(reader.is_empty());
    let attributes = format!("{}+x\r\n", "|1\r\n+a\r\n".repeat(1_000_000));
    assert!(Reader::new(attributes.as_bytes()).next().is_err());
}
