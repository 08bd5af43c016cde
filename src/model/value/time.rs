//! Times and durations of the standard library, in nanoseconds.

use std::time::{Duration, SystemTime};

use super::{
    super::{
        FieldSchema,
        layout::{read_time, read_time_text, write_time},
    },
    ListItem, NumericValue, RedisValue,
    number::{read_hash_integer, read_json_integer},
    refused,
};
use crate::{Error, Result};

/// A type that is stored as an integer. Its NUMERIC index holds the nearest double.
macro_rules! stored_as_integer {
    ($type:ty: $kind:ident, $name:literal, $write:expr, $read:expr) => {
        impl RedisValue for $type {
            type Item = $type;
            const KIND: $crate::model::ValueKind = $crate::model::ValueKind::$kind;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                let number = $write(self)?;
                if !field.layout.is_native() {
                    return write_time(Self::KIND, number.into(), field, false, out);
                }
                out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
                Ok(())
            }

            fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<$type> {
                if !field.layout.is_native() {
                    return $read(read_time(Self::KIND, bytes, field)?);
                }
                $read(read_hash_integer(bytes, $name)?)
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                if !field.layout.is_native() {
                    return write_time(Self::KIND, $write(self)?.into(), field, true, out);
                }
                self.to_hash(field, out)
            }

            fn from_json(json: &str, field: &FieldSchema) -> Result<$type> {
                if !field.layout.is_native() {
                    return $read(read_time_text(Self::KIND, json, field)?);
                }
                $read(read_json_integer(json, $name)?)
            }
        }

        impl ListItem for $type {}
        impl NumericValue for $type {}
        impl super::UniqueValue for $type {}
    };
}
#[cfg(any(feature = "chrono", feature = "jiff", feature = "time"))]
pub(super) use stored_as_integer;

/// A time with an offset from UTC: RFC 3339 text with the offset, or under a NUMERIC index
/// nanoseconds since 1970, which are the same moment without it.
#[cfg(any(feature = "chrono", feature = "time"))]
macro_rules! stored_with_offset {
    ($type:ty, $nanos:expr, $from_nanos:expr, $text:expr, $from_text:expr) => {
        impl RedisValue for $type {
            type Item = $type;
            const KIND: $crate::model::ValueKind = $crate::model::ValueKind::OffsetTime;

            fn to_hash(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                if is_numeric(field) {
                    let nanos = $nanos(self)?;
                    out.extend_from_slice(itoa::Buffer::new().format(nanos).as_bytes());
                    return Ok(());
                }
                write_text(&layout_offset(&$text(self)?, field)?, field, out)
            }

            fn from_hash(bytes: &[u8], field: &FieldSchema) -> Result<$type> {
                const NAME: &str = "a time of RFC 3339";
                if is_numeric(field) {
                    return $from_nanos(read_hash_integer(bytes, "nanoseconds since 1970")?);
                }
                $from_text(utf8(bytes, NAME)?)
                    .map_err(|error| Error::decode(NAME, "other text").with_source(error))
            }

            fn to_json(&self, field: &FieldSchema, out: &mut Vec<u8>) -> Result<()> {
                if is_numeric(field) {
                    return self.to_hash(field, out);
                }
                write_json_text(&layout_offset(&$text(self)?, field)?, field, out)
            }

            fn from_json(json: &str, field: &FieldSchema) -> Result<$type> {
                if is_numeric(field) {
                    return $from_nanos(read_json_integer(json, "nanoseconds since 1970")?);
                }
                Self::from_hash(read_json_string(json)?.as_bytes(), field)
            }
        }

        impl ListItem for $type {}
        impl NumericValue for $type {}
        impl TagValue for $type {}
        impl super::UniqueValue for $type {}
    };
}
#[cfg(any(feature = "chrono", feature = "time"))]
pub(super) use stored_with_offset;

stored_as_integer!(Duration: Duration, "nanoseconds as an integer", duration_nanos, |nanos| Ok(
    Duration::from_nanos(nanos)
));
stored_as_integer!(SystemTime: Time, "nanoseconds since 1970 as an integer", system_nanos, system_time);

fn duration_nanos(duration: &Duration) -> Result<u64> {
    u64::try_from(duration.as_nanos())
        .map_err(|_| refused("a duration is stored in nanoseconds, which ends at 584 years"))
}

fn system_nanos(time: &SystemTime) -> Result<i64> {
    let nanos = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).ok(),
        Err(before) => i128::try_from(before.duration().as_nanos()).ok().map(|nanos| -nanos),
    };
    nanos.and_then(|nanos| i64::try_from(nanos).ok()).ok_or_else(out_of_range)
}

fn system_time(nanos: i64) -> Result<SystemTime> {
    let distance = Duration::from_nanos(nanos.unsigned_abs());
    let time = if nanos < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    time.ok_or_else(|| Error::decode("a time this system can hold", "one out of its range"))
}

/// The error for a time that 64 bits of nanoseconds do not reach.
pub(super) fn out_of_range() -> Error {
    refused("a time is stored in nanoseconds, which reaches from the year 1677 to 2262")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, hash, no, refused, round_trip};
    use super::*;

    #[test]
    fn nanoseconds_before_and_after_1970() {
        let before = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        assert_eq!(hash(&before, &PLAIN), b"-1");
        round_trip(&before, &NUMERIC);
        for nanos in [i64::MIN, i64::MAX] {
            round_trip(&system_time(nanos).unwrap(), &NUMERIC);
        }
        refused(&(system_time(i64::MAX).unwrap() + Duration::from_nanos(1)), &PLAIN);
        refused(&Duration::MAX, &PLAIN);
        no::<Duration>("-1", &PLAIN);
        no::<SystemTime>("2026-11-22", &PLAIN);
    }

    proptest! {
        #[test]
        fn any_time(nanos: i64, length: u64) {
            round_trip(&system_time(nanos).unwrap(), &PLAIN);
            round_trip(&Duration::from_nanos(length), &PLAIN);
        }
    }
}
