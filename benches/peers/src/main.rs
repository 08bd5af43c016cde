//! Alizarin beside the other Rust clients of Redis: same server, same data, one run.
//!
//! `cargo run --release` prints a table; `-- --short` takes under two minutes. `-- instructions`
//! prints another, of instructions counted by callgrind.

use peers::options::Options;
use peers::{Failure, instructions, run};

fn main() -> Result<(), Failure> {
    match Options::read(std::env::args().skip(1))? {
        Options::Count { workload, client, times, url } => {
            run::count(workload, &client, times, &url)
        }
        Options::Instructions { table, clients } => instructions::table(&table, clients.as_deref()),
        Options::Table(table) => run::table(&table),
    }
}
