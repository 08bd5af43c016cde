//! Creating series and adding to them.

use std::borrow::Borrow;
use std::collections::HashSet;

use super::failure::{already_there, explain};
use super::label::{MODEL_LABEL, check_stored, series_key};
use super::{Series, SeriesSchema, TimeSeriesModel};
use crate::command::Flags;
use crate::{Command, Error, ErrorKind, Result, Value};

/// Samples of one `TS.MADD`.
const BATCH: usize = 1_000;
/// Series that `add_many` remembers to have created, before it forgets and asks again.
const REMEMBERED: usize = 10_000;

/// What [`Series::add_many`] did.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let samples = [Temperature::new("Rome", 0, 16.5), Temperature::new("Rome", 1, f64::NAN)];
/// let added = series.add_many(&samples).await?;
/// assert_eq!((added.written, added.rejected.len()), (1, 1));
/// # Ok(()) });
/// ```
#[derive(Debug, Default)]
#[non_exhaustive]
#[must_use = "samples may have been rejected: look at `rejected`, or call `all`"]
pub struct Added {
    /// How many samples were written.
    pub written: u64,
    /// Those that were not, in the order they came.
    pub rejected: Vec<Rejected>,
}

impl Added {
    /// The number written, when nothing was rejected.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let samples = [Temperature::new("Rome", 0, 16.5), Temperature::new("Rome", 1, 17.0)];
    /// assert_eq!(series.add_many(&samples).await?.all()?, 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// The first rejected sample's error.
    pub fn all(self) -> Result<u64> {
        match self.rejected.into_iter().next() {
            None => Ok(self.written),
            Some(first) => Err(first.error),
        }
    }
}

/// A sample that was not written.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let added = series.add_many([Temperature::new("Rome", 1, f64::NAN)]).await?;
/// let rejected = &added.rejected[0];
/// assert_eq!((rejected.timestamp, rejected.error.kind()), (Some(3_600_000), ErrorKind::Value));
/// # Ok(()) });
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Rejected {
    /// Its time in milliseconds since the Unix epoch, where it has one.
    pub timestamp: Option<i64>,
    /// The key of its series, where its labels make one.
    pub key: Option<String>,
    /// Why not.
    pub error: Error,
}

/// A sample ready to be sent.
struct Ready {
    key: String,
    timestamp: i64,
    value: f64,
}

impl<X: TimeSeriesModel> Series<X> {
    /// Creates the series of these labels (`TS.CREATE`) with the model's retention, duplicate
    /// policy and chunk size. Gives whether it was not there before; one that is there with the
    /// same options and labels is left as it is.
    ///
    /// [`add`](Self::add) creates what it needs: this is for series that must exist while empty.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let rome = Temperature::new("Rome", 0, 16.5).labels();
    /// assert!(series.create(&rome).await?);
    /// assert!(!series.create(&rome).await?);
    /// assert_eq!(series.get(&rome).await?, None);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Exists` when the key holds a series with other options, `Value` for labels that cannot
    /// be stored, `Unsupported` without the module.
    ///
    /// # Cancel safety
    /// The series may have been created; calling again is harmless.
    pub async fn create(&self, labels: &X::Labels) -> Result<bool> {
        let values = X::label_values(labels);
        let key = self.key(labels)?;
        match self.client.run(self.create_command(&key, &values)).await {
            Ok(()) => Ok(true),
            Err(error) if already_there(&error) => {
                let info = Command::<Vec<(String, Value)>>::new("TS.INFO").key(&key);
                let info = self.client.run(info).await.map_err(|error| explain(error, &key))?;
                compare(X::SCHEMA, &self.prefix, &key, &values, &info)?;
                Ok(false)
            }
            Err(error) => Err(explain(error, &key)),
        }
    }

    /// Adds one sample (`TS.ADD`); the first of its labels creates the series, with the model's
    /// options.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let sample = Temperature::new("Oslo", 4, 2.5);
    /// series.add(&sample).await?;
    /// assert_eq!(series.get(&sample.labels()).await?.map(|latest| latest.value), Some(2.5));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Value` for a value that is not finite, a time before 1970 or older than the retention, or
    /// labels that cannot be stored; `Exists` for a second sample at one time where the duplicate
    /// policy is `block`; `Unsupported` without the module.
    ///
    /// # Cancel safety
    /// The sample may have been written.
    pub async fn add(&self, sample: &X) -> Result<()> {
        let ready = self.ready(sample)?;
        let command =
            Command::<()>::new("TS.ADD").key(&ready.key).arg((ready.timestamp, ready.value));
        let command = self.with_options(command, &X::label_values(&sample.labels()));
        self.client.run(command).await.map_err(|error| explain(error, &ready.key))
    }

    /// Adds many samples: each series is created once, then they travel a thousand at a time
    /// (`TS.MADD`). Samples that are refused are reported and do not hold up the others.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let rome = (0..24).map(|hour| Temperature::new("Rome", hour, 16.0));
    /// assert_eq!(series.add_many(rome).await?.all()?, 24);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// What concerns all samples: a lost connection, a missing module. Samples before it were
    /// written.
    ///
    /// # Cancel safety
    /// Some samples may have been written.
    pub async fn add_many<I>(&self, samples: I) -> Result<Added>
    where
        I: IntoIterator<Item: Borrow<X>>,
    {
        let mut added = Added::default();
        let mut known = HashSet::new();
        let mut creates = Vec::new();
        let mut batch = Vec::new();
        for sample in samples {
            let sample = sample.borrow();
            let ready = match self.ready(sample) {
                Ok(ready) => ready,
                Err(error) => {
                    let timestamp = sample.timestamp().ok();
                    let key = self.key(&sample.labels()).ok();
                    added.rejected.push(Rejected { timestamp, key, error });
                    continue;
                }
            };
            if !known.contains(&ready.key) {
                let values = X::label_values(&sample.labels());
                creates.push(self.create_command(&ready.key, &values).replying::<Result<()>>());
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(ready.key.clone());
            }
            batch.push(ready);
            if batch.len() >= BATCH {
                self.flush(&mut creates, &mut batch, &mut added).await?;
            }
        }
        self.flush(&mut creates, &mut batch, &mut added).await?;
        Ok(added)
    }

    async fn flush(
        &self,
        creates: &mut Vec<Command<Result<()>>>,
        batch: &mut Vec<Ready>,
        added: &mut Added,
    ) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        if !creates.is_empty() {
            for created in self.client.pipeline(std::mem::take(creates)).await? {
                if let Err(error) = created
                    && !already_there(&error)
                {
                    return Err(explain(error, &self.prefix));
                }
            }
        }
        let mut command = Command::<Vec<Result<i64>>>::new("TS.MADD");
        for sample in &*batch {
            command = command.key(&sample.key).arg((sample.timestamp, sample.value));
        }
        let outcomes =
            self.client.run(command).await.map_err(|error| explain(error, &self.prefix))?;
        if outcomes.len() != batch.len() {
            let came = format!("{} outcomes for {} samples", outcomes.len(), batch.len());
            return Err(Error::decode("one outcome a sample", &came).with_command("TS.MADD"));
        }
        for (sample, outcome) in batch.drain(..).zip(outcomes) {
            match outcome {
                Ok(_) => added.written += 1,
                Err(error) => {
                    let error = explain(error, &sample.key).with_command("TS.MADD");
                    let timestamp = Some(sample.timestamp);
                    added.rejected.push(Rejected { timestamp, key: Some(sample.key), error });
                }
            }
        }
        Ok(())
    }
}

impl<X: TimeSeriesModel> Series<X> {
    /// Checks a sample before any of it is sent.
    fn ready(&self, sample: &X) -> Result<Ready> {
        let key = self.key(&sample.labels())?;
        let timestamp = sample.timestamp()?;
        if timestamp < 0 {
            return Err(Error::new(ErrorKind::Value, "a time series holds no times before 1970"));
        }
        let value = sample.value();
        if !value.is_finite() {
            let text = format!("a time series cannot hold the value {value}");
            return Err(Error::new(ErrorKind::Value, text));
        }
        Ok(Ready { key, timestamp, value })
    }

    fn create_command(&self, key: &str, values: &[String]) -> Command<()> {
        // Twice is the same as once: the second is told that the key exists, which counts as done.
        self.with_options(Command::new("TS.CREATE").key(key), values).flags(Flags::IDEMPOTENT)
    }

    /// Adds the options a series is created with.
    fn with_options(&self, command: Command<()>, values: &[String]) -> Command<()> {
        let schema = X::SCHEMA;
        let mut command = command
            .arg(schema.retention.map(|span| ("RETENTION", span)))
            .arg(schema.chunk_size.map(|size| ("CHUNK_SIZE", size)))
            .arg(schema.duplicate.map(|policy| ("DUPLICATE_POLICY", policy)))
            .arg(("LABELS", MODEL_LABEL, &self.prefix));
        for (label, value) in schema.labels.iter().zip(values) {
            command = command.arg((label, value));
        }
        command
    }
}

/// The key of the series with these labels, once they are known to be storable.
pub(super) fn checked_key<X: TimeSeriesModel>(prefix: &str, labels: &X::Labels) -> Result<String> {
    let values = X::label_values(labels);
    for (label, value) in X::SCHEMA.labels.iter().zip(&values) {
        check_stored(label, value)?;
    }
    Ok(series_key(prefix, &values))
}

/// Compares what the model wants with what is there.
fn compare(
    schema: &SeriesSchema,
    prefix: &str,
    key: &str,
    values: &[String],
    info: &[(String, Value)],
) -> Result<()> {
    let of = |name: &str| info.iter().find(|(field, _)| field == name).map(|(_, value)| value);
    let differs = |what: &str, there: &str, wanted: &str| {
        Err(Error::new(
            ErrorKind::Exists,
            format!("series {key:?} exists with {what} {there} where the model has {wanted}; TS.ALTER changes it"),
        )
        .with_command("TS.CREATE"))
    };
    let numbers = [
        (
            "retention (ms)",
            "retentionTime",
            schema.retention.map(|span| span.as_millis().to_string()),
        ),
        ("chunk size", "chunkSize", schema.chunk_size.map(|size| size.to_string())),
    ];
    for (what, field, wanted) in numbers {
        let there = of(field).and_then(Value::as_i64).map(|n| n.to_string()).unwrap_or_default();
        if let Some(wanted) = wanted
            && wanted != there
        {
            return differs(what, &there, &wanted);
        }
    }
    if let Some(wanted) = schema.duplicate {
        let there = of("duplicatePolicy").and_then(Value::as_str).unwrap_or("none");
        if !wanted.eq_ignore_ascii_case(there) {
            return differs("duplicate policy", there, wanted);
        }
    }
    let own = (MODEL_LABEL, prefix);
    let labels = schema.labels.iter().copied().zip(values.iter().map(String::as_str));
    for (label, wanted) in std::iter::once(own).chain(labels) {
        let there = of("labels").and_then(|labels| label_value(labels, label)).unwrap_or("(none)");
        if there != wanted {
            return differs(&format!("label {label}"), there, wanted);
        }
    }
    Ok(())
}

/// A label's value in the reply of `TS.INFO`: a map in RESP3, a list of pairs in RESP2.
fn label_value<'a>(labels: &'a Value, name: &str) -> Option<&'a str> {
    if let Value::Map(pairs) = labels {
        let (_, value) = pairs.iter().find(|(label, _)| label.as_str() == Some(name))?;
        return value.as_str();
    }
    labels.as_slice()?.iter().find_map(|pair| match pair.as_slice()? {
        [label, value] if label.as_str() == Some(name) => value.as_str(),
        _ => None,
    })
}
