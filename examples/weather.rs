//! Four years of Seattle's weather as time series: loaded, averaged by month, searched by value.
//!
//! `cargo run --release --example weather` needs no server: it starts one, or uses `REDIS_URL`.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alizarin::prelude::*;
use alizarin::series::{Aggregator, Align};
use alizarin_testkit::Server;

type Failure = Box<dyn std::error::Error>;

/// One measurement of one day; there is a series for each measure.
#[derive(Debug, Clone, PartialEq, RedisTimeSeries)]
#[redis(prefix = "weather", duplicate = "last")]
struct Reading {
    #[redis(label)]
    measure: String,
    #[redis(timestamp)]
    at: SystemTime,
    #[redis(value)]
    value: f64,
}

const DAY: Duration = Duration::from_secs(86_400);
/// The columns of the file behind the date.
const MEASURES: [&str; 4] = ["precipitation", "temp_max", "temp_min", "wind"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let server = Server::start()?;
    let client = Client::connect(server.url().as_str()).await?;
    let weather = client.series::<Reading>().with_namespace(server.namespace());
    println!("Alizarin on Redis {}", server.version());
    let readings = load()?;
    let started = Instant::now();
    let written = weather.add_many(&readings).await?.all()?;
    title(&format!("{written} readings saved as 4 series"), started);

    let started = Instant::now();
    let mut months = Vec::new();
    for month in 1..=12 {
        months.push(means(&weather, month).await?);
    }
    title("Mean weather by month, 2012 to 2015: nights to days in °C, rain in mm a day", started);
    for (name, [rain, high, low, _]) in MONTHS.iter().zip(months) {
        let (from, to) = (low.round() as usize, high.round() as usize);
        let warmth = format!("{}{}", " ".repeat(from), "█".repeat(to - from + 1));
        println!(
            "  {name} {low:5.1} to {high:4.1} {warmth:30}{rain:5.1} {}",
            "▒".repeat((rain * 2.0).round() as usize)
        );
    }

    let hottest = Reading { measure: "temp_max".into(), at: UNIX_EPOCH, value: 0.0 }.labels();
    let started = Instant::now();
    let hot = weather.range(&hottest, ..).filter_by_value(34.0, f64::INFINITY).models().await?;
    title("Days of 34 °C and more", started);
    for day in hot {
        println!("  {}  {:.1} °C", date(day.at), day.value);
    }
    Ok(())
}

/// One month's mean of each measure, over all years.
async fn means(weather: &Series<Reading>, month: i64) -> Result<[f64; 4], Failure> {
    let mut means = [0.0; 4];
    for year in 2012..2016 {
        let found = weather
            .across(|l| l.measure.is_in(MEASURES))
            .range(midnight(year, month, 1)..midnight(year, month + 1, 1))
            .bucket(31 * DAY, Aggregator::Avg)
            .align(Align::Start)
            .await?;
        for series in found {
            let at = MEASURES.iter().position(|name| *name == series.labels.measure);
            means[at.ok_or("an unknown measure")?] += series.samples[0].value / 4.0;
        }
    }
    Ok(means)
}

fn load() -> Result<Vec<Reading>, Failure> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data");
    let text = std::fs::read_to_string(format!("{folder}/seattle-weather.csv"))?;
    let mut readings = Vec::new();
    for line in text.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let ymd: Vec<i64> = cells[0].split('-').map(str::parse).collect::<Result<_, _>>()?;
        let at = midnight(ymd[0], ymd[1], ymd[2]);
        for (measure, cell) in MEASURES.iter().zip(&cells[1..]) {
            let (measure, value) = (measure.to_string(), cell.parse()?);
            readings.push(Reading { measure, at, value });
        }
    }
    Ok(readings)
}

/// The beginning of a day; month 13 is the next year's first.
fn midnight(year: i64, month: i64, day: i64) -> SystemTime {
    // Years begin in March here, so that the leap day is the last.
    let (year, month) = (year + (month - 3).div_euclid(12), (month - 3).rem_euclid(12));
    let days =
        year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    UNIX_EPOCH + DAY * days as u32
}

/// The day that begins at a time, written out.
fn date(at: SystemTime) -> String {
    let months = (2012..2016).flat_map(|year| (1..=12).map(move |month| (year, month)));
    let (year, month) = months.rev().find(|(y, m)| midnight(*y, *m, 1) <= at).unwrap_or_default();
    let since = at.duration_since(midnight(year, month, 1)).unwrap_or_default();
    format!("{year}-{month:02}-{:02}", since.as_secs() / DAY.as_secs() + 1)
}

fn title(text: &str, started: Instant) {
    println!("\n{text}  ({:.1} ms)", started.elapsed().as_secs_f64() * 1e3);
}
