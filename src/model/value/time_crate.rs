//! Dates and times of the crate `time`.

use ::time::format_description::well_known::Rfc3339;
use ::time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcDateTime, UtcOffset};

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

stored_as_integer!(UtcDateTime: Time, "nanoseconds since 1970 as an integer", utc_nanos, |nanos| {
    offset_time(nanos).map(OffsetDateTime::to_utc)
});
stored_as_integer!(PrimitiveDateTime: LocalTime, "nanoseconds since 1970 as an integer", local_nanos, local);
stored_as_integer!(Date: Date, "days since 1970 as an integer", days, date);
stored_as_integer!(Time: TimeOfDay, "nanoseconds since midnight as an integer", of_day, time_of_day);
stored_as_integer!(Duration: Duration, "nanoseconds as an integer", length, |nanos| Ok(
    Duration::nanoseconds(nanos)
));
stored_with_offset!(OffsetDateTime, nanos, offset_time, text, |text| {
    OffsetDateTime::parse(text, &Rfc3339)
});

fn nanos(time: &OffsetDateTime) -> Result<i64> {
    i64::try_from(time.unix_timestamp_nanos()).map_err(|_| out_of_range())
}

fn offset_time(nanos: i64) -> Result<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(nanos.into())
        .map_err(|error| Error::decode("nanoseconds since 1970", "others").with_source(error))
}

fn text(time: &OffsetDateTime) -> Result<String> {
    let text = time.format(&Rfc3339).ok();
    let same = |text: &String| {
        let same = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(same == *time && same.offset() == time.offset())
    };
    text.filter(|text| same(text) == Some(true)).ok_or_else(|| {
        refused("RFC 3339 has no text for this time: years have four digits, offsets whole minutes")
    })
}

fn utc_nanos(time: &UtcDateTime) -> Result<i64> {
    nanos(&time.to_offset(UtcOffset::UTC))
}

fn local_nanos(time: &PrimitiveDateTime) -> Result<i64> {
    nanos(&time.assume_utc())
}

fn local(nanos: i64) -> Result<PrimitiveDateTime> {
    let time = offset_time(nanos)?;
    Ok(PrimitiveDateTime::new(time.date(), time.time()))
}

/// The Julian day of 1970-01-01.
const EPOCH: i32 = 2_440_588;

#[expect(clippy::unnecessary_wraps, reason = "the macro takes functions that may fail")]
fn days(date: &Date) -> Result<i32> {
    // The crate's dates span fewer than 2^30 days.
    Ok(date.to_julian_day() - EPOCH)
}

fn date(days: i32) -> Result<Date> {
    let date = days.checked_add(EPOCH).and_then(|day| Date::from_julian_day(day).ok());
    date.ok_or_else(|| Error::decode("days since 1970", "a number out of range"))
}

#[expect(clippy::unnecessary_wraps, reason = "the macro takes functions that may fail")]
fn of_day(time: &Time) -> Result<i64> {
    let (hour, minute, second, nanos) = time.as_hms_nano();
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    Ok(seconds * 1_000_000_000 + i64::from(nanos))
}

fn time_of_day(nanos: i64) -> Result<Time> {
    const DAY: i64 = 86_400_000_000_000;
    if !(0..DAY).contains(&nanos) {
        return Err(Error::decode("nanoseconds since midnight", "a number out of range"));
    }
    Ok(Time::MIDNIGHT + Duration::nanoseconds(nanos))
}

fn length(duration: &Duration) -> Result<i64> {
    i64::try_from(duration.whole_nanoseconds())
        .map_err(|_| refused("a duration is stored in nanoseconds, which ends at 292 years"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, TAG, hash, no, refused, round_trip};
    use super::*;

    #[test]
    fn dates_and_times() {
        assert_eq!(hash(&date(1).unwrap(), &NUMERIC), b"1");
        for date in [Date::MIN, Date::MAX] {
            round_trip(&date, &PLAIN);
        }
        refused(&Duration::MAX, &PLAIN);
        refused(&PrimitiveDateTime::MIN, &PLAIN);
        no::<Time>("86400000000000", &PLAIN);
        no::<Date>("2147483647", &PLAIN);
    }

    #[test]
    fn an_offset_is_kept_without_a_numeric_index() {
        let offset = UtcOffset::from_hms(5, 30, 0).unwrap();
        let time = offset_time(1_500_000_000).unwrap().to_offset(offset);
        assert_eq!(hash(&time, &TAG), b"1970-01-01T05:30:01.5+05:30");
        assert_eq!(hash(&time, &NUMERIC), b"1500000000");
        let read = OffsetDateTime::from_hash(&hash(&time, &PLAIN), &PLAIN).unwrap();
        assert_eq!((read, read.offset()), (time, offset));
        let seconds = UtcOffset::from_hms(0, 0, 1).unwrap();
        refused(&time.to_offset(seconds), &PLAIN);
    }

    proptest! {
        #[test]
        fn any_time(nanos: i64, days in -100_000..100_000, of_day in 0..86_400_000_000_000_i64) {
            round_trip(&offset_time(nanos).unwrap(), &NUMERIC);
            round_trip(&offset_time(nanos).unwrap(), &TAG);
            round_trip(&offset_time(nanos).unwrap().to_utc(), &NUMERIC);
            round_trip(&local(nanos).unwrap(), &PLAIN);
            round_trip(&date(days).unwrap(), &NUMERIC);
            round_trip(&time_of_day(of_day).unwrap(), &NUMERIC);
            round_trip(&Duration::nanoseconds(nanos), &NUMERIC);
        }
    }
}
