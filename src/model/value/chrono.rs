//! Dates and times of `chrono`.

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};

use super::{
    super::FieldSchema,
    ListItem, NumericValue, RedisValue,
    number::{read_hash_integer, read_json_integer},
    refused,
    time::{out_of_range, stored_as_integer},
};
use crate::{Error, Result};

stored_as_integer!(DateTime<Utc>, "nanoseconds since 1970 as an integer", nanos, |nanos| Ok(
    DateTime::from_timestamp_nanos(nanos)
));
stored_as_integer!(NaiveDate, "days since 1970 as an integer", days, date);

/// 1970-01-01 in days since the first day of the year 1.
const EPOCH: i32 = 719_163;

fn nanos(time: &DateTime<Utc>) -> Result<i64> {
    if time.timestamp_subsec_nanos() >= 1_000_000_000 {
        return Err(refused("a leap second cannot be stored: it has no Unix time of its own"));
    }
    time.timestamp_nanos_opt().ok_or_else(out_of_range)
}

#[expect(clippy::unnecessary_wraps, reason = "the macro takes functions that may fail")]
fn days(date: &NaiveDate) -> Result<i32> {
    // chrono's dates span fewer than 2^28 days.
    Ok(date.num_days_from_ce() - EPOCH)
}

fn date(days: i32) -> Result<NaiveDate> {
    days.checked_add(EPOCH)
        .and_then(NaiveDate::from_num_days_from_ce_opt)
        .ok_or_else(|| Error::decode("days since 1970", "a number out of range"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, hash, no, refused, round_trip};
    use super::*;

    #[test]
    fn dates_and_times() {
        let day = NaiveDate::from_ymd_opt(1970, 1, 2).unwrap();
        assert_eq!(hash(&day, &NUMERIC), b"1");
        let leap = day.and_hms_nano_opt(23, 59, 59, 1_500_000_000).unwrap().and_utc();
        refused(&leap, &PLAIN);
        refused(&DateTime::<Utc>::MAX_UTC, &PLAIN);
        for date in [NaiveDate::MIN, NaiveDate::MAX] {
            round_trip(&date, &PLAIN);
        }
        no::<NaiveDate>("2147483647", &PLAIN);
        no::<DateTime<Utc>>("1e30", &PLAIN);
    }

    proptest! {
        #[test]
        fn any_time(nanos: i64, days in -100_000..100_000) {
            round_trip(&DateTime::from_timestamp_nanos(nanos), &NUMERIC);
            round_trip(&date(days).unwrap(), &NUMERIC);
        }
    }
}
