//! Types of other crates: what comes back is what was stored, and queries find it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::num::NonZero;

use alizarin::prelude::*;
use chrono::{DateTime, FixedOffset, NaiveDateTime, NaiveTime, TimeDelta};
use rust_decimal::Decimal;
use url::Url;

use crate::common::everywhere;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, RedisValue)]
#[redis(integer)]
enum Level {
    Low = -1,
    Middle = 5,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, RedisValue)]
struct Room(u16);

macro_rules! many {
    ($($name:ident $storage:ident $test:ident;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "many", index)]
        struct $name {
            #[redis(id)]
            id: Level,
            #[redis(numeric)]
            naive: NaiveDateTime,
            of_day: NaiveTime,
            delta: TimeDelta,
            offset: DateTime<FixedOffset>,
            #[redis(numeric)]
            moment: DateTime<FixedOffset>,
            #[redis(numeric)]
            utc: time::UtcDateTime,
            zoned_text: time::OffsetDateTime,
            #[redis(numeric)]
            zoned: time::OffsetDateTime,
            primitive: time::PrimitiveDateTime,
            #[redis(numeric, sortable)]
            day: time::Date,
            hour: time::Time,
            span: time::Duration,
            #[redis(numeric)]
            stamp: jiff::Timestamp,
            #[redis(tag)]
            in_zone: jiff::Zoned,
            civil: jiff::civil::DateTime,
            #[redis(numeric)]
            civil_day: jiff::civil::Date,
            civil_hour: jiff::civil::Time,
            signed: jiff::SignedDuration,
            price: Decimal,
            #[redis(numeric)]
            cents: Decimal,
            #[redis(tag)]
            code: Decimal,
            #[redis(tag)]
            url: Url,
            #[redis(text)]
            link: Option<Url>,
            #[redis(tag)]
            address: IpAddr,
            #[redis(numeric)]
            level: Level,
            #[redis(tag)]
            level_tag: Level,
            levels: Vec<Level>,
            not_zero: NonZero<u64>,
            #[redis(tag)]
            set: BTreeSet<String>,
            hash_set: HashSet<u64>,
            by_room: BTreeMap<Room, Level>,
            by_level: BTreeMap<Level, Option<String>>,
        }

        #[tokio::test]
        async fn $test() {
            everywhere(async |many: Repository<$name>| {
                many.index().sync().await.unwrap();
                let moment = DateTime::from_timestamp_nanos(1_790_000_000_123_456_789);
                let offset = FixedOffset::east_opt(-3 * 3600).unwrap();
                let unix = time::OffsetDateTime::from_unix_timestamp_nanos(1_790_000_000_123_456_789);
                let zoned = unix.unwrap().to_offset(time::UtcOffset::from_hms(2, 0, 0).unwrap());
                let stamp = jiff::Timestamp::from_nanosecond(-1_234_567_890_123_456_789).unwrap();
                let want = $name {
                    id: Level::High,
                    naive: moment.naive_utc(),
                    of_day: moment.time(),
                    delta: TimeDelta::nanoseconds(-7),
                    offset: moment.with_timezone(&offset),
                    moment: moment.with_timezone(&offset),
                    utc: zoned.to_utc(),
                    zoned_text: zoned,
                    zoned,
                    primitive: time::PrimitiveDateTime::new(zoned.date(), zoned.time()),
                    day: zoned.date(),
                    hour: zoned.time(),
                    span: time::Duration::nanoseconds(i64::MIN),
                    stamp,
                    in_zone: "2026-07-01T12:00:00.000000001+05:30[+05:30]".parse().unwrap(),
                    civil: jiff::civil::date(1969, 12, 31).at(23, 59, 59, 999_999_999),
                    civil_day: jiff::civil::date(-1, 2, 3),
                    civil_hour: jiff::civil::Time::MAX,
                    signed: jiff::SignedDuration::from_nanos(i64::MAX),
                    price: "12345678901234567890.1200".parse().unwrap(),
                    cents: "-99.90".parse().unwrap(),
                    code: "0.10".parse().unwrap(),
                    url: "https://example.org/a?b=c|d,e".parse().unwrap(),
                    link: Some("https://example.org/lamp".parse().unwrap()),
                    address: "2001:db8::1".parse().unwrap(),
                    level: Level::Low,
                    level_tag: Level::Middle,
                    levels: vec![Level::Low, Level::High],
                    not_zero: NonZero::new(u64::MAX).unwrap(),
                    set: ["b".into(), "a".into()].into(),
                    hash_set: [1, u64::MAX].into(),
                    by_room: [(Room(7), Level::Low)].into(),
                    by_level: [(Level::Low, None), (Level::High, Some("x".into()))].into(),
                };
                assert!(many.key(&want.id).ends_with("many:6"));
                many.save(&want).await.unwrap();
                let read = many.get(&want.id).await.unwrap().unwrap();
                assert_eq!(read, want);
                // Equal times may differ in what they show.
                assert_eq!(read.offset.offset(), &offset);
                assert_eq!(read.zoned_text.offset(), zoned.offset());
                assert_eq!(read.price.to_string(), want.price.to_string());
                assert_eq!(read.in_zone.time_zone(), want.in_zone.time_zone());
                many.index().wait().await.unwrap();
                assert_eq!(many.index().info().await.unwrap().hash_indexing_failures, 0);
                let all = many.find(|m| {
                    (m.naive.le(want.naive) & m.moment.ge(want.moment) & m.utc.eq(want.utc))
                        & (m.zoned.le(want.zoned) & m.day.eq(want.day) & m.stamp.lt(jiff::Timestamp::UNIX_EPOCH))
                        & (m.civil_day.eq(want.civil_day) & m.in_zone.eq(&want.in_zone))
                        & (m.cents.between(Decimal::from(-100), want.cents) & m.code.eq(want.code))
                        & (m.url.eq(&want.url) & m.link.matches("lamp") & m.address.eq(want.address))
                        & (m.level.lt(Level::Middle) & m.level_tag.eq(Level::Middle) & m.set.has("a"))
                });
                assert_eq!(all.count().await.unwrap(), 1);
                let none = many.find(|m| m.cents.gt(Decimal::from(-99)) | m.level.gt(Level::Low));
                assert_eq!(none.count().await.unwrap(), 0);
                // What an index or the storage would change is refused, and named.
                let error = many.set(&want.id, |m| m.cents.to(want.price)).await.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("cents")));
                let past = jiff::Timestamp::MIN;
                let error = many.set(&want.id, |m| m.stamp.to(past)).await.unwrap_err();
                assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("stamp")));
                assert_eq!(many.get(&want.id).await.unwrap(), Some(want));
            })
            .await;
        }
    )+};
}

many! {
    InHash hash types_of_other_crates_come_back_from_a_hash;
    InJson json types_of_other_crates_come_back_from_json;
}
