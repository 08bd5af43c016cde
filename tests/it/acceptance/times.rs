//! Moments and days, as numbers in an index.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alizarin::prelude::*;
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

use super::finds;
use crate::common::everywhere;

macro_rules! dated {
    ($($name:ident $storage:ident;)+) => {$(
        #[derive(Debug, Clone, PartialEq, RedisModel)]
        #[redis($storage, prefix = "dated", index)]
        struct $name {
            #[redis(id)]
            id: u32,
            #[redis(numeric, sortable)]
            at: DateTime<Utc>,
            #[redis(numeric)]
            day: Option<NaiveDate>,
            #[redis(numeric)]
            system: SystemTime,
        }
    )+};
}

dated!(InHash hash; InJson json;);

/// Written with an offset: what is stored is the instant.
fn instant(text: &str) -> DateTime<Utc> {
    DateTime::<FixedOffset>::parse_from_rfc3339(text).unwrap().to_utc()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

macro_rules! check {
    ($model:ident) => {
        everywhere(async |dated: Repository<$model>| {
            let moments = [
                "1955-11-05T06:00:00.000000001Z",
                "1970-01-01T00:00:00Z",
                "2024-03-31T01:59:59.999+01:00",
                "2024-03-31T03:00:00+02:00",
                "2024-12-31T23:30:00-05:00",
            ];
            let days = [Some("1955-11-05"), None, Some("2024-02-29"), Some("2024-03-31"), None];
            let all: Vec<$model> = (0u32..)
                .zip(moments.iter().zip(days))
                .map(|(id, (at, of))| $model {
                    id,
                    at: instant(at),
                    day: of.map(day),
                    system: UNIX_EPOCH + Duration::from_nanos(u64::from(id) * 1_000_000_001),
                })
                .collect();
            dated.index().sync().await.unwrap();
            dated.save_all(&all).await.unwrap();
            dated.index().wait().await.unwrap();
            for want in &all {
                assert_eq!(dated.get(&want.id).await.unwrap().as_ref(), Some(want));
                finds!(dated, |m| m.at.eq(want.at), [want.id]);
                finds!(dated, |m| m.system.eq(want.system), [want.id]);
            }
            finds!(dated, |m| m.at.lt(DateTime::UNIX_EPOCH), [0]);
            finds!(dated, |m| m.at.ge(instant("2024-03-31T01:00:00Z")), [3, 4]);
            finds!(dated, |m| m.at.gt(instant("2024-12-31T23:59:59Z")), [4]);
            let spring = (instant("2024-03-31T00:00:00Z"), instant("2024-04-01T00:00:00Z"));
            finds!(dated, |m| m.at.between(spring.0, spring.1), [2, 3]);
            finds!(dated, |m| m.day.eq(day("2024-02-29")), [2]);
            finds!(dated, |m| m.day.lt(day("1970-01-01")), [0]);
            finds!(dated, |m| m.day.between(day("2024-01-01"), day("2024-12-31")), [2, 3]);
            finds!(dated, |m| m.system.le(UNIX_EPOCH + Duration::from_secs(2)), [0, 1]);
            let newest = dated.find(|m| m.at.ge(DateTime::UNIX_EPOCH)).sort_by(|m| m.at.desc());
            assert_eq!(newest.ids().await.unwrap(), [4, 3, 2, 1]);
        })
        .await
    };
}

#[tokio::test]
async fn instants_and_days_are_the_same_whatever_the_offset() {
    check!(InHash);
    check!(InJson);
}
