//! The whole table, row by row.

use alizarin_testkit::{Cluster, Server};

use crate::allocations::{Allocations, Counter};
use crate::clients::{Outcome, cluster};
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
    let wants_cluster = options.workloads.iter().any(|(_, workload)| workload.is_routed());
    let cluster = if wants_cluster { Some(cluster()?) } else { None };
    let nodes = cluster.iter().flat_map(|cluster| (0..cluster.len()).map(|at| cluster.node(at)));
    let machine = Machine::new(&[&server].into_iter().chain(nodes).collect::<Vec<_>>())?;
    let mut report = Report::new(server.version().to_string());
    for workload in &options.workloads {
        let places = places(workload.1, options.short);
        let mut allocations = Vec::new();
        let url = match &cluster {
            Some(cluster) if workload.1.is_routed() => cluster.node(0).url(),
            _ => server.url(),
        };
        for place in places.into_iter().filter(|place| machine.has(*place)) {
            machine.pin(place)?;
            let mut contenders = contenders(&url, workload.1, place)?;
            let samples = measure::row(&mut contenders, workload.1, &machine, options)?;
            if allocations.is_empty() && !workload.1.is_beside() {
                allocations = counted(&counter, workload.0, &contenders, &url)?;
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

/// Fills the server.
pub fn load(server: &Server) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(data::load(server))
}

/// Three primaries, filled.
fn cluster() -> Outcome<Cluster> {
    let cluster = Cluster::builder().primaries(3).start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = alizarin::Client::connect(cluster.url()).await?;
        for n in 0..data::keys(cluster::SIZE) {
            client.set(data::key(cluster::SIZE, n), data::value(cluster::SIZE, n)).await?;
        }
        Ok(cluster)
    })
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
