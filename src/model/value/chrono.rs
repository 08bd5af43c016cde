//! Dates and times of `chrono`.

use chrono::{
    DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat,
    TimeDelta, Timelike as _, Utc,
};

use super::{
    super::{
        FieldSchema,
        layout::{layout_offset, read_time, read_time_text, write_time},
        stored::read_json_string,
    },
    ListItem, NumericValue, RedisValue, TagValue,
    number::{is_numeric, read_hash_integer, read_json_integer},
    refused,
    text::{write_json_text, write_text},
    time::{out_of_range, stored_as_integer, stored_with_offset},
    utf8,
};
use crate::{Error, Result};

stored_as_integer!(DateTime<Utc>: Time, "nanoseconds since 1970 as an integer", nanos, |nanos| Ok(
    DateTime::from_timestamp_nanos(nanos)
));
stored_as_integer!(NaiveDate: Date, "days since 1970 as an integer", days, date);
stored_as_integer!(NaiveDateTime: LocalTime, "nanoseconds since 1970 as an integer", naive_nanos, |nanos| Ok(
    DateTime::from_timestamp_nanos(nanos).naive_utc()
));
stored_as_integer!(NaiveTime: TimeOfDay, "nanoseconds since midnight as an integer", of_day, time_of_day);
stored_as_integer!(TimeDelta: Duration, "nanoseconds as an integer", delta, |nanos| Ok(
    TimeDelta::nanoseconds(nanos)
));
stored_with_offset!(DateTime<FixedOffset>, offset_nanos, at_offset_zero, offset_text, |text| {
    DateTime::parse_from_rfc3339(text)
});

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

fn naive_nanos(time: &NaiveDateTime) -> Result<i64> {
    nanos(&time.and_utc())
}

fn of_day(time: &NaiveTime) -> Result<i64> {
    if time.nanosecond() >= 1_000_000_000 {
        return Err(refused("a leap second cannot be stored: it has no number of its own"));
    }
    Ok(i64::from(time.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(time.nanosecond()))
}

fn time_of_day(nanos: i64) -> Result<NaiveTime> {
    let parts = (u32::try_from(nanos / 1_000_000_000), u32::try_from(nanos % 1_000_000_000));
    let time = match parts {
        (Ok(seconds), Ok(nanos)) => NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos),
        _ => None,
    };
    time.ok_or_else(|| Error::decode("nanoseconds since midnight", "a number out of range"))
}

fn delta(delta: &TimeDelta) -> Result<i64> {
    delta
        .num_nanoseconds()
        .ok_or_else(|| refused("a duration is stored in nanoseconds, which ends at 292 years"))
}

fn offset_nanos(time: &DateTime<FixedOffset>) -> Result<i64> {
    nanos(&time.to_utc())
}

fn at_offset_zero(nanos: i64) -> Result<DateTime<FixedOffset>> {
    Ok(DateTime::from_timestamp_nanos(nanos).fixed_offset())
}

fn offset_text(time: &DateTime<FixedOffset>) -> Result<String> {
    let text = time.to_rfc3339_opts(SecondsFormat::AutoSi, false);
    let same = DateTime::parse_from_rfc3339(&text);
    if same.is_ok_and(|same| same == *time && same.offset() == time.offset()) {
        return Ok(text);
    }
    Err(refused(
        "RFC 3339 has no text for this time: years have four digits, offsets whole minutes",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, TAG, hash, no, refused, round_trip};
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

    #[test]
    fn an_offset_is_kept_without_a_numeric_index() {
        let offset = FixedOffset::east_opt(19_800).unwrap();
        let time = DateTime::from_timestamp_nanos(1_500_000_000).with_timezone(&offset);
        assert_eq!(hash(&time, &TAG), b"1970-01-01T05:30:01.500+05:30");
        assert_eq!(hash(&time, &NUMERIC), b"1500000000");
        let read = DateTime::<FixedOffset>::from_hash(&hash(&time, &PLAIN), &PLAIN).unwrap();
        assert_eq!((read, read.offset()), (time, &offset));
        refused(&time.with_timezone(&FixedOffset::east_opt(1).unwrap()), &PLAIN);
        no::<DateTime<FixedOffset>>("1970-01-01", &PLAIN);
        no::<NaiveTime>("86400000000000", &PLAIN);
        refused(&TimeDelta::MAX, &PLAIN);
    }

    proptest! {
        #[test]
        fn more_times(nanos: i64, of_day in 0..86_400_000_000_000_i64) {
            let time = DateTime::from_timestamp_nanos(nanos);
            round_trip(&time.naive_utc(), &NUMERIC);
            round_trip(&time.fixed_offset(), &NUMERIC);
            round_trip(&time.fixed_offset(), &TAG);
            round_trip(&time_of_day(of_day).unwrap(), &NUMERIC);
            round_trip(&TimeDelta::nanoseconds(nanos), &NUMERIC);
        }

        #[test]
        fn any_time(nanos: i64, days in -100_000..100_000) {
            round_trip(&DateTime::from_timestamp_nanos(nanos), &NUMERIC);
            round_trip(&date(days).unwrap(), &NUMERIC);
        }
    }
}
