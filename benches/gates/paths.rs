//! The hot paths, without a server.

use std::fmt::Write;
use std::hint::black_box;

use alizarin::__private::{decode_document, decode_hits};
use alizarin::prelude::*;
use alizarin::resp::{Limits, Reader, Scan, Scanner};
use alizarin::{FromReply, commands};

/// 20 fields, 10 of them texts.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "profile", index)]
pub(crate) struct Profile {
    #[redis(id)]
    id: String,
    #[redis(tag)]
    email: String,
    #[redis(text)]
    first_name: String,
    last_name: String,
    country: String,
    city: String,
    street: String,
    phone: String,
    company: String,
    about: String,
    #[redis(numeric)]
    age: u32,
    height: u32,
    level: u32,
    rank: u32,
    logins: u64,
    created: i64,
    updated: i64,
    balance: i64,
    score: f64,
    ratio: f64,
}

/// The same in JSON, and a nested struct.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "order")]
pub(crate) struct Order {
    #[redis(id)]
    id: u64,
    customer: String,
    #[redis(nested)]
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
pub(crate) struct Line {
    article: String,
    name: String,
    count: u32,
    price: f64,
}

pub(crate) const NAMES: [&str; 6] =
    ["encode-get", "decode-get", "decode-model", "decode-search-100", "decode-json", "scan-model"];

/// Runs a path so many times; `false` when there is none of that name.
pub(crate) fn run(name: &str, times: u64) -> bool {
    match name {
        "encode-get" => repeat(times, || {
            let mut out = Vec::with_capacity(64);
            commands::get::<String>(black_box("user:1000")).packed().write_to(&mut out);
            out
        }),
        "decode-get" => {
            let reply = bulk(&"x".repeat(100));
            repeat(times, || {
                scan(&reply);
                String::from_reply(&mut Reader::new(&reply)).expect("text")
            });
        }
        "decode-model" => {
            let reply = fields(7);
            repeat(times, || {
                scan(&reply);
                decode_document::<Profile>(&reply).expect("a document").expect("one")
            });
        }
        "decode-search-100" => {
            let reply = hits(100);
            repeat(times.div_ceil(20), || {
                scan(&reply);
                decode_hits::<Profile>(&reply).expect("hits")
            });
        }
        "decode-json" => {
            let reply = bulk(&json(17));
            repeat(times, || {
                scan(&reply);
                decode_document::<Order>(&reply).expect("a document").expect("one")
            });
        }
        "scan-model" => {
            let reply = fields(7);
            repeat(times, || scan(&reply));
        }
        _ => return false,
    }
    true
}

fn repeat<T>(times: u64, mut path: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(path());
    }
}

/// Finds the end, as the connection does.
fn scan(reply: &[u8]) {
    let found = Scanner::new(Limits::default()).scan(black_box(reply)).expect("a reply");
    assert!(matches!(found, Scan::Frame { len, .. } if len == reply.len()));
}

pub(crate) fn bulk(text: &str) -> Vec<u8> {
    format!("${}\r\n{text}\r\n", text.len()).into_bytes()
}

pub(crate) fn fields(n: usize) -> Vec<u8> {
    let texts = [
        ("id", "0007"),
        ("email", "person7@example.com"),
        ("first_name", "Johanna"),
        ("last_name", "Sebastian"),
        ("country", "AT"),
        ("city", "Vienna"),
        ("street", "Herrengasse 14"),
        ("phone", "+43 1 0000007"),
        ("company", "Company number 7"),
        ("about", "Somebody who likes long walks and short queries"),
    ];
    let numbers = [
        ("age", n * 3),
        ("height", 178),
        ("level", 4),
        ("rank", 1_204),
        ("logins", 9_182),
        ("created", 1_700_000_000_123),
        ("updated", 1_710_000_000_456),
        ("balance", 12_345),
    ];
    let mut reply = b"%20\r\n".to_vec();
    let mut field = |name: &str, value: &str| {
        reply.extend(bulk(name));
        reply.extend(bulk(value));
    };
    texts.iter().for_each(|(name, value)| field(name, value));
    numbers.iter().for_each(|(name, value)| field(name, &value.to_string()));
    field("score", "12.75");
    field("ratio", "0.0078125");
    reply
}

pub(crate) fn hits(count: usize) -> Vec<u8> {
    let mut reply = b"%5\r\n+attributes\r\n*0\r\n+format\r\n+STRING\r\n+results\r\n".to_vec();
    reply.extend(format!("*{count}\r\n").bytes());
    for n in 0..count {
        reply.extend(b"%3\r\n+id\r\n");
        reply.extend(bulk(&format!("profile:{n:04}")));
        reply.extend(b"+extra_attributes\r\n");
        reply.extend(fields(n));
        reply.extend(b"+values\r\n*0\r\n");
    }
    reply.extend(format!("+total_results\r\n:{count}\r\n+warning\r\n*0\r\n").bytes());
    reply
}

pub(crate) fn json(lines: usize) -> String {
    let mut json = r#"{"id":7,"customer":"Customer 7","lines":["#.to_owned();
    for n in 0..lines {
        let comma = if n == 0 { "" } else { "," };
        let name = "an article with a name of some length";
        let _ = write!(
            json,
            r#"{comma}{{"article":"A-7-{n:05}","name":"{name}","count":{n},"price":{n}.25}}"#
        );
    }
    json.push_str("]}");
    json
}
