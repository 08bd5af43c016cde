//! What ranges over one series and over many have in common.

use std::time::Duration;

use super::SeriesTime;
use super::time::{Span, clamp, floor};
use crate::resp::Packed;
use crate::{Error, ErrorKind, Result, ToArgs};

/// How the samples of a bucket become one value.
///
/// ```
/// # use alizarin::prelude::*;
/// use std::time::Duration;
/// use alizarin::series::Aggregator;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
/// let day = Duration::from_secs(86_400);
/// let spread = series.range(&oslo, ..).bucket(day, Aggregator::Range).await?;
/// assert_eq!(spread[0].value, 3.0);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Aggregator {
    /// The mean.
    Avg,
    /// How many there are.
    Count,
    /// The earliest.
    First,
    /// The latest.
    Last,
    /// The largest.
    Max,
    /// The smallest.
    Min,
    /// The largest less the smallest.
    Range,
    /// The standard deviation of the samples as a whole population.
    StdP,
    /// The standard deviation of the samples as part of a population.
    StdS,
    /// The sum.
    Sum,
    /// The mean weighted by how long each value held.
    Twa,
    /// The variance of the samples as a whole population.
    VarP,
    /// The variance of the samples as part of a population.
    VarS,
}

impl Aggregator {
    /// The word the server uses.
    ///
    /// ```
    /// use alizarin::series::Aggregator;
    /// assert_eq!(Aggregator::StdP.name(), "std.p");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Aggregator::Avg => "avg",
            Aggregator::Count => "count",
            Aggregator::First => "first",
            Aggregator::Last => "last",
            Aggregator::Max => "max",
            Aggregator::Min => "min",
            Aggregator::Range => "range",
            Aggregator::StdP => "std.p",
            Aggregator::StdS => "std.s",
            Aggregator::Sum => "sum",
            Aggregator::Twa => "twa",
            Aggregator::VarP => "var.p",
            Aggregator::VarS => "var.s",
        }
    }
}

/// From where buckets are counted; without it, from the Unix epoch.
///
/// ```
/// # use alizarin::prelude::*;
/// use std::time::Duration;
/// use alizarin::series::{Aggregator, Align};
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
/// let hours = Duration::from_secs(7_200);
/// let sums = series.range(&oslo, 3_600_000..).bucket(hours, Aggregator::Sum).align(Align::Start);
/// let values: Vec<f64> = sums.await?.iter().map(|bucket| bucket.value).collect();
/// assert_eq!(values, [6.0, 3.0]);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Align {
    /// From the range's beginning, which must be given.
    Start,
    /// From the range's end, which must be given.
    End,
    /// From a time, in milliseconds since the Unix epoch; see [`Align::at`].
    At(i64),
}

impl Align {
    /// From a point in time.
    ///
    /// ```
    /// use alizarin::series::Align;
    /// use std::time::{Duration, UNIX_EPOCH};
    /// let noon = UNIX_EPOCH + Duration::from_secs(43_200);
    /// assert_eq!(Align::at(noon), Align::At(43_200_000));
    /// ```
    pub fn at(time: impl SeriesTime) -> Align {
        Align::At(clamp(floor(&time)))
    }
}

/// The options of a range, as they were given.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    pub(super) span: Span,
    pub(super) reversed: bool,
    pub(super) count: Option<u64>,
    pub(super) values: Option<(f64, f64)>,
    pub(super) bucket: Option<(Duration, Aggregator)>,
    pub(super) align: Option<Align>,
    pub(super) empty: bool,
}

impl Options {
    /// Adds the span and the options in the order the server wants.
    pub(super) fn write(&self, out: &mut Packed) -> Result<()> {
        (self.span.first_arg(), self.span.last_arg()).write_args(out);
        if let Some((min, max)) = self.values {
            if min.is_nan() || max.is_nan() {
                return Err(usage("NaN bounds no values"));
            }
            ("FILTER_BY_VALUE", min, max).write_args(out);
        }
        if let Some(count) = self.count {
            ("COUNT", count).write_args(out);
        }
        let Some((duration, aggregator)) = self.bucket else {
            return match (self.align, self.empty) {
                (None, false) => Ok(()),
                _ => Err(usage("align and empty_buckets are about buckets: call bucket too")),
            };
        };
        self.write_align(out)?;
        let whole = duration.subsec_nanos() % 1_000_000 == 0 && !duration.is_zero();
        let ms = i64::try_from(duration.as_millis()).ok().filter(|_| whole);
        let ms =
            ms.ok_or_else(|| usage("a bucket lasts a whole number of milliseconds, at least one"))?;
        ("AGGREGATION", aggregator.name(), ms).write_args(out);
        if self.empty {
            "EMPTY".write_args(out);
        }
        Ok(())
    }

    fn write_align(&self, out: &mut Packed) -> Result<()> {
        let (begins, ends) = self.span.bounds();
        match self.align {
            None => {}
            Some(Align::Start) if !begins => {
                return Err(usage("Align::Start needs a range with a beginning"));
            }
            Some(Align::End) if !ends => return Err(usage("Align::End needs a range with an end")),
            Some(Align::Start) => ("ALIGN", "start").write_args(out),
            Some(Align::End) => ("ALIGN", "end").write_args(out),
            Some(Align::At(ms)) => ("ALIGN", ms.max(0)).write_args(out),
        }
        Ok(())
    }
}

fn usage(text: &'static str) -> Error {
    Error::new(ErrorKind::Usage, text)
}

/// The builder methods of both kinds of range, which hold their `Options` as `options`.
macro_rules! range_methods {
    () => {
        /// One value a bucket instead of each sample (`AGGREGATION`); buckets last `duration`,
        /// a whole number of milliseconds.
        ///
        /// ```
        /// # use alizarin::prelude::*;
        /// use std::time::Duration;
        /// # use alizarin::series::Aggregator;
        /// # use alizarin_samples::Temperature;
        /// # alizarin_samples::temperatures(async |series| {
        /// # let oslo = Temperature::new("Oslo", 0, 1.0).labels();
        /// let two_hours = Duration::from_secs(7_200);
        /// let means = series.range(&oslo, ..).bucket(two_hours, Aggregator::Avg).await?;
        /// assert_eq!((means[0].value, means[1].value), (1.5, 3.5));
        /// # Ok(()) });
        /// ```
        pub fn bucket(
            mut self,
            duration: std::time::Duration,
            aggregator: super::Aggregator,
        ) -> Self {
            self.options.bucket = Some((duration, aggregator));
            self
        }

        /// From where buckets are counted (`ALIGN`); the Unix epoch unless given.
        ///
        /// ```
        /// # use alizarin::prelude::*;
        /// use std::time::Duration;
        /// # use alizarin::series::{Aggregator, Align};
        /// # use alizarin_samples::Temperature;
        /// # alizarin_samples::temperatures(async |series| {
        /// # let oslo = Temperature::new("Oslo", 0, 1.0).labels();
        /// let two_hours = Duration::from_secs(7_200);
        /// let means = series.range(&oslo, ..).bucket(two_hours, Aggregator::Avg);
        /// let means = means.align(Align::At(3_600_000)).await?;
        /// assert_eq!((means[0].value, means[1].value, means[2].value), (1.0, 3.0, 3.0));
        /// # Ok(()) });
        /// ```
        pub fn align(mut self, align: super::Align) -> Self {
            self.options.align = Some(align);
            self
        }

        /// Buckets without samples too (`EMPTY`): 0 for sums and counts, the value before for
        /// `Last`, between its neighbours for `Twa`, else NaN.
        ///
        /// ```
        /// # use alizarin::prelude::*;
        /// use std::time::Duration;
        /// # use alizarin::series::Aggregator;
        /// # use alizarin_samples::Temperature;
        /// # alizarin_samples::temperatures(async |series| {
        /// # let oslo = Temperature::new("Oslo", 0, 1.0).labels();
        /// series.delete(&oslo, 3_600_000..10_800_000).await?;
        /// let hour = Duration::from_secs(3_600);
        /// let hourly = series.range(&oslo, ..).bucket(hour, Aggregator::Count).empty_buckets();
        /// let counts: Vec<f64> = hourly.await?.iter().map(|bucket| bucket.value).collect();
        /// assert_eq!(counts, [1.0, 0.0, 0.0, 1.0]);
        /// # Ok(()) });
        /// ```
        pub fn empty_buckets(mut self) -> Self {
            self.options.empty = true;
            self
        }

        /// At most this many samples or buckets of a series (`COUNT`).
        ///
        /// ```
        /// # use alizarin::prelude::*;
        /// # use alizarin_samples::Temperature;
        /// # alizarin_samples::temperatures(async |series| {
        /// # let oslo = Temperature::new("Oslo", 0, 1.0).labels();
        /// let first = series.range(&oslo, ..).count(1).await?;
        /// assert_eq!((first.len(), first[0].value), (1, 1.0));
        /// # Ok(()) });
        /// ```
        pub fn count(mut self, n: u64) -> Self {
            self.options.count = Some(n);
            self
        }

        /// The latest first.
        ///
        /// ```
        /// # use alizarin::prelude::*;
        /// # use alizarin_samples::Temperature;
        /// # alizarin_samples::temperatures(async |series| {
        /// # let oslo = Temperature::new("Oslo", 0, 1.0).labels();
        /// let latest = series.range(&oslo, ..).rev().count(2).await?;
        /// assert_eq!((latest[0].value, latest[1].value), (3.0, 4.0));
        /// # Ok(()) });
        /// ```
        pub fn rev(mut self) -> Self {
            self.options.reversed = true;
            self
        }

        /// Only samples whose value lies between these, both included (`FILTER_BY_VALUE`).
        ///
        /// ```
        /// # use alizarin::prelude::*;
        /// # use alizarin_samples::Temperature;
        /// # alizarin_samples::temperatures(async |series| {
        /// # let oslo = Temperature::new("Oslo", 0, 1.0).labels();
        /// let mild = series.range(&oslo, ..).filter_by_value(3.0, 10.0).await?;
        /// assert_eq!((mild[0].value, mild[1].value), (4.0, 3.0));
        /// # Ok(()) });
        /// ```
        pub fn filter_by_value(mut self, min: f64, max: f64) -> Self {
            self.options.values = Some((min, max));
            self
        }
    };
}

pub(super) use range_methods;

#[cfg(test)]
mod tests {
    use super::super::TimeRange as _;
    use super::*;

    fn written(options: &Options) -> Result<Vec<String>> {
        let mut out = Packed::new();
        options.write(&mut out)?;
        Ok(out.arguments().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect())
    }

    #[test]
    fn options_come_in_the_servers_order() {
        let options = Options {
            span: (1_000..5_000_i64).span(),
            count: Some(3),
            values: Some((-1.5, 2.0)),
            bucket: Some((Duration::from_secs(1), Aggregator::StdP)),
            align: Some(Align::Start),
            empty: true,
            ..Options::default()
        };
        assert_eq!(
            written(&options).unwrap().join(" "),
            "1000 4999 FILTER_BY_VALUE -1.5 2 COUNT 3 ALIGN start AGGREGATION std.p 1000 EMPTY"
        );
    }

    #[test]
    fn what_cannot_be_right_is_not_sent() {
        let bucket = |duration| Some((duration, Aggregator::Avg));
        let second = bucket(Duration::from_secs(1));
        for options in [
            Options { bucket: bucket(Duration::ZERO), ..Options::default() },
            Options { bucket: bucket(Duration::from_micros(1_500)), ..Options::default() },
            Options { bucket: second, align: Some(Align::Start), ..Options::default() },
            Options { bucket: second, align: Some(Align::End), ..Options::default() },
            Options { align: Some(Align::At(5)), ..Options::default() },
            Options { empty: true, ..Options::default() },
            Options { values: Some((f64::NAN, 1.0)), ..Options::default() },
        ] {
            assert_eq!(written(&options).unwrap_err().kind(), ErrorKind::Usage, "{options:?}");
        }
    }
}
