//! Time series: samples of a number over time, told apart by labels.
//!
//! A struct that derives [`RedisTimeSeries`](crate::RedisTimeSeries) is one sample: its time, its
//! value and its labels. Samples with the same labels are one Redis series, at the key
//! `{prefix}:{label values joined by ':'}` (`:` and `%` in values as `%3A` and `%25`).
//!
//! ```
//! use std::time::{Duration, SystemTime};
//!
//! use alizarin::prelude::*;
//! use alizarin::series::Aggregator;
//!
//! #[derive(Debug, Clone, PartialEq, RedisTimeSeries)]
//! #[redis(prefix = "temperature", retention = "30d", duplicate = "last")]
//! struct Temperature {
//!     #[redis(label)]
//!     station: String,
//!     #[redis(timestamp)]
//!     at: SystemTime,
//!     #[redis(value)]
//!     celsius: f64,
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = alizarin_testkit::Server::start()?;
//! # let client = Client::connect(server.url().as_str()).await?;
//! let temperatures = client.series::<Temperature>();
//! let now = SystemTime::now();
//! let sample = Temperature { station: "SEA".into(), at: now, celsius: 11.5 };
//! temperatures.add(&sample).await?;
//!
//! let day = now - Duration::from_secs(86_400)..;
//! let hourly = temperatures
//!     .range(&sample.labels(), day.clone())
//!     .bucket(Duration::from_secs(3_600), Aggregator::Avg)
//!     .await?;
//! assert_eq!(hourly[0].value, 11.5);
//!
//! let stations = temperatures.across(|l| l.station.is_in(["SEA", "PDX"])).range(day).await?;
//! assert_eq!(stations[0].labels, sample.labels());
//! # Ok(())
//! # }
//! ```

mod across;
mod failure;
mod label;
mod options;
mod range;
mod sample;
mod schema;
mod stamp;
mod time;
mod write;

pub use across::{AcrossSeries, LabelledSamples};
pub use label::{LabelFilter, LabelOperand};
pub use options::{Aggregator, Align};
pub use range::{SeriesModels, SeriesRange};
pub use sample::Sample;
pub use schema::{SeriesLabel, SeriesSchema, TimeSeriesModel};
pub use stamp::{SampleTime, SampleValue};
#[doc(hidden)]
pub use stamp::{label_from, label_text};
pub use time::{SeriesTime, Span, TimeRange};
pub use write::{Added, Rejected};

use std::fmt;
use std::marker::PhantomData;

use crate::{Client, Command, Result};
use failure::explain;
use options::Options;
use sample::Last;

/// What gives time series: the client.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::client(async |client, prefix| {
/// let series = client.series::<Temperature>().with_namespace(prefix);
/// series.add(&Temperature::new("Rome", 0, 16.5)).await?;
/// # Ok(()) });
/// ```
pub trait SeriesSource {
    /// The series of a model. Sends nothing.
    fn series<X: TimeSeriesModel>(&self) -> Series<X>;
}

impl SeriesSource for Client {
    fn series<X: TimeSeriesModel>(&self) -> Series<X> {
        Series { client: self.clone(), prefix: X::SCHEMA.prefix.to_owned(), model: PhantomData }
    }
}

/// All series of one model; cheap to clone. Made by [`SeriesSource::series`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let rome = Temperature::new("Rome", 0, 16.5);
/// series.add(&rome).await?;
/// assert_eq!(series.range(&rome.labels(), ..).models().await?, [rome]);
/// # Ok(()) });
/// ```
pub struct Series<X> {
    client: Client,
    /// What keys begin with, before the colon.
    prefix: String,
    model: PhantomData<fn() -> X>,
}

impl<X: TimeSeriesModel> Series<X> {
    /// The same, with `namespace` before the model's prefix in every key: series of two
    /// namespaces do not see each other.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
    /// let series = client.series::<Temperature>().with_namespace("test:");
    /// assert_eq!(series.key(&oslo)?, "test:temperature:Oslo:2");
    /// # let _ = prefix;
    /// # Ok(()) });
    /// ```
    #[must_use]
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        self.prefix = [namespace, X::SCHEMA.prefix].concat();
        self
    }

    /// The Redis key of the series with these labels.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::client(async |client, prefix| {
    /// let series = client.series::<Temperature>();
    /// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
    /// assert_eq!(series.key(&oslo)?, "temperature:Oslo:2");
    ///
    /// let comma = Temperature::new("Paris, Texas", 0, 30.0).labels();
    /// assert_eq!(series.key(&comma).unwrap_err().kind(), ErrorKind::Value);
    /// # let _ = prefix;
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Value` for a label that the server cannot store: empty, or with a comma or bracket.
    pub fn key(&self, labels: &X::Labels) -> Result<String> {
        write::checked_key::<X>(&self.prefix, labels)
    }

    /// The latest sample (`TS.GET`); `None` for a series without samples.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
    /// assert_eq!(series.get(&oslo).await?.map(|sample| sample.value), Some(3.0));
    ///
    /// let rome = Temperature::new("Rome", 0, 16.5).labels();
    /// assert_eq!(series.get(&rome).await.unwrap_err().kind(), ErrorKind::NotFound);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `NotFound` for a series that does not exist; `Value` for labels that cannot be stored;
    /// `Server` for a key of another type; `Unsupported` without the module.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn get(&self, labels: &X::Labels) -> Result<Option<Sample>> {
        let key = self.key(labels)?;
        let last = self.client.run(Command::<Last>::new("TS.GET").key(&key)).await;
        last.map(|last| last.0).map_err(|error| explain(error, &key))
    }

    /// The samples of one series in a span of time (`TS.RANGE`): any of Rust's ranges over
    /// `SystemTime`, `chrono::DateTime` or `i64` milliseconds since the Unix epoch; `..` for all.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::{Duration, UNIX_EPOCH};
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
    /// let second_hour = UNIX_EPOCH + Duration::from_secs(3_600);
    /// let samples = series.range(&oslo, second_hour..).await?;
    /// let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
    /// assert_eq!(values, [2.0, 4.0, 3.0]);
    /// # Ok(()) });
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "ranges are written in place")]
    pub fn range(&self, labels: &X::Labels, range: impl TimeRange) -> SeriesRange<'_, X> {
        SeriesRange {
            client: &self.client,
            target: self.key(labels).map(|key| (key, labels.clone())),
            options: Options { span: range.span(), ..Options::default() },
        }
    }

    /// The samples of all series that a filter on labels means (`TS.MRANGE`):
    /// `across(|l| l.station.eq("SEA") & l.measure.ne("wind"))`, or
    /// `across(|_| LabelFilter::any())` for every series of the model.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::temperatures(async |series| {
    /// let found = series.across(|l| l.city.ne("Oslo") & l.height.eq(2)).await?;
    /// assert_eq!((found.len(), found[0].labels.city.as_str()), (1, "Lisbon"));
    /// assert_eq!(found[0].samples[0].value, 14.0);
    /// # Ok(()) });
    /// ```
    pub fn across(
        &self,
        filter: impl FnOnce(X::LabelFields) -> LabelFilter,
    ) -> AcrossSeries<'_, X> {
        AcrossSeries {
            client: &self.client,
            prefix: &self.prefix,
            filter: filter(X::LabelFields::default()),
            options: Options::default(),
            model: PhantomData,
        }
    }

    /// Removes the samples of one series in a span of time (`TS.DEL`); gives how many there were.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
    /// assert_eq!(series.delete(&oslo, ..3_600_000).await?, 1);
    /// assert_eq!(series.range(&oslo, ..).await?.len(), 3);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    /// The samples may have been removed; calling again is harmless.
    pub async fn delete(&self, labels: &X::Labels, range: impl TimeRange) -> Result<u64> {
        let (key, span) = (self.key(labels)?, range.span());
        if span.is_empty() {
            return Ok(0);
        }
        let command =
            Command::<u64>::new("TS.DEL").key(&key).arg((span.first_arg(), span.last_arg()));
        self.client.run(command).await.map_err(|error| explain(error, &key))
    }

    /// Removes a whole series (`UNLINK`); gives whether it was there.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
    /// assert!(series.remove(&oslo).await?);
    /// assert!(!series.remove(&oslo).await?);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Value` for labels that cannot be stored.
    ///
    /// # Cancel safety
    /// The series may have been removed; calling again is harmless.
    pub async fn remove(&self, labels: &X::Labels) -> Result<bool> {
        self.client.run(Command::<bool>::new("UNLINK").key(self.key(labels)?)).await
    }
}

impl<X> Clone for Series<X> {
    fn clone(&self) -> Self {
        Series { client: self.client.clone(), prefix: self.prefix.clone(), model: PhantomData }
    }
}

impl<X: TimeSeriesModel> fmt::Debug for Series<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series")
            .field("prefix", &self.prefix)
            .field("client", &self.client)
            .finish()
    }
}
