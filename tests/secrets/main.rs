//! Secrets are shown by nothing: by no `Debug`, no error, no panic, no event, however detailed. All
//! public types are found in the source, so that none is forgotten.

mod connections;
mod listen;
mod models;
mod proof;
mod reasons;
mod shown;
mod types;

use std::collections::BTreeSet;
use std::path::Path;

use crate::listen::Listener;
use crate::reasons::REASONS;
use crate::shown::{SECRET, Shown};
use crate::types::Types;

#[test]
fn no_secret_is_shown() {
    let listener = Listener::default();
    tracing::subscriber::set_global_default(listener.clone()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut shown = Shown::default();
    connections::alone(&mut shown);
    for place in connections::places(&mut shown) {
        connections::visit(&runtime, &mut shown, &listener, place);
    }
    runtime.block_on(models::visit(&mut shown));
    let said = listener.heard();
    for moment in ["connection lost", "cannot move", "another database is active"] {
        assert!(said.contains(moment), "nothing was said of this: {moment}: {said}");
    }
    assert!(!said.contains(SECRET), "{said}");
    every_type(&shown.0);
}

/// Each public type is proven by its definition to show nothing that may be a secret, or was shown
/// with one inside, or has a reason.
fn every_type(shown: &BTreeSet<String>) {
    let types = Types::read();
    let reasons: BTreeSet<String> = REASONS
        .iter()
        .flat_map(|(_, module, names)| names.iter().map(move |name| format!("{module}::{name}")))
        .collect();
    // What is shown may be a part of others.
    let suspects = types.suspects(shown);
    let known = shown | &reasons;
    let forgotten: Vec<_> = suspects.difference(&known).collect();
    assert!(
        forgotten.is_empty(),
        "public types that may have a secret inside: show a value of each, with `{SECRET}` in it, or \
         say in `reasons` why there is none: {forgotten:#?}"
    );
    let idle: Vec<_> = reasons.difference(&suspects).collect();
    assert!(idle.is_empty(), "these need no reason: {idle:#?}");
    let public = types.all.iter().filter(|found| found.public).count();
    println!(
        "S4 secrets: {public} public types: {} shown with a secret inside, {} with a reason, the others can hold \
         or show none; all events, errors and panics on 3 topologies: 0 hits; floor 0",
        shown.len(),
        reasons.len(),
    );
}

/// Every type that has a password has it as a `Secret`, whose `Debug` shows nothing; so whatever shows
/// its parts shows none. What takes one out of there is to be looked at once, and is listed here.
#[test]
fn a_password_is_taken_out_of_its_type_only_to_be_sent() {
    fn search(folder: &Path, found: &mut Vec<(String, usize)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                search(&path, found);
                continue;
            }
            let count = std::fs::read_to_string(&path).unwrap().matches(".expose()").count();
            if count > 0 {
                let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src");
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.push((name, count));
            }
        }
    }
    let mut found = Vec::new();
    search(&Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src"), &mut found);
    found.sort();
    let expected = [
        // HELLO, AUTH, and to recognise an answer that quotes it.
        ("connection/handshake.rs", 3),
        // The private key, for the TLS library.
        ("connection/tls/setup.rs", 1),
        // AUTH on a live connection.
        ("credentials.rs", 1),
    ];
    assert_eq!(found, expected.map(|(name, count)| (name.to_owned(), count)));
}
