//! Alizarin beside the other Rust clients of Redis: same server, same data, one run.
//!
//! `cargo run --release` prints a table; `-- --short` takes under two minutes. `-- instructions`
//! prints another, of instructions counted by callgrind, `-- wakeups` one of system calls counted by
//! strace.

use peers::options::Options;
use peers::{Failure, instructions, run, wakeups};

fn main() -> Result<(), Failure> {
    match Options::read(std::env::args().skip(1))? {
        Options::Count { workload, client, times, url, place } => {
            run::count(workload, &client, times, &url, place)
        }
        Options::Wakeups { table, clients } => wakeups::table(&table, clients.as_deref()),
        Options::Instructions { table, clients } => instructions::table(&table, clients.as_deref()),
        Options::Table(table) => run::table(&table),
    }
}
