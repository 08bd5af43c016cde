//! The whole table, row by row.

use std::time::Instant;

use crate::allocations::{Allocations, Counter};
use crate::clients::Outcome;
use crate::contender::{Contender, NAMES, named};
use crate::figures::Row;
use crate::ground::Ground;
use crate::options::Table;
use crate::place::{Machine, Place};
use crate::report::Report;
use crate::workload::Workload;
use crate::{Failure, measure};

/// Measures, and prints the table.
pub fn table(options: &Table) -> Result<(), Failure> {
    let begun = Instant::now();
    let counter = Counter::build()?;
    let ground = Ground::prepare(&options.workloads)?;
    let machine = Machine::new(&ground.servers())?;
    let mut report = Report::new(ground.server.version().to_string());
    let places = |workload| places(workload, options.short, &machine);
    let rows = options.workloads.iter().map(|(_, workload)| places(*workload).len());
    let mut left = rows.sum::<usize>();
    for workload in &options.workloads {
        let mut allocations = Vec::new();
        let url = ground.url(workload.1)?;
        for place in places(workload.1) {
            // Every row that is left gets as much of the time that is left.
            let rest = options.within.map(|within| within.saturating_sub(begun.elapsed()));
            let until = rest.map(|rest| Instant::now() + rest / left.max(1) as u32);
            left -= 1;
            machine.pin(place)?;
            let mut contenders = contenders(&url, workload.1, place)?;
            if allocations.is_empty() && !workload.1.is_beside() {
                allocations = counted(&counter, workload.0, &contenders, &url)?;
            }
            let samples = measure::row(&mut contenders, workload.1, &machine, options, until)?;
            let names = contenders.iter().map(|contender| contender.name());
            let clients: Vec<_> = names.map(|name| (name, find(&allocations, name))).collect();
            eprintln!("{} [{place}]: {} of {} quiet", workload.0, samples.quiet, samples.rounds);
            report.rows.push(Row::new(*workload, place, &clients, &samples));
        }
    }
    println!("{}", report.markdown());
    eprintln!("{} s", begun.elapsed().as_secs());
    options.json.as_ref().map_or(Ok(()), |path| report.write_json(path))
}

/// Does one client's work `times` times, for a tool that counts instructions.
pub fn count(
    workload: Workload,
    client: &str,
    times: usize,
    url: &str,
    place: Place,
) -> Result<(), Failure> {
    let contender = named(client, url, workload, place)?;
    contender.ok_or("it has no part in this workload")?.run(times, None)
}

fn places(workload: Workload, short: bool, machine: &Machine) -> Vec<Place> {
    let mut places = vec![Place::Same];
    if !short {
        places.push(Place::Split);
    }
    if workload.threads() {
        places.push(Place::Threads);
    }
    places.retain(|place| machine.has(*place));
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
