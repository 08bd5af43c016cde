//! What the documents of all mappers have in common, and what is done with them.

use alizarin::prelude::*;
use chrono::{DateTime, Utc};
use ulid::Ulid;

/// Ids that differ in the last letter.
pub(super) fn ulid(last: char) -> Ulid {
    format!("01HMQ5ZK3S2N9V6C8X1B4D7F0{last}").parse().unwrap()
}

/// A time with milliseconds.
pub(super) fn joined() -> DateTime<Utc> {
    "2024-01-02T04:24:05.678Z".parse().unwrap()
}

/// A place.
pub(super) fn here() -> GeoPoint {
    GeoPoint::new(-122.6, 45.5).unwrap()
}

/// A text that has to be escaped in many a place.
pub(super) fn bio() -> String {
    "likes | tea, and \"quotes\"".to_owned()
}

/// The first document is that of Ann, and the second one is not active.
macro_rules! finds_both {
    ($all:expr, $documents:expr) => {
        assert_eq!($all.find(|d| d.name.eq("Ann")).one().await.unwrap(), $documents[0]);
        assert_eq!($all.find(|d| d.active.eq(false)).one().await.unwrap(), $documents[1]);
    };
}
pub(super) use finds_both;

/// The index that a real library has made is the one that we want, and we read what it has written.
pub(super) async fn understood<M>(all: &Repository<M>, theirs: &[M])
where
    M: RedisModel + std::fmt::Debug + PartialEq,
{
    let plan = all.index().plan().await.unwrap();
    assert!(plan.is_empty() && plan.drift.is_empty(), "{plan}");
    for model in theirs {
        assert_eq!(all.get(&model.id()).await.unwrap().as_ref(), Some(model));
    }
}

/// Writes the same over what a library has written.
pub(super) async fn written_over<M: RedisModel>(all: &Repository<M>, theirs: &[M]) {
    for model in theirs {
        all.save(model).await.unwrap();
    }
}

/// Writes the same in the place of what a library has written.
pub(super) async fn written_anew<M: RedisModel>(all: &Repository<M>, theirs: &[M]) {
    for model in theirs {
        assert!(all.delete(&model.id()).await.unwrap());
        all.save(model).await.unwrap();
    }
}
