//! Documents and indexes of other object mappers: read, found, and written as they write them.
//!
//! What they send lies in `tests/interop/fixtures`, as a server saw it.

mod dotnet;
mod empty;
mod live;
mod node;
mod python;
mod redisvl;
mod sample;
mod spring;

use std::collections::BTreeMap;

use alizarin::index::Drift;
use alizarin::prelude::*;
use alizarin::query::everything;
use alizarin_testkit::Server;

use crate::common::{eventually, on};

/// A command as somebody sent it.
type Words = Vec<Vec<u8>>;

/// The commands of a fixture, a line each, quoted as `redis-cli` quotes them; lines that begin with
/// `#` say where they are from.
fn commands(fixture: &str) -> Vec<Words> {
    let lines = fixture.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(words).collect()
}

fn words(line: &str) -> Words {
    let mut words = Vec::new();
    let mut letters = line.bytes();
    while let Some(letter) = letters.next() {
        if letter != b'"' {
            assert_eq!(letter, b' ', "{line}");
            continue;
        }
        let mut word = Vec::new();
        loop {
            match letters.next().expect("a quote at the end") {
                b'"' => break,
                b'\\' => word.push(match letters.next().expect("what is escaped") {
                    b'x' => {
                        let digits = [letters.next().unwrap(), letters.next().unwrap()];
                        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                    }
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'a' => 7,
                    b'b' => 8,
                    letter => letter,
                }),
                letter => word.push(letter),
            }
        }
        words.push(word);
    }
    words
}

fn text(word: &[u8]) -> &str {
    std::str::from_utf8(word).unwrap()
}

/// The commands of a fixture that concern keys and indexes which begin so: with one of these words.
fn of<'c>(commands: &'c [Words], prefixes: &str) -> Vec<&'c Words> {
    let begins = |name: &str| prefixes.split(' ').any(|prefix| name.starts_with(prefix));
    commands.iter().filter(|words| begins(text(&words[1]))).collect()
}

/// Sends what a mapper sent, with its keys and its index in a namespace.
async fn replay(client: &Client, namespace: &str, commands: &[&Words]) {
    let inside = |word: &[u8]| [namespace.as_bytes(), word].concat();
    for words in commands {
        let mut words = (*words).clone();
        words[1] = inside(&words[1]);
        if words[0].eq_ignore_ascii_case(b"ft.create") {
            let prefix = words.iter().position(|word| word == b"PREFIX").unwrap() + 2;
            words[prefix] = inside(&words[prefix]);
        }
        let mut command = client.command::<()>(text(&words[0]));
        for word in &words[1..] {
            command = command.arg(word.as_slice());
        }
        command.await.unwrap();
    }
}

/// Everything about the documents of one model, on both protocols: `expected` are the documents in
/// the fixture in their order, and `found` looks for some of them.
async fn agrees<M>(fixture: &str, prefix: &str, expected: &[M], found: impl AsyncFn(&Repository<M>))
where
    M: RedisModel + std::fmt::Debug + PartialEq,
{
    let commands = commands(fixture);
    let commands = of(&commands, prefix);
    let server = Server::shared().unwrap();
    for protocol in [2, 3] {
        let theirs = on::<M>(server, protocol).await;
        let client = theirs.client();
        replay(client, theirs.namespace(), &commands).await;

        // The index that they made is the one that we want, to the last attribute.
        let plan = theirs.index().plan().await.unwrap();
        assert!(plan.is_empty() && plan.drift.is_empty(), "{plan}");
        theirs.index().check().await.unwrap();
        let adoption = theirs.index().adopt(theirs.index().name().unwrap()).dry_run().await;
        assert!(!adoption.unwrap().drift.iter().any(|drift| !matches!(drift, Drift::Extra { .. })));
        let wanted = expected.len() as u64;
        let count = async || theirs.find(|_| everything()).count().await.unwrap() == wanted;
        eventually("their documents are indexed", count).await;
        found(&theirs).await;

        // Their documents are read, and by their keys.
        let documents = commands.iter().filter(|words| {
            ["HSET", "HMSET", "JSON.SET"].iter().any(|name| words[0] == name.as_bytes())
        });
        let documents: Vec<_> = documents.collect();
        assert_eq!(documents.len(), expected.len());
        // Ours are the same bytes, under the same keys.
        let ours = on::<M>(server, protocol).await;
        ours.index().sync().await.unwrap();
        for (model, words) in expected.iter().zip(documents) {
            let id = model.id().into_owned();
            let key = theirs.key(&id);
            assert_eq!(key, [theirs.namespace(), text(&words[1])].concat());
            assert_eq!(theirs.get(&id).await.unwrap().as_ref(), Some(model));
            ours.save(model).await.unwrap();
            let our_key = [ours.namespace(), text(&words[1])].concat();
            let (theirs, ours) = (raw::<M>(client, &key).await, raw::<M>(client, &our_key).await);
            assert_eq!(ours, theirs);
        }
        found(&ours).await;
        let plan = ours.index().plan().await.unwrap();
        assert!(plan.is_empty() && plan.drift.is_empty(), "{plan}");
    }
}

/// A document as it lies there.
#[derive(Debug, PartialEq)]
enum Raw {
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
    Json(String),
}

async fn raw<M: RedisModel>(client: &Client, key: &str) -> Raw {
    match M::SCHEMA.storage {
        alizarin::model::Storage::Json => {
            Raw::Json(client.command("JSON.GET").key(key).await.unwrap())
        }
        _ => {
            let fields: Vec<Vec<u8>> = client.command("HGETALL").key(key).await.unwrap();
            let pairs = fields.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone()));
            Raw::Hash(pairs.collect())
        }
    }
}
