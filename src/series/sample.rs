//! Samples, and the replies they come in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::SeriesTime;
use crate::resp::{Frame, Reader};
use crate::{Error, FromReply, Result};

/// One point of a series, or one bucket of an aggregation.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::series::Sample;
/// use alizarin_samples::Temperature;
/// # alizarin_samples::temperatures(async |series| {
/// let oslo = Temperature::new("Oslo", 0, 1.0).labels();
/// let samples = series.range(&oslo, ..).count(1).await?;
/// assert_eq!(samples, [Sample { timestamp: 0, value: 1.0 }]);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a sample is a time and a value")]
pub struct Sample {
    /// Milliseconds since the Unix epoch; of a bucket, its beginning.
    pub timestamp: i64,
    /// The value; NaN for an empty bucket that was asked for.
    pub value: f64,
}

impl Sample {
    /// The time as `std` has it.
    ///
    /// ```
    /// # use alizarin::series::Sample;
    /// # use std::time::{Duration, UNIX_EPOCH};
    /// let sample = Sample { timestamp: 1_500, value: 21.5 };
    /// assert_eq!(sample.time(), UNIX_EPOCH + Duration::from_millis(1_500));
    /// ```
    pub fn time(&self) -> SystemTime {
        let distance = Duration::from_millis(self.timestamp.unsigned_abs());
        let time = if self.timestamp < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(UNIX_EPOCH)
    }

    /// The time as `chrono` has it; `None` beyond what that can hold.
    ///
    /// ```
    /// use alizarin::series::Sample;
    /// let sample = Sample { timestamp: 1_500, value: 21.5 };
    /// let time = sample.date_time().map(|time| time.to_rfc3339());
    /// assert_eq!(time.as_deref(), Some("1970-01-01T00:00:01.500+00:00"));
    /// ```
    #[cfg(feature = "chrono")]
    pub fn date_time(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        chrono::DateTime::from_timestamp_millis(self.timestamp)
    }
}

impl SeriesTime for Sample {
    fn nanos_since_epoch(&self) -> i128 {
        self.timestamp.nanos_since_epoch()
    }
}

impl FromReply for Sample {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Sample> {
        let (timestamp, value) = <(i64, f64)>::from_reply(reader)?;
        Ok(Sample { timestamp, value })
    }
}

/// The reply of `TS.GET`: an empty list for a series without samples.
pub(super) struct Last(pub(super) Option<Sample>);

impl FromReply for Last {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Last> {
        if reader.peek()? == Frame::Array(0) {
            reader.skip()?;
            return Ok(Last(None));
        }
        Sample::from_reply(reader).map(|sample| Last(Some(sample)))
    }
}

/// One series of a reply to `TS.MRANGE`.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    pub(super) key: String,
    pub(super) labels: Vec<(String, Option<String>)>,
    pub(super) samples: Vec<Sample>,
}

/// The reply of `TS.MRANGE`: in RESP2 a list of `[key, labels, samples]`, in RESP3 a map from each
/// key to a list that begins with the labels and ends with the samples.
pub(super) struct FoundAll(pub(super) Vec<Found>);

impl FromReply for FoundAll {
    fn from_reply(reader: &mut Reader<'_>) -> Result<FoundAll> {
        let (n, keyed) = match reader.next()? {
            Frame::Map(n) => (n, true),
            Frame::Array(n) => (n, false),
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("a list of series", &frame.describe())),
        };
        let mut all = Vec::new();
        for _ in 0..n {
            let mut key = if keyed { Some(String::from_reply(reader)?) } else { None };
            let mut parts = match reader.next()? {
                Frame::Array(parts) => parts,
                frame => return Err(Error::decode("the parts of a series", &frame.describe())),
            };
            if !keyed && parts > 0 {
                parts -= 1;
                key = Some(String::from_reply(reader)?);
            }
            let (Some(key), 2..) = (key, parts) else {
                return Err(Error::decode("a key, labels and samples", "fewer parts"));
            };
            let labels = Vec::from_reply(reader)?;
            // Between the two, RESP3 tells of aggregators, reducers and sources.
            for _ in 2..parts {
                reader.skip()?;
            }
            all.push(Found { key, labels, samples: Vec::from_reply(reader)? });
        }
        Ok(FoundAll(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_protocols_give_the_same_series() {
        let two = b"*1\r\n*3\r\n$3\r\nt:1\r\n*2\r\n*2\r\n$2\r\nst\r\n$3\r\nSEA\r\n*2\r\n$1\r\ny\r\n$-1\r\n*1\r\n*2\r\n:1000\r\n+1.5\r\n";
        let three = b"%1\r\n$3\r\nt:1\r\n*3\r\n%2\r\n$2\r\nst\r\n$3\r\nSEA\r\n$1\r\ny\r\n_\r\n%1\r\n$11\r\naggregators\r\n*0\r\n*1\r\n*2\r\n:1000\r\n,1.5\r\n";
        let read = |wire: &[u8]| FoundAll::from_reply(&mut Reader::new(wire)).unwrap().0;
        assert_eq!(read(two), read(three));
        assert_eq!(read(two)[0].samples, [Sample { timestamp: 1_000, value: 1.5 }]);
    }

    #[test]
    fn odd_shapes_are_errors() {
        for wire in [
            "*1\r\n*0\r\n",
            "*1\r\n*2\r\n$1\r\nk\r\n*0\r\n",
            ":1\r\n",
            "%1\r\n$1\r\nk\r\n*1\r\n*0\r\n",
        ] {
            assert!(FoundAll::from_reply(&mut Reader::new(wire.as_bytes())).is_err(), "{wire:?}");
        }
        assert_eq!(Last::from_reply(&mut Reader::new(b"*0\r\n")).unwrap().0, None);
    }
}
