//! Time series against a real server, on both protocols.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alizarin::series::{
    Aggregator, Align, LabelFilter, Sample, SeriesLabel, SeriesSchema, SeriesSource,
    TimeSeriesModel,
};
use alizarin::{Client, Config, ErrorKind, RedisTimeSeries, RedisValue, Result};
use alizarin_testkit::Server;

/// Written by hand, as the derive writes it.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    station: String,
    floor: u8,
    at: SystemTime,
    value: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct ReadingLabels {
    station: String,
    floor: u8,
}

#[derive(Clone, Copy)]
struct ReadingFields {
    station: SeriesLabel<Reading>,
    floor: SeriesLabel<Reading>,
}

impl Default for ReadingFields {
    fn default() -> Self {
        ReadingFields { station: SeriesLabel::new("station"), floor: SeriesLabel::new("floor") }
    }
}

impl TimeSeriesModel for Reading {
    const SCHEMA: &'static SeriesSchema = &SeriesSchema {
        name: "Reading",
        prefix: "reading",
        labels: &["station", "floor"],
        retention: Some(Duration::from_secs(86_400)),
        duplicate: Some("block"),
        chunk_size: Some(256),
    };
    type Labels = ReadingLabels;
    type LabelFields = ReadingFields;

    fn labels(&self) -> ReadingLabels {
        labels(&self.station, self.floor)
    }

    fn timestamp(&self) -> Result<i64> {
        let since = self
            .at
            .duration_since(UNIX_EPOCH)
            .map_err(|_| alizarin::Error::new(ErrorKind::Value, "before 1970").with_field("at"))?;
        Ok(since.as_millis() as i64)
    }

    fn value(&self) -> f64 {
        self.value
    }

    fn from_sample(labels: &ReadingLabels, timestamp_ms: i64, value: f64) -> Result<Reading> {
        Ok(reading(&labels.station, labels.floor, timestamp_ms as u64, value))
    }

    fn label_values(labels: &ReadingLabels) -> Vec<String> {
        vec![labels.station.clone(), labels.floor.to_string()]
    }

    fn labels_from(values: &mut dyn FnMut(&str) -> Option<String>) -> Result<ReadingLabels> {
        let missing = || alizarin::Error::new(ErrorKind::Decode, "missing label");
        let station = values("station").ok_or_else(missing)?;
        let floor = values("floor").and_then(|text| text.parse().ok()).ok_or_else(missing)?;
        Ok(ReadingLabels { station, floor })
    }
}

fn labels(station: &str, floor: u8) -> ReadingLabels {
    ReadingLabels { station: station.into(), floor }
}

fn reading(station: &str, floor: u8, ms: u64, value: f64) -> Reading {
    Reading { station: station.into(), floor, at: UNIX_EPOCH + Duration::from_millis(ms), value }
}

fn sample(timestamp: i64, value: f64) -> Sample {
    Sample { timestamp, value }
}

/// Runs a test on RESP2 and RESP3, each with an empty server.
async fn on_both<F: AsyncFn(Client)>(test: F) {
    for protocol in ["2", "3"] {
        let server = Server::builder().private().start().unwrap();
        let url = format!("{}?protocol={protocol}", server.url());
        let config: Config = url.as_str().try_into().unwrap();
        test(Client::connect(config).await.unwrap()).await;
    }
}

#[tokio::test]
async fn samples_come_back() {
    on_both(async |client| {
        let readings = client.series::<Reading>();
        let here = labels("SEA:1", 2);
        assert_eq!(readings.key(&here).unwrap(), "reading:SEA%3A1:2");
        assert_eq!(readings.get(&here).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(readings.range(&here, ..).await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(readings.delete(&here, ..).await.unwrap_err().kind(), ErrorKind::NotFound);

        assert!(readings.create(&here).await.unwrap());
        assert!(!readings.create(&here).await.unwrap());
        assert_eq!(readings.get(&here).await.unwrap(), None);
        for (ms, value) in [(1_000, 1.5), (2_000, -2.0), (3_500, 0.1)] {
            readings.add(&reading("SEA:1", 2, ms, value)).await.unwrap();
        }
        assert_eq!(readings.get(&here).await.unwrap(), Some(sample(3_500, 0.1)));

        let all = readings.range(&here, ..).await.unwrap();
        assert_eq!(all, [sample(1_000, 1.5), sample(2_000, -2.0), sample(3_500, 0.1)]);
        assert_eq!(readings.range(&here, 1_000..2_000).await.unwrap(), all[..1]);
        assert_eq!(readings.range(&here, 1_000..=2_000).await.unwrap(), all[..2]);
        let from = all[1].time();
        assert_eq!(readings.range(&here, from..).rev().await.unwrap(), [all[2], all[1]]);
        assert_eq!(readings.range(&here, ..).rev().count(1).await.unwrap(), all[2..]);
        assert_eq!(readings.range(&here, ..).filter_by_value(0.0, 1.0).await.unwrap(), all[2..]);
        assert_eq!(readings.range(&here, 5_000..5_000).await.unwrap(), []);
        let models = readings.range(&here, 2_000..).models().await.unwrap();
        assert_eq!(models, [reading("SEA:1", 2, 2_000, -2.0), reading("SEA:1", 2, 3_500, 0.1)]);

        assert_eq!(readings.delete(&here, ..2_000).await.unwrap(), 1);
        assert_eq!(readings.range(&here, ..).await.unwrap(), all[1..]);
        assert!(readings.remove(&here).await.unwrap());
        assert!(!readings.remove(&here).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn buckets() {
    on_both(async |client| {
        let readings = client.series::<Reading>();
        let samples = [(1_000, 1.0), (1_500, 3.0), (4_200, 5.0)];
        let added =
            readings.add_many(samples.map(|(ms, v)| reading("SEA", 1, ms, v))).await.unwrap();
        assert_eq!(added.all().unwrap(), 3);
        let here = labels("SEA", 1);
        let second = Duration::from_secs(1);
        let by = async |aggregator| {
            let buckets = readings.range(&here, ..).bucket(second, aggregator).await.unwrap();
            assert_eq!(buckets[1].timestamp, 4_000);
            buckets[0].value
        };
        assert_eq!(by(Aggregator::Avg).await, 2.0);
        assert_eq!(by(Aggregator::Sum).await, 4.0);
        assert_eq!(by(Aggregator::Min).await, 1.0);
        assert_eq!(by(Aggregator::Max).await, 3.0);
        assert_eq!(by(Aggregator::Range).await, 2.0);
        assert_eq!(by(Aggregator::Count).await, 2.0);
        assert_eq!(by(Aggregator::First).await, 1.0);
        assert_eq!(by(Aggregator::Last).await, 3.0);
        assert_eq!(by(Aggregator::StdP).await, 1.0);
        assert_eq!(by(Aggregator::StdS).await, 2.0_f64.sqrt());
        assert_eq!(by(Aggregator::VarP).await, 1.0);
        assert_eq!(by(Aggregator::VarS).await, 2.0);
        by(Aggregator::Twa).await;

        let aligned =
            readings.range(&here, 500..).bucket(second, Aggregator::Sum).align(Align::Start);
        assert_eq!(
            aligned.await.unwrap(),
            [sample(500, 1.0), sample(1_500, 3.0), sample(3_500, 5.0)]
        );
        let empty = readings
            .range(&here, ..)
            .bucket(second, Aggregator::Avg)
            .empty_buckets()
            .await
            .unwrap();
        assert_eq!(empty.len(), 4);
        assert!(empty[1].value.is_nan());
        let models = readings.range(&here, ..).bucket(second, Aggregator::Avg).models().await;
        assert_eq!(models.unwrap_err().kind(), ErrorKind::Usage);
        let aligned =
            readings.range(&here, ..).bucket(second, Aggregator::Avg).align(Align::Start).await;
        assert_eq!(aligned.unwrap_err().kind(), ErrorKind::Usage);
    })
    .await;
}

#[tokio::test]
async fn across_series() {
    on_both(async |client| {
        let readings = client.series::<Reading>();
        client
            .command("TS.ADD")
            .key("other")
            .arg((1, 9, "LABELS", "station", "SEA"))
            .exec()
            .await
            .unwrap();
        let stations = ["SEA", "PDX", "a b", "it's \"q\" \\", "a!b", "é", " x "];
        for (at, station) in stations.iter().enumerate() {
            readings.add(&reading(station, 1, 1_000, at as f64)).await.unwrap();
            readings.add(&reading(station, 2, 1_500, 10.0 + at as f64)).await.unwrap();
        }
        for (at, station) in stations.iter().enumerate() {
            let found = readings.across(|l| l.station.eq(station) & l.floor.eq(1)).await.unwrap();
            assert_eq!(found.len(), 1, "{station:?}");
            assert_eq!(found[0].labels, labels(station, 1));
            assert_eq!(found[0].samples, [sample(1_000, at as f64)]);
            let two = readings
                .across(|l| l.station.is_in([station, "SEA"]) & l.floor.eq(1))
                .await
                .unwrap();
            assert_eq!(two.len(), if *station == "SEA" { 1 } else { 2 });
        }
        let all = readings.across(|_| LabelFilter::any()).await.unwrap();
        assert_eq!(all.len(), stations.len() * 2);
        let others = readings.across(|l| l.station.ne("SEA") & l.floor.ne(2)).await.unwrap();
        assert_eq!(others.len(), stations.len() - 1);
        let others = readings.across(|l| l.station.not_in(["SEA", "PDX"]) & l.floor.exists());
        assert_eq!(others.await.unwrap().len(), 2 * stations.len() - 4);
        assert_eq!(readings.across(|l| l.floor.is_missing()).await.unwrap(), []);
        assert_eq!(readings.across(|l| l.station.eq("nowhere")).await.unwrap(), []);

        let late = readings.across(|l| l.station.eq("SEA")).range(1_200..).await.unwrap();
        let with_samples: Vec<_> =
            late.iter().filter(|series| !series.samples.is_empty()).collect();
        assert_eq!(with_samples.len(), 1);
        assert_eq!(with_samples[0].labels.floor, 2);
        let buckets = readings
            .across(|l| l.station.eq("SEA") & l.floor.eq(2))
            .bucket(Duration::from_secs(1), Aggregator::Max)
            .rev()
            .count(1)
            .await
            .unwrap();
        assert_eq!(buckets[0].samples, [sample(1_000, 10.0)]);

        for bad in ["a,b", "(a)", "a=b", ""] {
            let refused = readings.across(|l| l.station.eq(bad)).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Value, "{bad:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_written() {
    on_both(async |client| {
        let readings = client.series::<Reading>();
        for (station, value) in [("SEA", f64::NAN), ("SEA", f64::INFINITY), ("", 1.0), ("a,b", 1.0)]
        {
            let refused = readings.add(&reading(station, 1, 5, value)).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Value, "{station:?} {value}");
        }
        let day = 86_400_000;
        readings.add(&reading("SEA", 1, day * 9, 1.0)).await.unwrap();
        let second = readings.add(&reading("SEA", 1, day * 9, 2.0)).await.unwrap_err();
        assert_eq!(second.kind(), ErrorKind::Exists);
        assert!(!second.is_retryable());
        let old = readings.add(&reading("SEA", 1, day, 2.0)).await.unwrap_err();
        assert_eq!(old.kind(), ErrorKind::Value);

        let mixed = [(day * 9, 2.0), (day * 9 + 1, 3.0), (day, 4.0), (day * 9 + 2, f64::NAN)];
        let added = readings.add_many(mixed.map(|(ms, v)| reading("SEA", 1, ms, v))).await.unwrap();
        assert_eq!(added.written, 1);
        let mut rejected: Vec<_> =
            added.rejected.iter().map(|r| (r.timestamp.unwrap() as u64, r.error.kind())).collect();
        rejected.sort_by_key(|(ms, _)| *ms);
        let expected = [
            (day, ErrorKind::Value),
            (day * 9, ErrorKind::Exists),
            (day * 9 + 2, ErrorKind::Value),
        ];
        assert_eq!(rejected, expected);

        // A series that was made with other options is not taken for the model's.
        client
            .command("TS.CREATE")
            .key("reading:PDX:1")
            .arg(("RETENTION", 5))
            .exec()
            .await
            .unwrap();
        let other = readings.create(&labels("PDX", 1)).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::Exists);
        assert!(other.message().contains("retention"), "{other}");
        client.command("SET").key("reading:LAX:1").arg("text").exec().await.unwrap();
        assert!(readings.create(&labels("LAX", 1)).await.is_err());
        assert!(readings.add(&reading("LAX", 1, 5, 1.0)).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn many_samples_in_batches() {
    on_both(async |client| {
        let readings = client.series::<Reading>();
        let samples =
            (0..2_500_u64).map(|n| reading(["SEA", "PDX"][n as usize % 2], 1, n, n as f64));
        let added = readings.add_many(samples).await.unwrap();
        assert_eq!(added.all().unwrap(), 2_500);
        let counts = readings
            .across(|l| l.floor.eq(1))
            .bucket(Duration::from_secs(86_400), Aggregator::Count)
            .await
            .unwrap();
        assert_eq!(counts.iter().map(|series| series.samples[0].value).sum::<f64>(), 2_500.0);
    })
    .await;
}

/// A measure, as a label.
#[derive(Debug, Clone, Copy, PartialEq, RedisValue)]
enum Measure {
    Rain,
    #[redis(rename = "peak wind")]
    Wind,
}

#[derive(Debug, Clone, PartialEq, RedisTimeSeries)]
#[redis(prefix = "weather", retention = "30d", duplicate = "max", chunk_size = 128)]
struct Weather {
    #[redis(label)]
    measure: Measure,
    #[redis(label, rename = "where")]
    station: u32,
    #[redis(timestamp)]
    at: SystemTime,
    #[redis(value)]
    value: f32,
}

#[tokio::test]
async fn derived_models_in_namespaces() {
    on_both(async |client| {
        let [ours, theirs] =
            ["a:", "b:"].map(|name| client.series::<Weather>().with_namespace(name));
        let at = UNIX_EPOCH + Duration::from_secs(5);
        let sample = |measure, value| Weather { measure, station: 7, at, value };
        let windy = sample(Measure::Wind, 7.1);
        assert_eq!(ours.key(&windy.labels()).unwrap(), "a:weather:peak wind:7");
        let samples = [windy.clone(), sample(Measure::Wind, 2.0), sample(Measure::Rain, 0.5)];
        assert_eq!(ours.add_many(&samples).await.unwrap().all().unwrap(), 3);
        assert!(!ours.create(&windy.labels()).await.unwrap());

        // The duplicate policy keeps the larger of the two.
        let models = ours.range(&windy.labels(), ..).models().await.unwrap();
        assert_eq!(models, std::slice::from_ref(&windy));
        let found = ours.across(|l| l.measure.ne(Measure::Rain) & l.station.eq(7)).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].labels, windy.labels());
        assert_eq!(theirs.across(|_| LabelFilter::any()).await.unwrap(), []);
        let other = theirs.get(&windy.labels()).await.unwrap_err();
        assert_eq!(other.kind(), ErrorKind::NotFound);
    })
    .await;
}

#[tokio::test]
async fn a_server_without_the_module_says_so() {
    let server = Server::builder().modules(false).start().unwrap();
    for protocol in [2, 3] {
        let url = format!("{}?protocol={protocol}", server.url());
        let client = Client::connect(url.as_str()).await.unwrap();
        let readings = client.series::<Reading>();
        let (one, seattle) = (reading("SEA", 1, 5, 1.0), labels("SEA", 1));
        let errors = [
            readings.create(&seattle).await.unwrap_err(),
            readings.add(&one).await.unwrap_err(),
            readings.add_many([one.clone(), reading("SEA", 1, 6, 1.0)]).await.unwrap_err(),
            readings.get(&seattle).await.unwrap_err(),
            readings.range(&seattle, ..).await.unwrap_err(),
            readings.across(|_| LabelFilter::any()).await.unwrap_err(),
            readings.delete(&seattle, ..).await.unwrap_err(),
        ];
        for (at, error) in errors.iter().enumerate() {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{at}: {error}");
            assert!(error.message().contains("RedisTimeSeries"), "{at}: {error}");
        }
    }
}
