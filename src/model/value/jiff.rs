//! Dates and times of `jiff`.

use ::jiff::civil::{Date, DateTime, Time};
use ::jiff::tz::TimeZone;
use ::jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::{
    super::{
        FieldSchema,
        layout::{read_time, read_time_text, write_time},
        stored::read_json_string,
    },
    ListItem, NumericValue, RedisValue, TagValue,
    as_text::stored_as_text,
    number::{read_hash_integer, read_json_integer},
    refused,
    text::{write_json_text, write_text},
    time::{out_of_range, stored_as_integer},
    utf8,
};
use crate::{Error, Result};

stored_as_integer!(Timestamp: Time, "nanoseconds since 1970 as an integer", nanos, timestamp);
stored_as_integer!(DateTime: LocalTime, "nanoseconds since 1970 as an integer", local_nanos, local);
stored_as_integer!(Date: Date, "days since 1970 as an integer", days, date);
stored_as_integer!(Time: TimeOfDay, "nanoseconds since midnight as an integer", of_day, time_of_day);
stored_as_integer!(SignedDuration: Duration, "nanoseconds as an integer", length, |nanos| Ok(
    SignedDuration::from_nanos(nanos)
));
stored_as_text!(Zoned, "a time of RFC 9557", zoned_text, str::parse::<Zoned>);

fn nanos(time: &Timestamp) -> Result<i64> {
    i64::try_from(time.as_nanosecond()).map_err(|_| out_of_range())
}

fn timestamp(nanos: i64) -> Result<Timestamp> {
    Timestamp::from_nanosecond(nanos.into())
        .map_err(|error| Error::decode("nanoseconds since 1970", "others").with_source(error))
}

fn local_nanos(time: &DateTime) -> Result<i64> {
    let time = TimeZone::UTC.to_timestamp(*time).map_err(|_| out_of_range())?;
    nanos(&time)
}

fn local(nanos: i64) -> Result<DateTime> {
    timestamp(nanos).map(|time| TimeZone::UTC.to_datetime(time))
}

fn epoch() -> Date {
    Date::constant(1970, 1, 1)
}

fn days(date: &Date) -> Result<i64> {
    let days = epoch().until(*date).map(|span| i64::from(span.get_days()));
    days.map_err(|_| refused("a date out of range"))
}

fn date(days: i64) -> Result<Date> {
    let wrong = || Error::decode("days since 1970", "a number out of range");
    let span = Span::new().try_days(days).map_err(|error| wrong().with_source(error))?;
    epoch().checked_add(span).map_err(|error| wrong().with_source(error))
}

fn of_day(time: &Time) -> Result<i64> {
    i64::try_from(time.duration_since(Time::MIN).as_nanos())
        .map_err(|_| refused("a time of day out of range"))
}

fn time_of_day(nanos: i64) -> Result<Time> {
    const DAY: i64 = 86_400_000_000_000;
    let wrong = || Error::decode("nanoseconds since midnight", "a number out of range");
    if !(0..DAY).contains(&nanos) {
        return Err(wrong());
    }
    Time::MIN.checked_add(SignedDuration::from_nanos(nanos)).map_err(|_| wrong())
}

fn length(duration: &SignedDuration) -> Result<i64> {
    i64::try_from(duration.as_nanos())
        .map_err(|_| refused("a duration is stored in nanoseconds, which ends at 292 years"))
}

fn zoned_text(time: &Zoned) -> Result<String> {
    let text = time.to_string();
    let same = text.parse::<Zoned>();
    if same.is_ok_and(|same| same == *time && same.time_zone() == time.time_zone()) {
        return Ok(text);
    }
    Err(refused("this time zone has no name that RFC 9557 could write: give it one, or an offset"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::check::{NUMERIC, PLAIN, TAG, hash, no, refused, round_trip};
    use super::*;

    #[test]
    fn dates_and_times() {
        assert_eq!(hash(&date(-1).unwrap(), &NUMERIC), b"-1");
        for date in [Date::MIN, Date::MAX] {
            round_trip(&date, &PLAIN);
        }
        round_trip(&Time::MAX, &NUMERIC);
        refused(&SignedDuration::MAX, &PLAIN);
        refused(&Timestamp::MIN, &PLAIN);
        refused(&DateTime::MAX, &PLAIN);
        no::<Time>("86400000000000", &PLAIN);
        no::<Date>("2147483647", &PLAIN);
    }

    #[test]
    fn a_zone_is_kept() {
        for zone in ["UTC", "+05:30", "Europe/Vienna"] {
            // Where the system has no zones, those with a name are not to be had.
            let Ok(zoned) = format!("2026-07-01T12:00:00.5[{zone}]").parse::<Zoned>() else {
                continue;
            };
            round_trip(&zoned, &PLAIN);
            round_trip(&zoned, &TAG);
        }
        no::<Zoned>("2026-07-01T12:00:00Z", &PLAIN);
    }

    proptest! {
        #[test]
        fn any_time(nanos: i64, days in -100_000..100_000_i64, of_day in 0..86_400_000_000_000_i64) {
            round_trip(&timestamp(nanos).unwrap(), &NUMERIC);
            round_trip(&local(nanos).unwrap(), &PLAIN);
            round_trip(&date(days).unwrap(), &NUMERIC);
            round_trip(&time_of_day(of_day).unwrap(), &NUMERIC);
            round_trip(&SignedDuration::from_nanos(nanos), &NUMERIC);
        }
    }
}
