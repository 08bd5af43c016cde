//! What the compiler says of mistakes: one case a message, in `tests/ui`.
//!
//! Without a case that has to pass, all are compiled together and nothing is linked; `strict` and `it`
//! have what has to pass.
//!
//! `TRYBUILD=overwrite cargo test --all-features --test ui` writes the expected text anew.

// Lists of the types that would do depend on the features.
#![cfg(all(feature = "chrono", feature = "ulid", feature = "uuid"))]

use std::env;
use std::process::Command;

/// The compiler whose words are in `tests/ui`; others put some of them differently.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn messages() {
    let cases = trybuild::TestCases::new();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("the compiler runs");
    if version.stdout.starts_with(COMPILER.as_bytes()) {
        let topics = [
            "attributes",
            "layout",
            "model",
            "nested",
            "on_delete",
            "patch",
            "projection",
            "query",
            "row",
            "series",
            "transaction",
            "unique",
            "value",
        ];
        for topic in topics {
            cases.compile_fail(format!("tests/ui/{topic}/*.rs"));
        }
    }
}
