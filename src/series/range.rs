//! Reading one series.

use std::future::Future;
use std::pin::Pin;

use super::failure::explain;
use super::options::{Options, range_methods};
use super::{Sample, TimeSeriesModel};
use crate::{Client, Command, Error, ErrorKind, Result};

/// The samples of one series in a span of time; made by [`Series::range`](super::Series::range).
///
/// Awaiting it sends `TS.RANGE` (`TS.REVRANGE` after [`rev`](Self::rev)) and gives the samples,
/// the earliest first. A series that was never written is a `NotFound` error.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
/// let samples = series.range(&oslo, 3_600_000..=7_200_000).await?;
/// assert_eq!((samples.len(), samples[0].value), (2, 2.0));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `NotFound`; `Usage` for options that contradict each other; `Value` for labels that cannot be
/// stored; `Server` for a key of another type; `Unsupported` without the module.
///
/// # Cancel safety
/// It only reads.
#[must_use = "nothing is read before it is awaited"]
pub struct SeriesRange<'c, X: TimeSeriesModel> {
    pub(super) client: &'c Client,
    /// The key and labels, or why there are none.
    pub(super) target: Result<(String, X::Labels)>,
    pub(super) options: Options,
}

impl<'c, X: TimeSeriesModel> SeriesRange<'c, X> {
    range_methods!();

    /// Gives models instead of samples. Buckets are no models: those with
    /// [`bucket`](Self::bucket) are refused.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin_samples::Temperature;
    /// # alizarin_samples::temperatures(async |series| {
    /// let oslo = Temperature::new("Oslo", 0, 1.0);
    /// let models = series.range(&oslo.labels(), ..).models().await?;
    /// assert_eq!((models.len(), &models[0]), (4, &oslo));
    /// # Ok(()) });
    /// ```
    pub fn models(self) -> SeriesModels<'c, X> {
        SeriesModels { range: self }
    }

    async fn samples(self) -> Result<(Vec<Sample>, X::Labels)> {
        let (key, labels) = self.target?;
        let name = if self.options.reversed { "TS.REVRANGE" } else { "TS.RANGE" };
        let mut command = Command::<Vec<Sample>>::new(name).key(&key);
        self.options.write(command.packed_mut()).map_err(|error| error.with_command(name))?;
        if self.options.span.is_empty() {
            return Ok((Vec::new(), labels));
        }
        let samples = self.client.run(command).await.map_err(|error| explain(error, &key))?;
        Ok((samples, labels))
    }
}

impl<'c, X: TimeSeriesModel> IntoFuture for SeriesRange<'c, X> {
    type Output = Result<Vec<Sample>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.samples().await.map(|(samples, _)| samples) })
    }
}

impl<X: TimeSeriesModel> std::fmt::Debug for SeriesRange<'_, X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SeriesRange")
            .field("target", &self.target)
            .field("options", &self.options)
            .finish()
    }
}

/// A range that gives models; made by [`SeriesRange::models`].
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let lisbon = Temperature::new("Lisbon", 3, 18.0);
/// let latest = series.range(&lisbon.labels(), ..).rev().count(1).models().await?;
/// assert_eq!(latest, [lisbon]);
/// # Ok(()) });
/// ```
///
/// # Errors
/// As [`SeriesRange`], and `Decode` for a sample that does not fit the model.
///
/// # Cancel safety
/// It only reads.
#[must_use = "nothing is read before it is awaited"]
#[derive(Debug)]
pub struct SeriesModels<'c, X: TimeSeriesModel> {
    range: SeriesRange<'c, X>,
}

impl<'c, X: TimeSeriesModel> IntoFuture for SeriesModels<'c, X> {
    type Output = Result<Vec<X>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            if self.range.options.bucket.is_some() {
                return Err(Error::new(
                    ErrorKind::Usage,
                    "a bucket's value is no sample of the model: await the range without models()",
                ));
            }
            let (samples, labels) = self.range.samples().await?;
            samples.iter().map(|s| X::from_sample(&labels, s.timestamp, s.value)).collect()
        })
    }
}
