//! Points in time and spans of it.

use std::ops::{Bound, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NANOS_PER_MS: i128 = 1_000_000;

/// A point in time that a span of a series can begin or end at: `SystemTime`, `chrono`'s
/// `DateTime`, or an `i64` of milliseconds since the Unix epoch.
///
/// ```
/// use alizarin::series::SeriesTime;
/// use std::time::{Duration, UNIX_EPOCH};
/// let time = UNIX_EPOCH + Duration::from_millis(5);
/// assert_eq!(time.nanos_since_epoch(), 5_i64.nanos_since_epoch());
/// ```
pub trait SeriesTime {
    /// Nanoseconds since the Unix epoch.
    fn nanos_since_epoch(&self) -> i128;
}

impl SeriesTime for SystemTime {
    fn nanos_since_epoch(&self) -> i128 {
        let nanos = |span: Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
        match self.duration_since(UNIX_EPOCH) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        }
    }
}

impl SeriesTime for i64 {
    fn nanos_since_epoch(&self) -> i128 {
        i128::from(*self) * NANOS_PER_MS
    }
}

#[cfg(feature = "chrono")]
impl<Z: chrono::TimeZone> SeriesTime for chrono::DateTime<Z> {
    fn nanos_since_epoch(&self) -> i128 {
        i128::from(self.timestamp()) * 1_000_000_000 + i128::from(self.timestamp_subsec_nanos())
    }
}

impl<T: SeriesTime> SeriesTime for &T {
    fn nanos_since_epoch(&self) -> i128 {
        (**self).nanos_since_epoch()
    }
}

/// A span of time: any of Rust's ranges over a [`SeriesTime`], and `..` for all of it.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let oslo = Temperature::new("Oslo", 0, 1.0);
/// assert_eq!(series.range(&oslo.labels(), oslo.at..).await?.len(), 4);
/// assert_eq!(series.range(&oslo.labels(), ..=3_600_000).await?.len(), 2);
/// assert_eq!(series.range(&oslo.labels(), ..).await?.len(), 4);
/// # Ok(()) });
/// ```
pub trait TimeRange {
    /// The first and last millisecond in it; `None` where it is open.
    fn span(&self) -> Span;
}

/// The whole milliseconds that lie in a range.
///
/// ```
/// use alizarin::series::TimeRange;
/// assert_eq!((1_000..5_000_i64).span(), (1_000..=4_999_i64).span());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    from: Option<i64>,
    to: Option<i64>,
}

impl Span {
    fn new<T: SeriesTime>(from: Bound<&T>, to: Bound<&T>) -> Span {
        Span {
            from: match from {
                Bound::Unbounded => None,
                Bound::Included(at) => Some(clamp(ceil(at))),
                Bound::Excluded(at) => Some(clamp(floor(at) + 1)),
            },
            to: match to {
                Bound::Unbounded => None,
                Bound::Included(at) => Some(clamp(floor(at))),
                Bound::Excluded(at) => Some(clamp(ceil(at) - 1)),
            },
        }
    }

    /// Whether no sample can lie in it.
    pub(super) fn is_empty(self) -> bool {
        let to = self.to.unwrap_or(i64::MAX);
        to < 0 || self.from.unwrap_or(0) > to
    }

    /// The first millisecond, as an argument.
    pub(super) fn first_arg(self) -> String {
        self.from.map_or_else(|| "-".to_owned(), |at| at.max(0).to_string())
    }

    /// The last millisecond, as an argument.
    pub(super) fn last_arg(self) -> String {
        self.to.map_or_else(|| "+".to_owned(), |at| at.to_string())
    }

    /// Whether it has a beginning, and an end.
    pub(super) fn bounds(self) -> (bool, bool) {
        (self.from.is_some(), self.to.is_some())
    }
}

/// The millisecond that a time falls in.
pub(super) fn floor(time: &impl SeriesTime) -> i128 {
    time.nanos_since_epoch().div_euclid(NANOS_PER_MS)
}

fn ceil(time: &impl SeriesTime) -> i128 {
    -(-time.nanos_since_epoch()).div_euclid(NANOS_PER_MS)
}

pub(super) fn clamp(ms: i128) -> i64 {
    i64::try_from(ms).unwrap_or(if ms < 0 { i64::MIN } else { i64::MAX })
}

impl TimeRange for RangeFull {
    fn span(&self) -> Span {
        Span::default()
    }
}

macro_rules! ranges {
    ($($range:ident),+) => {$(
        impl<T: SeriesTime> TimeRange for $range<T> {
            fn span(&self) -> Span {
                use std::ops::RangeBounds as _;
                Span::new(self.start_bound(), self.end_bound())
            }
        }
    )+};
}

ranges!(Range, RangeInclusive, RangeFrom, RangeTo, RangeToInclusive);

impl<T: SeriesTime> TimeRange for (Bound<T>, Bound<T>) {
    fn span(&self) -> Span {
        Span::new(self.0.as_ref(), self.1.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_fall_on_whole_milliseconds() {
        let at = |nanos| UNIX_EPOCH + Duration::from_nanos(nanos);
        let span = (at(1_500_000)..at(3_500_000)).span();
        assert_eq!((span.first_arg(), span.last_arg()), ("2".into(), "3".into()));
        let span = (at(2_000_000)..at(3_000_000)).span();
        assert_eq!((span.first_arg(), span.last_arg()), ("2".into(), "2".into()));
        let span = (at(2_000_000)..=at(3_000_000)).span();
        assert_eq!((span.first_arg(), span.last_arg()), ("2".into(), "3".into()));
        let span = (..).span();
        assert_eq!((span.first_arg(), span.last_arg()), ("-".into(), "+".into()));
        let open = (Bound::Excluded(5_i64), Bound::Unbounded).span();
        assert_eq!(open.first_arg(), "6");
    }

    #[test]
    fn empty_and_ancient_spans() {
        assert!((5..5_i64).span().is_empty());
        assert!((..0_i64).span().is_empty());
        assert!((UNIX_EPOCH - Duration::from_secs(9)..UNIX_EPOCH).span().is_empty());
        let early = (UNIX_EPOCH - Duration::from_secs(9)..).span();
        assert_eq!(early.first_arg(), "0");
        assert!(!early.is_empty());
    }
}
