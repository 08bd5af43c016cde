//! Beside the real libraries: what they write we read, and what we write they read.
//!
//! `ci/interop` installs them and runs these tests; it says by name what it could not install.

use std::path::PathBuf;
use std::process::Command;

use alizarin::prelude::*;
use alizarin_testkit::Server;
use serde_json::Value;

use super::node;
use super::python::{self, Card, Person};
use super::redisvl::{self, HashDoc, JsonDoc};
use super::sample::{understood, written_anew, written_over};

/// Runs a script of `tests/interop/capture`, and gives the JSON lines that it prints.
fn run(mut program: Command, script: &str, what: &str, server: &Server) -> Vec<Value> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/capture");
    let output = program
        .arg(folder.join(script))
        .args([what, &server.url()])
        .output()
        .expect("the interpreter runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} {what}: {errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What `ci/interop` says of where a library is.
fn place(variable: &str) -> String {
    std::env::var(variable).expect("ci/interop says where it is")
}

/// A Python that has a library.
fn interpreter(variable: &str) -> Command {
    let mut program = Command::new(place(variable));
    // Or the script's own folder would come before the library.
    program.arg("-P");
    program
}

async fn server() -> (Server, Client) {
    let server = Server::start().unwrap();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    (server, client)
}

#[tokio::test]
#[ignore = "needs Redis OM Python: run by ci/interop"]
async fn redis_om_python() {
    let (server, client) = server().await;
    let python = |what| run(interpreter("INTEROP_PYTHON"), "redis_om_python.py", what, &server);
    python("write");
    let people: Repository<Person> = client.repository();
    let cards: Repository<Card> = client.repository();
    understood(&people, &python::people()).await;
    understood(&cards, &python::cards()).await;
    assert_eq!(people.find(|p| p.active.eq(true)).count().await.unwrap(), 1);

    // The same over what Python wrote, and new ones beside them.
    let before = python("read");
    written_over(&people, &python::people()).await;
    written_over(&cards, &python::cards()).await;
    assert_eq!(python("read"), before);
    let mut new = python::person('M', "Bob", Some("B"), true);
    new.blob = vec![0, 255];
    people.save(&new).await.unwrap();
    let after = python("read");
    assert_eq!(after.len(), before.len() + 1);
    let id = new.id.to_string();
    let read = after.iter().find(|read| read["pk"] == Value::String(id.clone())).unwrap();
    for (field, value) in [
        ("name", "Bob"),
        ("nick", "B"),
        ("joined", "2024-01-02 04:24:05.678000+00:00"),
        ("born", "1985-02-03"),
        ("rank", "gold"),
        ("price", "1.25"),
        ("blob", "00ff"),
    ] {
        assert_eq!(read[field], Value::String(value.to_owned()), "{field} of {read}");
    }
}

#[tokio::test]
#[ignore = "needs RedisVL: run by ci/interop"]
async fn redisvl_documents() {
    let (server, client) = server().await;
    let python = |what| run(interpreter("INTEROP_REDISVL"), "redisvl.py", what, &server);
    python("write");
    let hashes: Repository<HashDoc> = client.repository();
    let json: Repository<JsonDoc> = client.repository();
    understood(&hashes, &redisvl::hashes()).await;
    understood(&json, &redisvl::json()).await;
    // What we write in the place of theirs is read, and found near, as theirs were.
    let before = python("read");
    written_anew(&hashes, &redisvl::hashes()).await;
    written_anew(&json, &redisvl::json()).await;
    assert_eq!(python("read"), before);
    hashes.set(&"a".to_owned(), |d| d.year.to(1978)).await.unwrap();
    assert!(python("read").iter().any(|read| read["year"] == "1978"));
}

#[tokio::test]
#[ignore = "needs Redis OM for Node.js: run by ci/interop"]
async fn redis_om_node() {
    let (server, client) = server().await;
    let node = |what| {
        let mut program = Command::new("node");
        program.current_dir(place("INTEROP_NODE"));
        run(program, "redis_om_node.mjs", what, &server)
    };
    node("write");
    let people: Repository<node::Person> = client.repository();
    let cards: Repository<node::Card> = client.repository();
    understood(&people, &node::people()).await;
    understood(&cards, &node::cards()).await;
    let before = node("read");
    written_anew(&people, &node::people()).await;
    written_anew(&cards, &node::cards()).await;
    assert_eq!(node("read"), before);
    let new = node::person('M', "Bob", Some("B"), true);
    people.save(&new).await.unwrap();
    let after = node("read");
    assert_eq!(after.len(), before.len() + 1);
    let id = Value::String(new.id.to_string());
    let read = after.iter().find(|read| read["id"] == id).unwrap();
    assert_eq!((&read["name"], &read["nick"]), (&"Bob".into(), &"B".into()));
    assert_eq!(read["joined"], "2024-01-02T04:24:05.678Z");
}
