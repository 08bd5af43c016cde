//! How large a reply may be.

use alizarin_core::resp::Limits;
use alizarin_core::{Command, ErrorKind, Value};
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::table::Row;
use crate::topology::{Topology, shared};

pub(crate) const ROWS: &[Row] = &[Row::new(
    &["limits.max_bulk_bytes", "limits.max_frame_bytes", "limits.max_elements", "limits.max_depth"],
    replies_that_are_too_large,
)];

/// A limit, how it is set, and a command whose reply is beyond it.
type Case = (&'static str, fn(&mut Limits), fn() -> Command<Value>);

const CASES: [Case; 4] = [
    ("string length", |limits| limits.max_bulk_bytes = 5_000, text),
    ("reply length", |limits| limits.max_frame_bytes = 60_000, list),
    ("element count", |limits| limits.max_elements = 5_000, list),
    ("nesting depth", |limits| limits.max_depth = 9, nested),
];

/// A string of 10,000 bytes.
fn text() -> Command<Value> {
    Command::new("GET").key("{limits}text")
}

/// 9,000 strings of 10 bytes.
fn list() -> Command<Value> {
    Command::new("LRANGE").key("{limits}list").arg((0, -1))
}

fn nested() -> Command<Value> {
    Command::new("EVAL").arg("return {{{{{{{{{{{{1}}}}}}}}}}}}").arg(1).key("{limits}text")
}

/// Each is refused on the connection that all share, and on one of the pool; others are not.
fn replies_that_are_too_large(runtime: &Runtime, topology: &mut Topology) {
    let client = shared(runtime, &topology.config);
    run(runtime, &client, client.set("{limits}text", "x".repeat(10_000))).unwrap();
    run(runtime, &client, client.set("{limits}small", "x")).unwrap();
    let values = vec!["0123456789"; 9_000];
    let _: u32 =
        run(runtime, &client, client.command("RPUSH").key("{limits}list").arg(values)).unwrap();
    for (name, set, command) in CASES {
        run(runtime, &client, client.run(command())).unwrap();
        let mut limits = Limits::default();
        set(&mut limits);
        for client in clients(runtime, &topology.config.clone().limits(limits)) {
            let mut own = run(runtime, &client, client.exclusive_for("{limits}")).unwrap();
            for error in [
                run(runtime, &client, client.run(command())).unwrap_err(),
                run(runtime, &client, own.run(command())).unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Protocol, "{:?}: {error}", topology.kind);
                assert!(error.to_string().contains(name), "{:?}: {error}", topology.kind);
            }
            let small: String = run(runtime, &client, client.get("{limits}small")).unwrap();
            assert_eq!(small, "x");
        }
    }
    let keys = ["{limits}text", "{limits}small", "{limits}list"];
    run(runtime, &client, client.del(keys)).unwrap();
}
