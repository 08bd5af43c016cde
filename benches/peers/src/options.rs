//! What the command line asks for.

use std::time::Duration;

use crate::Failure;
use crate::place::Place;
use crate::workload::{ALL, Workload};

pub enum Options {
    Table(Table),
    Instructions {
        table: Table,
        clients: Option<String>,
    },
    Wakeups {
        table: Table,
        clients: Option<String>,
    },
    /// One client's work, for a tool that counts.
    Count {
        workload: Workload,
        client: String,
        times: usize,
        url: String,
        place: Place,
    },
}

/// How the table is made.
pub struct Table {
    pub rounds: usize,
    /// Of one client's turn, in milliseconds.
    pub turn: u64,
    /// At most so many times `rounds`, when other processes disturb.
    pub patience: usize,
    /// Only client and server on the same core, and the runtime of two workers.
    pub short: bool,
    /// What it may take in all; then rows get fewer rounds.
    pub within: Option<Duration>,
    pub workloads: Vec<(&'static str, Workload)>,
    /// Where the figures go as JSON.
    pub json: Option<String>,
}

/// What a short table may take, without building it.
const SHORT: Duration = Duration::from_secs(95);

const USAGE: &str = "usage: peers [--short] [--rounds N] [--turn MS] [--within S] \
                     [--only NAME,..] [--json FILE] | peers instructions|wakeups [--only NAME,..] [--clients NAME,..]";

impl Options {
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Options, Failure> {
        let mut table = Table {
            rounds: 15,
            turn: 120,
            patience: 3,
            short: false,
            within: None,
            workloads: ALL.to_vec(),
            json: None,
        };
        let (mut instructions, mut wakeups, mut clients) = (false, false, None);
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "count" => {
                    let workload = Workload::named(&value()?).ok_or("no such workload")?;
                    let (client, times) = (value()?, value()?.parse()?);
                    let url = value()?;
                    let place = match arguments.next().as_deref() {
                        Some("mt2") => Place::Threads,
                        _ => Place::Same,
                    };
                    return Ok(Options::Count { workload, client, times, url, place });
                }
                "instructions" => instructions = true,
                "wakeups" => wakeups = true,
                "--clients" => clients = Some(value()?),
                "--short" => {
                    (table.rounds, table.turn, table.patience) = (9, 20, 1);
                    table.short = true;
                    table.within = Some(SHORT);
                }
                "--rounds" => table.rounds = value()?.parse()?,
                "--turn" => table.turn = value()?.parse()?,
                "--within" => table.within = Some(Duration::from_secs(value()?.parse()?)),
                "--json" => table.json = Some(value()?),
                "--only" => {
                    let names = value()?;
                    let wanted = |name: &str| names.split(',').any(|wanted| wanted == name);
                    table.workloads.retain(|(name, _)| wanted(name));
                }
                _ => return Err(USAGE.into()),
            }
        }
        if wakeups {
            return Ok(Options::Wakeups { table, clients });
        }
        if instructions {
            return Ok(Options::Instructions { table, clients });
        }
        Ok(Options::Table(table))
    }
}
