//! The order of a hash's fields, and the form their names come in, change nothing that is read.

use alizarin_core::resp::Reader;
use proptest::prelude::*;

use super::{Document, Loaded, StoredValue};
use crate::__private::decode_hits;
use crate::FromReply;
use crate::prelude::*;

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "order")]
struct Ordered {
    #[redis(id)]
    id: u64,
    a_name_of_more_than_nine_letters: Option<String>,
    #[redis(nested)]
    inside: Inside,
    bytes: Option<Vec<u8>>,
    score: Option<f64>,
    count: Option<i16>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Inside {
    text: String,
    id: Option<u8>,
}

/// Fields as a hash may hold them: the model's, others, and some that begin alike.
fn field() -> impl Strategy<Value = (String, Vec<u8>)> {
    let digits = "-?[0-9]{1,20}".prop_map(String::into_bytes);
    let floats = prop_oneof![
        any::<f64>().prop_map(|value| value.to_string().into_bytes()),
        "-?[0-9]{0,17}[.]?[0-9]{0,17}(e-?[0-9]{1,3})?".prop_map(String::into_bytes),
    ];
    let text = prop_oneof!["\\PC{0,20}", "[a-z\r\n$+]{0,1200}"].prop_map(String::into_bytes);
    let bytes = proptest::collection::vec(any::<u8>(), 0..40);
    let names = ["id", "a_name_of_more_than_nine_letters", "inside.text", "inside.id", "inside"];
    let others = ["bytes", "score", "count", "i", "idx", "other", "inside.", "", "sCore"];
    let name = proptest::sample::select([&names[..], &others].concat());
    (name.prop_map(str::to_owned), prop_oneof![3 => digits, 2 => floats, 2 => text, 1 => bytes])
}

fn bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("${}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// A map of the fields, with names as strings or as lines.
fn map(fields: &[(String, Vec<u8>)], lines: bool) -> Vec<u8> {
    let mut out = format!("%{}\r\n", fields.len()).into_bytes();
    for (name, value) in fields {
        match lines {
            true => out.extend_from_slice(format!("+{name}\r\n").as_bytes()),
            false => bulk(&mut out, name.as_bytes()),
        }
        bulk(&mut out, value);
    }
    out
}

/// One field after the other, each looked up by its name.
fn by_name(fields: &[(String, Vec<u8>)]) -> Result<Ordered> {
    let mut partial = <Ordered as Document>::Partial::default();
    for (name, value) in fields {
        Ordered::accept(&mut partial, name.as_bytes(), StoredValue::Hash(value))?;
    }
    Ordered::finish(partial)
}

fn said(outcome: Result<Ordered>) -> std::result::Result<Ordered, (ErrorKind, Option<String>)> {
    outcome.map_err(|error| (error.kind(), error.field().map(str::to_owned)))
}

proptest! {
    #[test]
    fn any_order_reads_the_same(
        mut fields in proptest::collection::vec(field(), 1..12),
        sorted: bool,
        valid: bool,
    ) {
        if valid {
            let id = |(name, value): &mut (String, Vec<u8>)| {
                if name != "inside.text" && name != "inside" && name != "bytes" {
                    *value = b"7".to_vec();
                }
            };
            fields.iter_mut().for_each(id);
            fields.push(("inside.text".to_owned(), b"x".to_vec()));
            fields.push(("id".to_owned(), b"12".to_vec()));
        }
        if sorted {
            let order = ["id", "a_name_of_more_than_nine_letters", "inside.text", "bytes"];
            let place = |name: &str| order.iter().position(|known| *known == name);
            fields.sort_by_key(|(name, _)| place(name).unwrap_or(order.len()));
        }
        let expected = said(by_name(&fields));
        for lines in [false, true] {
            let reply = map(&fields, lines);
            let mut reader = Reader::new(&reply);
            let loaded = Loaded::<Ordered>::from_reply(&mut reader).unwrap();
            prop_assert!(reader.is_empty());
            let loaded = loaded.0.map(|document| document.unwrap());
            prop_assert_eq!(said(loaded), expected.clone());
            let hits = [b"%1\r\n+results\r\n*1\r\n%2\r\n+id\r\n$1\r\nk\r\n+extra_attributes\r\n", &*reply];
            let found = decode_hits::<Ordered>(&hits.concat()).map(|mut hits| hits.remove(0));
            prop_assert_eq!(said(found), expected.clone());
        }
    }
}
