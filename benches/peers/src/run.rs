//! The whole table, row by row.

use alizarin_testkit::Server;

use crate::allocations::{Allocations, Counter};
use crate::clients::Outcome;
use crate::contender::{Contender, NAMES, named};
use crate::figures::Row;
use crate::options::Table;
use crate::place::{Machine, Place};
use crate::report::Report;
use crate::workload::Workload;
use crate::{Failure, data, measure};

/// Measures, and prints the table.
pub fn table(options: &Table) -> Result<(), Failure> {
    let counter = Counter::build()?;
    let server = Server::builder().private().start()?;
    load(&server)?;
    let machine = Machine::new(&server)?;
    let mut report = Report::new(server.version().to_string());
    for workload in &options.workloads {
        let places = places(workload.1, options.short);
        let mut allocations = Vec::new();
        for place in places.into_iter().filter(|place| machine.has(*place)) {
            machine.pin(place)?;
            let mut contenders = contenders(&server.url(), workload.1, place)?;
            let samples = measure::row(&mut contenders, workload.1, &machine, options)?;
            if allocations.is_empty() {
                allocations = counted(&counter, workload.0, &contenders, &server.url())?;
            }
            let names = contenders.iter().map(|contender| contender.name());
            let clients: Vec<_> = names.map(|name| (name, find(&allocations, name))).collect();
            eprintln!("{} [{place}]: {} of {} quiet", workload.0, samples.quiet, samples.rounds);
            report.rows.push(Row::new(*workload, place, &clients, &samples));
        }
    }
    println!("{}", report.markdown());
    options.json.as_ref().map_or(Ok(()), |path| report.write_json(path))
}

/// Does one client's work `times` times, for a tool that counts instructions.
pub fn count(workload: Workload, client: &str, times: usize, url: &str) -> Result<(), Failure> {
    let contender = named(client, url, workload, Place::Same)?;
    contender.ok_or("it has no part in this workload")?.run(times, None)
}

/// Fills the server.
pub fn load(server: &Server) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(data::load(server))
}

fn places(workload: Workload, short: bool) -> Vec<Place> {
    let mut places = vec![Place::Same];
    if !short {
        places.push(Place::Split);
    }
    if workload.threads() {
        places.push(Place::Threads);
    }
    places
}

/// Everybody who has a part, connected, and seen to do it right.
fn contenders(url: &str, workload: Workload, place: Place) -> Outcome<Vec<Box<dyn Contender>>> {
    let mut contenders = Vec::new();
    for name in NAMES {
        if let Some(mut contender) = named(name, url, workload, place)? {
            contender.check().map_err(|error| format!("{name} at {workload:?}: {error}"))?;
            contenders.push(contender);
        }
    }
    Ok(contenders)
}

fn counted(
    counter: &Counter,
    workload: &str,
    contenders: &[Box<dyn Contender>],
    url: &str,
) -> Outcome<Vec<(&'static str, Allocations)>> {
    let names = contenders.iter().map(|contender| contender.name());
    names.map(|name| Ok((name, counter.count(workload, name, url)?))).collect()
}

fn find(allocations: &[(&'static str, Allocations)], name: &str) -> Option<Allocations> {
    allocations.iter().find(|(known, _)| *known == name).map(|(_, counted)| *counted)
}
