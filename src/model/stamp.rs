//! Times that the server stamps.

use std::time::{Duration, SystemTime};

use super::RedisValue;

/// What a field with `created_at` or `updated_at` can be: `SystemTime`, `chrono::DateTime<Utc>`,
/// `u64` and `i64` (milliseconds since 1970), and options of them.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use alizarin::model::Stamp;
///
/// let time = SystemTime::UNIX_EPOCH + Duration::from_micros(1_500);
/// assert_eq!(u64::from_time(time), 1);
/// assert_eq!(SystemTime::from_time(time), time);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time that the server could stamp",
    note = "`created_at` and `updated_at` are for `SystemTime`, `DateTime<Utc>`, and for `u64` or `i64`, which then count milliseconds since 1970"
)]
pub trait Stamp: RedisValue {
    /// Whether it is stored in milliseconds since 1970; else in nanoseconds.
    const MILLISECONDS: bool;

    /// The time as such a value; what it cannot hold is cut off.
    fn from_time(time: SystemTime) -> Self;
}

impl Stamp for SystemTime {
    const MILLISECONDS: bool = false;

    fn from_time(time: SystemTime) -> SystemTime {
        time
    }
}

#[cfg(feature = "chrono")]
impl Stamp for ::chrono::DateTime<::chrono::Utc> {
    const MILLISECONDS: bool = false;

    fn from_time(time: SystemTime) -> Self {
        time.into()
    }
}

macro_rules! milliseconds {
    ($($type:ident)+) => {$(
        impl Stamp for $type {
            const MILLISECONDS: bool = true;

            fn from_time(time: SystemTime) -> $type {
                let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
                $type::try_from(since.as_millis()).unwrap_or($type::MAX)
            }
        }
    )+};
}

milliseconds!(u64 i64);

impl<T: Stamp> Stamp for Option<T> {
    const MILLISECONDS: bool = T::MILLISECONDS;

    fn from_time(time: SystemTime) -> Option<T> {
        Some(T::from_time(time))
    }
}
