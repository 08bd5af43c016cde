//! What the samples of a row say.

use serde::Serialize;

use crate::allocations::Allocations;
use crate::measure::{Sample, Samples};
use crate::place::Place;
use crate::statistics::{Spread, median, percentile};
use crate::workload::Workload;

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub workload: &'static str,
    pub place: Place,
    pub tasks: usize,
    /// What a unit is.
    pub unit: &'static str,
    /// Whether other work went on meanwhile: then what a unit costs is not known.
    pub beside: bool,
    /// How many of them a call does.
    pub units: usize,
    /// How many rounds were kept; how many of them were quiet; how many there were.
    pub kept: usize,
    pub quiet: usize,
    pub rounds: usize,
    pub clients: Vec<Figures>,
}

/// One client's figures in a row.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    pub client: &'static str,
    /// Calls in a second.
    pub throughput: Spread,
    /// To the peer with the most: the median of the rounds' ratios.
    pub throughput_ratio: Option<f64>,
    /// To the floor.
    pub floor_ratio: Option<f64>,
    /// Nanoseconds of user and system time for a unit.
    pub cpu: Spread,
    /// The same, above the floor's in the same round.
    pub cpu_above_floor: Option<Spread>,
    /// To the peer with the least.
    pub cpu_ratio: Option<f64>,
    /// p50, p99 and p99.9 of a call in nanoseconds, where one task works.
    pub latency: Option<[u64; 3]>,
    /// For a unit.
    pub allocations: Option<Allocations>,
}

impl Row {
    pub fn new(
        (name, workload): (&'static str, Workload),
        place: Place,
        clients: &[(&'static str, Option<Allocations>)],
        samples: &Samples,
    ) -> Row {
        let (unit, units) = workload.unit();
        let per_second = each(samples, |sample| sample.calls as f64 / sample.elapsed);
        let cpu = each(samples, |sample| sample.cpu * 1e9 / (sample.calls * units) as f64);
        let floor = clients.iter().position(|(client, _)| *client == "floor");
        let peers = || (0..clients.len()).filter(|at| is_peer(clients[*at].0));
        let order = |left: &f64, right: &f64| left.total_cmp(right);
        let fastest = peers()
            .max_by(|left, right| order(&median(&per_second[*left]), &median(&per_second[*right])));
        let above = |at: usize| {
            let floor = floor.filter(|floor| *floor != at)?;
            Some(Spread::of(&paired(&cpu[at], &cpu[floor], |own, floor| own - floor)))
        };
        let least = peers().filter_map(above).map(|spread| spread.median).min_by(order);
        let ratio = |at: usize, to: Option<usize>| {
            Some(median(&paired(&per_second[at], &per_second[to?], |own, other| own / other)))
        };
        let figures =
            |(at, (client, allocations)): (usize, &(&'static str, Option<Allocations>))| {
                let cpu_above_floor = above(at);
                let per_unit = |allocations: Allocations| Allocations {
                    count: allocations.count / units as f64,
                    bytes: allocations.bytes / units as f64,
                };
                Figures {
                    client,
                    throughput: Spread::of(&per_second[at]),
                    throughput_ratio: ratio(at, fastest),
                    floor_ratio: ratio(at, floor),
                    cpu: Spread::of(&cpu[at]),
                    cpu_above_floor,
                    cpu_ratio: least.and_then(|least| Some(cpu_above_floor?.median / least)),
                    latency: latency(&samples.kept[at]),
                    allocations: allocations.map(per_unit),
                }
            };
        Row {
            workload: name,
            place,
            tasks: workload.tasks(),
            unit,
            beside: workload.is_beside(),
            units,
            kept: samples.kept.first().map_or(0, Vec::len),
            quiet: samples.quiet,
            rounds: samples.rounds,
            clients: clients.iter().enumerate().map(figures).collect(),
        }
    }

    /// One client's figures.
    pub fn client(&self, name: &str) -> Option<&Figures> {
        self.clients.iter().find(|figures| figures.client == name)
    }
}

/// Whether others are measured by it.
pub fn is_peer(client: &str) -> bool {
    client != "floor" && client != "alizarin"
}

/// A figure of every sample, by contender and round.
fn each(samples: &Samples, figure: impl Fn(&Sample) -> f64) -> Vec<Vec<f64>> {
    samples.kept.iter().map(|rounds| rounds.iter().map(&figure).collect()).collect()
}

fn paired(left: &[f64], right: &[f64], join: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    left.iter().zip(right).map(|(left, right)| join(*left, *right)).collect()
}

fn latency(samples: &[Sample]) -> Option<[u64; 3]> {
    let mut times: Vec<u64> = samples.iter().flat_map(|sample| &sample.times).copied().collect();
    times.sort_unstable();
    let at = |share| percentile(&times, share);
    (!times.is_empty()).then(|| [at(0.5), at(0.99), at(0.999)])
}
