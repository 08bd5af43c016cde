//! Reading several series at once.

use std::future::Future;
use std::pin::Pin;

use super::failure::explain;
use super::options::{Options, range_methods};
use super::sample::{Found, FoundAll};
use super::{LabelFilter, Sample, TimeRange, TimeSeriesModel};
use crate::{Client, Command, Result};

/// The samples of all series that a filter means; made by
/// [`Series::across`](super::Series::across).
///
/// Awaiting it sends `TS.MRANGE` (`TS.MREVRANGE` after [`rev`](Self::rev)) and gives one
/// [`LabelledSamples`] a series. Nothing limits how many there are: narrow the
/// [`range`](Self::range), or use [`bucket`](Self::bucket) or [`count`](Self::count).
///
/// ```
/// # use alizarin::prelude::*;
/// use std::time::Duration;
/// use alizarin::series::{Aggregator, LabelFilter};
/// # alizarin_samples::temperatures(async |series| {
/// let day = Duration::from_secs(86_400);
/// let warmest = series.across(|_| LabelFilter::any()).bucket(day, Aggregator::Max).await?;
/// let oslo = warmest.iter().find(|found| found.labels.city == "Oslo").expect("Oslo");
/// assert_eq!(oslo.samples[0].value, 4.0);
/// # Ok(()) });
/// ```
///
/// # Errors
/// `Value` for label values that the server's filters cannot express; `Usage` for options that
/// contradict each other; `Decode` for a series whose labels do not fit the model; `Unsupported`
/// without the module.
///
/// # Cancel safety
/// It only reads.
#[must_use = "nothing is read before it is awaited"]
pub struct AcrossSeries<'c, X: TimeSeriesModel> {
    pub(super) client: &'c Client,
    pub(super) prefix: &'c str,
    pub(super) filter: LabelFilter,
    pub(super) options: Options,
    pub(super) model: std::marker::PhantomData<fn() -> X>,
}

/// One series of several, with its labels.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::temperatures(async |series| {
/// let found = series.across(|l| l.city.eq("Oslo")).await?;
/// assert!(found[0].key.ends_with("temperature:Oslo:2"));
/// assert_eq!((found[0].labels.height, found[0].samples.len()), (2, 4));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LabelledSamples<L> {
    /// The Redis key.
    pub key: String,
    /// The series' labels.
    pub labels: L,
    /// Its samples or buckets.
    pub samples: Vec<Sample>,
}

impl<'c, X: TimeSeriesModel> AcrossSeries<'c, X> {
    /// Only samples in this span of time; all of it unless given.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::temperatures(async |series| {
    /// let late = series.across(|l| l.city.eq("Oslo")).range(7_200_000..).await?;
    /// assert_eq!(late[0].samples.len(), 2);
    /// # Ok(()) });
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "ranges are written in place")]
    pub fn range(mut self, range: impl TimeRange) -> Self {
        self.options.span = range.span();
        self
    }

    range_methods!();

    async fn find(self) -> Result<Vec<LabelledSamples<X::Labels>>> {
        let name = if self.options.reversed { "TS.MREVRANGE" } else { "TS.MRANGE" };
        let mut command = Command::<FoundAll>::new(name);
        self.options.write(command.packed_mut()).map_err(|error| error.with_command(name))?;
        let filter =
            self.filter.arguments(self.prefix).map_err(|error| error.with_command(name))?;
        let command = command.arg("WITHLABELS").arg("FILTER").arg(filter);
        if self.options.span.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.client.run(command.flags(crate::command::Flags::READ)).await;
        let found = found.map_err(|error| explain(error, self.prefix))?;
        found.0.into_iter().map(typed::<X>).collect()
    }
}

fn typed<X: TimeSeriesModel>(found: Found) -> Result<LabelledSamples<X::Labels>> {
    let Found { key, mut labels, samples } = found;
    let mut take = |name: &str| {
        let (_, value) = labels.iter_mut().find(|(label, _)| label == name)?;
        value.take()
    };
    let labels = X::labels_from(&mut take).map_err(|error| {
        let kind = error.kind();
        crate::Error::new(kind, format!("the labels of series {key:?} do not fit the model"))
            .with_source(error)
    })?;
    Ok(LabelledSamples { key, labels, samples })
}

impl<'c, X: TimeSeriesModel> IntoFuture for AcrossSeries<'c, X> {
    type Output = Result<Vec<LabelledSamples<X::Labels>>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'c>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.find())
    }
}

impl<X: TimeSeriesModel> std::fmt::Debug for AcrossSeries<'_, X> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AcrossSeries")
            .field("filter", &self.filter)
            .field("options", &self.options)
            .finish()
    }
}
