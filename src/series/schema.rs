//! What a time series model is: a struct that is one sample with its labels.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::Result;

/// A struct that is one sample of a time series; made by `#[derive(RedisTimeSeries)]`.
///
/// Samples with the same labels are one Redis series.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
///
/// let sample = Temperature::new("Oslo", 1, 2.0);
/// assert_eq!((sample.timestamp()?, sample.value()), (3_600_000, 2.0));
/// assert_eq!(Temperature::label_values(&sample.labels()), ["Oslo", "2"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a time series model",
    note = "add `#[derive(RedisTimeSeries)]` to the struct"
)]
pub trait TimeSeriesModel: Sized + Send + Sync + 'static {
    /// What the derive read from the struct.
    const SCHEMA: &'static SeriesSchema;

    /// The label fields: what tells one series from another.
    type Labels: Clone + fmt::Debug + PartialEq + Send + Sync;

    /// One handle a label, for filters: what `|l| l.station` receives.
    type LabelFields: Copy + Default;

    /// The sample's labels.
    fn labels(&self) -> Self::Labels;

    /// When the sample was taken, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// `Value` when the time cannot be written as such.
    fn timestamp(&self) -> Result<i64>;

    /// What was measured.
    fn value(&self) -> f64;

    /// The struct of a stored sample. [`SeriesRange::models`](super::SeriesRange::models) calls it.
    ///
    /// # Errors
    /// `Decode` when the time or value does not fit its field.
    fn from_sample(labels: &Self::Labels, timestamp_ms: i64, value: f64) -> Result<Self>;

    /// The labels' values as text, in the order of [`SeriesSchema::labels`].
    fn label_values(labels: &Self::Labels) -> Vec<String>;

    /// The labels, asking `values` for each one's text by its name. Awaiting
    /// [`AcrossSeries`](super::AcrossSeries) calls it.
    ///
    /// # Errors
    /// `Decode` when a label is missing or its text does not parse.
    fn labels_from(values: &mut dyn FnMut(&str) -> Option<String>) -> Result<Self::Labels>;
}

/// A time series model's constants.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// let schema = Temperature::SCHEMA;
/// assert_eq!((schema.prefix, schema.labels), ("temperature", &["city", "height"][..]));
/// assert_eq!((schema.duplicate, schema.retention), (Some("last"), None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct SeriesSchema {
    /// The struct's name, for messages.
    pub name: &'static str,
    /// What keys begin with, without the colon before the label values.
    pub prefix: &'static str,
    /// The labels' names in the struct's order.
    pub labels: &'static [&'static str],
    /// How long samples are kept; `None` for the server's setting (for ever, by default).
    pub retention: Option<Duration>,
    /// What a second sample at one time does: `block`, `first`, `last`, `min`, `max` or `sum`.
    pub duplicate: Option<&'static str>,
    /// Bytes a chunk of samples takes.
    pub chunk_size: Option<u64>,
}

/// One label of a time series model, in filters: what `|l| l.station` is.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::temperatures(async |series| {
/// let low = series.across(|l| l.city.eq("Oslo") & l.height.not_in([100, 200])).await?;
/// assert_eq!((low.len(), low[0].labels.height), (1, 2));
/// # Ok(()) });
/// ```
pub struct SeriesLabel<X> {
    name: &'static str,
    model: PhantomData<fn() -> X>,
}

impl<X> SeriesLabel<X> {
    /// The handle of the label with this name. Called by derived code.
    pub const fn new(name: &'static str) -> SeriesLabel<X> {
        SeriesLabel { name, model: PhantomData }
    }

    /// The label's name on the server.
    ///
    /// ```
    /// use alizarin::series::SeriesLabel;
    /// assert_eq!(SeriesLabel::<()>::new("city").name(), "city");
    /// ```
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<X> Clone for SeriesLabel<X> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<X> Copy for SeriesLabel<X> {}

impl<X> fmt::Debug for SeriesLabel<X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeriesLabel").field(&self.name).finish()
    }
}
