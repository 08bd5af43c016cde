//! What a sample's fields can be: times, values and labels.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::{FieldSchema, RedisValue};
use crate::{Error, ErrorKind, Result};

/// A type of the field marked `#[redis(timestamp)]`; on the server it is whole milliseconds since
/// the Unix epoch.
///
/// ```
/// use alizarin::series::SampleTime;
/// use std::time::{Duration, UNIX_EPOCH};
/// let time = UNIX_EPOCH + Duration::from_micros(1_500_900);
/// assert_eq!(time.to_milliseconds()?, 1_500);
/// assert_eq!(u64::from_milliseconds(1_500)?, 1_500);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a sample's timestamp",
    note = "`SystemTime`, `i64` and `u64` (milliseconds) can, and `chrono::DateTime<Utc>` with the feature `chrono`"
)]
pub trait SampleTime: Sized {
    /// Milliseconds since the Unix epoch; finer parts are cut off.
    ///
    /// # Errors
    /// `Value` for a time before 1970, which a series cannot hold.
    fn to_milliseconds(&self) -> Result<i64>;

    /// The time so many milliseconds after the Unix epoch.
    ///
    /// # Errors
    /// `Decode` when the type has no such time.
    fn from_milliseconds(milliseconds: i64) -> Result<Self>;
}

fn too_early() -> Error {
    Error::new(ErrorKind::Value, "a sample's time is between 1970 and the year 292 million")
}

fn no_such_time() -> Error {
    Error::new(ErrorKind::Decode, "the sample's time is out of its field's range")
}

impl SampleTime for i64 {
    fn to_milliseconds(&self) -> Result<i64> {
        if *self < 0 { Err(too_early()) } else { Ok(*self) }
    }

    fn from_milliseconds(milliseconds: i64) -> Result<i64> {
        Ok(milliseconds)
    }
}

impl SampleTime for u64 {
    fn to_milliseconds(&self) -> Result<i64> {
        i64::try_from(*self).map_err(|_| too_early())
    }

    fn from_milliseconds(milliseconds: i64) -> Result<u64> {
        u64::try_from(milliseconds).map_err(|_| no_such_time())
    }
}

impl SampleTime for SystemTime {
    fn to_milliseconds(&self) -> Result<i64> {
        let since = self.duration_since(UNIX_EPOCH).map_err(|_| too_early())?;
        i64::try_from(since.as_millis()).map_err(|_| too_early())
    }

    fn from_milliseconds(milliseconds: i64) -> Result<SystemTime> {
        let since = u64::try_from(milliseconds).map_err(|_| no_such_time())?;
        UNIX_EPOCH.checked_add(Duration::from_millis(since)).ok_or_else(no_such_time)
    }
}

#[cfg(feature = "chrono")]
impl SampleTime for chrono::DateTime<chrono::Utc> {
    fn to_milliseconds(&self) -> Result<i64> {
        self.timestamp_millis().to_milliseconds()
    }

    fn from_milliseconds(milliseconds: i64) -> Result<Self> {
        chrono::DateTime::from_timestamp_millis(milliseconds).ok_or_else(no_such_time)
    }
}

/// A type of the field marked `#[redis(value)]`.
///
/// ```
/// use alizarin::series::SampleValue;
/// assert_eq!(f32::from_f64(21.5), 21.5_f32);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a sample's value",
    note = "`f64` and `f32` can"
)]
pub trait SampleValue: Into<f64> {
    /// The value as it was stored; an `f32` is rounded.
    fn from_f64(value: f64) -> Self;
}

impl SampleValue for f64 {
    fn from_f64(value: f64) -> f64 {
        value
    }
}

impl SampleValue for f32 {
    fn from_f64(value: f64) -> f32 {
        value as f32
    }
}

/// A label's text. A value that has none gives the empty text, which the server's labels refuse.
#[doc(hidden)]
pub fn label_text<T: RedisValue>(value: &T) -> String {
    let mut text = Vec::new();
    match value.to_hash(&FieldSchema::plain("label"), &mut text) {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        Err(_) => String::new(),
    }
}

/// A label out of its text.
#[doc(hidden)]
pub fn label_from<T: RedisValue>(text: Option<String>, name: &'static str) -> Result<T> {
    let value = match text {
        Some(text) => T::from_hash(text.as_bytes(), &FieldSchema::plain("label")),
        None => T::absent().ok_or_else(|| Error::new(ErrorKind::Decode, "the series lacks it")),
    };
    value.map_err(|error| error.with_field(name))
}
