//! When documents were created and written, by the server's clock.

use std::time::{Duration, SystemTime};

use alizarin::prelude::*;

use crate::common::everywhere;

type Utc = chrono::DateTime<chrono::Utc>;

macro_rules! models {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "page")]
            pub(crate) struct Page {
                #[redis(id)]
                pub(crate) id: u32,
                pub(crate) text: String,
                #[redis(created_at)]
                pub(crate) created: SystemTime,
                #[redis(updated_at)]
                pub(crate) updated: Option<Utc>,
                #[redis(version)]
                pub(crate) version: u64,
            }

            /// In milliseconds.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "line")]
            pub(crate) struct Line {
                #[redis(id)]
                pub(crate) id: u32,
                pub(crate) note: Option<String>,
                #[redis(created_at)]
                pub(crate) created: i64,
                #[redis(updated_at)]
                pub(crate) updated: u64,
            }

            pub(crate) fn page(id: u32, text: &str) -> Page {
                let created = SystemTime::UNIX_EPOCH;
                Page { id, text: text.into(), created, updated: None, version: 0 }
            }
        }
    )+};
}

models!(hash json);

macro_rules! both {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)+) => {
        mod in_hash {
            use super::*;
            use super::hash::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
        mod in_json {
            use super::*;
            use super::json::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
    };
}

/// Around now; servers and tests run on one machine.
fn is_now(time: SystemTime) -> bool {
    let now = SystemTime::now();
    let distance = now.duration_since(time).unwrap_or_else(|before| before.duration());
    distance < Duration::from_secs(60)
}

both! {
    async fn the_creation_stays_and_the_update_moves() {
        everywhere(async |pages: Repository<Page>| {
            let mut one = page(1, "a");
            let written = pages.save(&one).await.unwrap();
            let (created, first) = (written.created_at.unwrap(), written.updated_at.unwrap());
            assert!(written.created && is_now(created) && created == first);
            written.apply_to(&mut one);
            assert_eq!((one.created, one.updated, one.version), (created, Some(first.into()), 1));
            assert_eq!(pages.get(&1).await.unwrap(), Some(one.clone()));

            // Whatever the document in hand says.
            let again = pages.save(&page(1, "b")).await.unwrap();
            assert_eq!((again.created, again.created_at), (false, Some(created)));
            let second = again.updated_at.unwrap();
            assert!(second > first);
            let stored = pages.get(&1).await.unwrap().unwrap();
            assert_eq!((stored.created, stored.updated), (created, Some(second.into())));

            let updated = pages.update(&1, |page| page.created = SystemTime::now()).await.unwrap();
            assert_eq!(updated.created, created);
            assert!(updated.updated > Some(second.into()));
            assert_eq!(pages.get(&1).await.unwrap(), Some(updated.clone()));

            let set = pages.set(&1, |m| m.text.to("c")).await.unwrap();
            assert_eq!(set.created_at, Some(created));
            assert!(set.updated_at.map(Utc::from) > updated.updated);
            let stored = pages.get(&1).await.unwrap().unwrap();
            assert_eq!((stored.created, stored.updated), (created, set.updated_at.map(Utc::from)));

            // One that was deleted is created anew.
            pages.delete(&1).await.unwrap();
            let anew = pages.upsert(&page(1, "d"), |m| m.text.to("e")).await.unwrap();
            assert!(anew.created_at.unwrap() > created);
            let more = pages.upsert(&page(1, "d"), |m| m.text.to("e")).await.unwrap();
            assert_eq!(more.created_at, anew.created_at);
        })
        .await;
    }

    async fn milliseconds_and_bulk() {
        everywhere(async |lines: Repository<Line>| {
            let all: Vec<Line> = (0..20).map(|id| Line { id, ..Line::default() }).collect();
            lines.save_all(&all).await.unwrap();
            let stored = lines.get(&7).await.unwrap().unwrap();
            let since = |millis: u64| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            assert!(is_now(since(stored.updated)));
            assert_eq!(stored.created, i64::try_from(stored.updated).unwrap());
            let created = stored.created;
            lines.save_all(&all).await.unwrap();
            assert_eq!(lines.get(&7).await.unwrap().unwrap().created, created);
            let locked = lines.locked(&7, async |line| { line.note = Some("x".into()); Ok(()) }).await;
            let locked = locked.unwrap();
            assert_eq!(locked.created, created);
            assert_eq!(lines.get(&7).await.unwrap(), Some(locked));
        })
        .await;
    }

    async fn nobody_else_writes_them() {
        everywhere(async |pages: Repository<Page>| {
            pages.save(&page(1, "a")).await.unwrap();
            let stored = pages.get(&1).await.unwrap();
            for (error, field) in [
                (pages.set(&1, |m| m.created.to(SystemTime::now())).await.unwrap_err(), "created"),
                (pages.set(&1, |m| m.updated.clear()).await.unwrap_err(), "updated"),
            ] {
                assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some(field)));
            }
            assert_eq!(pages.get(&1).await.unwrap(), stored);
        })
        .await;
    }
}
