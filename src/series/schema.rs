//! What a time series model is: a struct that is one sample with its labels.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crate::Result;

/// A struct that is one sample of a time series; made by `#[derive(RedisTimeSeries)]`.
///
/// Samples with the same labels are one Redis series.
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

    /// The struct of a stored sample.
    ///
    /// # Errors
    /// `Decode` when the time or value does not fit its field.
    fn from_sample(labels: &Self::Labels, timestamp_ms: i64, value: f64) -> Result<Self>;

    /// The labels' values as text, in the order of [`SeriesSchema::labels`].
    fn label_values(labels: &Self::Labels) -> Vec<String>;

    /// The labels, asking `values` for each one's text by its name.
    ///
    /// # Errors
    /// `Decode` when a label is missing or its text does not parse.
    fn labels_from(values: &mut dyn FnMut(&str) -> Option<String>) -> Result<Self::Labels>;
}

/// A time series model's constants.
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
pub struct SeriesLabel<X> {
    name: &'static str,
    model: PhantomData<fn() -> X>,
}

impl<X> SeriesLabel<X> {
    /// The handle of the label with this name; the derive makes these.
    pub const fn new(name: &'static str) -> SeriesLabel<X> {
        SeriesLabel { name, model: PhantomData }
    }

    /// The label's name on the server.
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
