//! The figures as Markdown and as JSON.

use std::fmt::Write;
use std::fs;

use serde::Serialize;

use crate::clients::Outcome;
use crate::contender::NAMES;
use crate::figures::{Figures, Row};

/// Everything a run found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Redis's.
    pub server: String,
    /// The clients' by name.
    pub versions: Vec<(&'static str, String)>,
    pub rows: Vec<Row>,
}

impl Report {
    pub fn new(server: String) -> Report {
        let version = |name: &&'static str| Some((*name, version(name)?));
        Report { server, versions: NAMES.iter().filter_map(version).collect(), rows: Vec::new() }
    }

    pub fn write_json(&self, path: &str) -> Outcome<()> {
        Ok(fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let versions = self.versions.iter().map(|(name, version)| format!("{name} {version}"));
        let versions = versions.collect::<Vec<_>>().join(", ");
        line(&mut out, &format!("Redis {}; {versions}.", self.server));
        self.table(
            &mut out,
            "Calls in a second, median ± median absolute deviation (ratio to the best peer; the \
             floor is no client; for Alizarin also its share of the floor)",
            None,
            |_, figures| throughput(figures),
        );
        self.table(
            &mut out,
            "CPU of a unit, user and system, above the floor's (ratio to the best peer's); for \
             the floor its own",
            Some(|row| row.unit),
            cpu,
        );
        self.table(
            &mut out,
            "Latency of a call in µs where one task works: p50 / p99 / p99.9",
            None,
            |_, figures| figures.latency.map(latency),
        );
        self.table(
            &mut out,
            "Allocations of a unit (bytes)",
            Some(|row| row.unit),
            |_, figures| {
                let allocations = figures.allocations?;
                Some(format!("{:.2} ({})", allocations.count, short(allocations.bytes)))
            },
        );
        out
    }

    fn table(
        &self,
        out: &mut String,
        title: &str,
        unit: Option<fn(&Row) -> &str>,
        cell: impl Fn(&Row, &Figures) -> Option<String>,
    ) {
        line(out, &format!("\n**{title}**\n"));
        line(out, &format!("| workload | of a | {} | quiet rounds |", NAMES.join(" | ")));
        line(out, &format!("|---|---|{}--:|", "--:|".repeat(NAMES.len())));
        for row in &self.rows {
            if unit.is_some() && row.beside {
                continue;
            }
            let cell = |name: &&str| row.client(name).and_then(|figures| cell(row, figures));
            let cells: Vec<Option<String>> = NAMES.iter().map(cell).collect();
            if cells.iter().all(Option::is_none) {
                continue;
            }
            let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned()));
            let cells = cells.collect::<Vec<_>>().join(" | ");
            let (name, place) = (row.workload, row.place);
            let unit = unit.map_or("call", |unit| unit(row));
            let quiet = format!("{} of {}", row.quiet, row.rounds);
            line(out, &format!("| {name} [{place}] | {unit} | {cells} | {quiet} |"));
        }
    }
}

fn throughput(figures: &Figures) -> Option<String> {
    let spread = figures.throughput;
    let share = 100.0 * spread.deviation / spread.median;
    let floor = figures.floor_ratio.filter(|_| figures.client == "alizarin");
    let floor = floor.map_or_else(String::new, |share| format!("; floor {share:.2}"));
    let ratio = figures.throughput_ratio.map(|ratio| format!(" ({ratio:.2}{floor})"));
    Some(format!("{} ± {share:.0} %{}", short(spread.median), ratio.unwrap_or_default()))
}

fn cpu(row: &Row, figures: &Figures) -> Option<String> {
    if figures.client == "floor" || row.client("floor").is_none() {
        return Some(time(figures.cpu.median));
    }
    let ratio = figures.cpu_ratio.map(|ratio| format!(" ({ratio:.2})"));
    Some(format!("{}{}", time(figures.cpu_above_floor?.median), ratio.unwrap_or_default()))
}

fn latency(times: [u64; 3]) -> String {
    times.map(|time| format!("{:.1}", time as f64 / 1_000.0)).join(" / ")
}

/// Nanoseconds for people.
fn time(nanoseconds: f64) -> String {
    match nanoseconds.abs() {
        under if under < 1e3 => format!("{nanoseconds:.0} ns"),
        under if under < 1e6 => format!("{:.2} µs", nanoseconds / 1e3),
        _ => format!("{:.2} ms", nanoseconds / 1e6),
    }
}

/// Three digits.
fn short(number: f64) -> String {
    match number.abs() {
        under if under < 1e3 => format!("{number:.0}"),
        under if under < 1e5 => format!("{:.1}k", number / 1e3),
        under if under < 1e6 => format!("{:.0}k", number / 1e3),
        _ => format!("{:.2}M", number / 1e6),
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "{text}");
}

/// A client's version, out of the lock file this was built with.
fn version(name: &str) -> Option<String> {
    let lock = include_str!("../Cargo.lock");
    let (_, package) = lock.split_once(&format!("\nname = \"{name}\"\n"))?;
    let version = package.lines().next()?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(short(999.4), "999");
        assert_eq!(short(12_345.0), "12.3k");
        assert_eq!(short(1_234_567.0), "1.23M");
        assert_eq!(time(-12.0), "-12 ns");
        assert_eq!(time(12_340.0), "12.34 µs");
    }

    #[test]
    fn the_lock_file_knows_the_versions() {
        assert!(version("rustis").is_some_and(|version| version.starts_with("0.")));
        assert_eq!(version("floor"), None);
    }
}
