//! What a typed mapper is expected to do, asked on real servers: both storages, both protocols.

mod choices;
mod hostile;
mod indexes;
mod keys;
mod many;
mod nested;
mod order;
mod tags;
mod times;
mod values;
mod vectors;
mod wire;
mod writers;
mod writes;

use alizarin::model::Json;
use alizarin::prelude::*;

use crate::common::everywhere;

/// A field of a few words.
#[derive(Debug, Clone, Copy, PartialEq, RedisValue)]
#[redis(rename_all = "kebab-case")]
pub(crate) enum Rank {
    Guest,
    FullMember,
    #[redis(rename = "the chair, and host")]
    Chair,
}

/// A number with a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, RedisValue)]
pub(crate) struct Points(pub(crate) i64);

/// One of several things.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Contact {
    None,
    Phone(u64),
    Mail { name: String, host: String },
}

/// What is inside a member, in either storage.
#[derive(Debug, Clone, PartialEq, Default, RedisNested)]
pub(crate) struct Address {
    #[redis(tag)]
    pub(crate) city: String,
    #[redis(numeric, sortable)]
    pub(crate) zip: u32,
    #[redis(nested)]
    pub(crate) note: Option<Note>,
}

/// What is inside an address.
#[derive(Debug, Clone, PartialEq, Default, RedisNested)]
pub(crate) struct Note {
    #[redis(text)]
    pub(crate) description: String,
    pub(crate) raw: Option<Vec<u8>>,
    #[redis(vector(flat, l2))]
    pub(crate) mood: Option<Vector<f32, 2>>,
}

macro_rules! members {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            pub(crate) const STORAGE: &str = stringify!($storage);

            /// With a field of each sort that the cases ask for.
            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "member", index)]
            pub(crate) struct Member {
                #[redis(id, numeric, sortable)]
                pub(crate) number: u32,
                #[redis(tag, sortable)]
                pub(crate) name: String,
                #[redis(numeric, sortable)]
                pub(crate) age: u32,
                #[redis(text)]
                pub(crate) bio: String,
                #[redis(tag(separator = "|"))]
                pub(crate) group: String,
                #[redis(tag(separator = ","))]
                pub(crate) hobbies: Vec<String>,
                #[redis(tag)]
                pub(crate) active: bool,
                #[redis(tag, index_missing, index_empty)]
                pub(crate) nick: Option<String>,
                #[redis(tag)]
                pub(crate) rank: Option<Rank>,
                #[redis(tag)]
                pub(crate) ranks: Vec<Rank>,
                #[redis(tag)]
                pub(crate) badge: Uuid,
                #[redis(numeric)]
                pub(crate) points: Points,
                pub(crate) contact: Json<Contact>,
                pub(crate) raw: Vec<u8>,
                #[redis(geo)]
                pub(crate) place: Option<GeoPoint>,
                #[redis(nested)]
                pub(crate) home: Address,
                #[redis(nested)]
                pub(crate) work: Option<Address>,
            }

            /// One with the defaults of everything else.
            pub(crate) fn member(number: u32) -> Member {
                Member {
                    number,
                    name: "x".into(),
                    age: 0,
                    bio: String::new(),
                    group: "none".into(),
                    hobbies: Vec::new(),
                    active: false,
                    nick: None,
                    rank: None,
                    ranks: Vec::new(),
                    badge: Uuid::nil(),
                    points: Points(0),
                    contact: Json(Contact::None),
                    raw: Vec::new(),
                    place: None,
                    home: Address { city: "nowhere".into(), ..Address::default() },
                    work: None,
                }
            }

            /// Numbered from 0, each made different.
            pub(crate) fn several(count: u32, change: impl Fn(u32, &mut Member)) -> Vec<Member> {
                let numbered = (0..count).map(|number| {
                    let mut member = member(number);
                    change(number, &mut member);
                    member
                });
                numbered.collect()
            }

            /// Runs `check` on RESP2 and on RESP3, each on an index of these members.
            pub(crate) async fn with(
                members: &[Member],
                check: impl AsyncFn(&Repository<Member>),
            ) {
                everywhere(async |repository: Repository<Member>| {
                    repository.index().sync().await.unwrap();
                    repository.save_all(members).await.unwrap();
                    repository.index().wait().await.unwrap();
                    check(&repository).await;
                })
                .await;
            }
        }
    )+};
}

members!(hash json);

/// Makes each test twice, once for each storage, with that storage's members in sight.
macro_rules! both_storages {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)+) => {
        mod hash {
            use super::*;
            use $crate::acceptance::hash::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
        mod json {
            use super::*;
            use $crate::acceptance::json::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
    };
}

use both_storages;

/// Asserts that a search finds these numbers, in whatever order.
macro_rules! finds {
    ($members:expr, $filter:expr, $want:expr) => {{
        let mut found = $members.find($filter).limit(100_000).ids().await.unwrap();
        found.sort_unstable();
        let want: Vec<u32> = $want.into_iter().collect();
        assert_eq!(found, want, "{}", stringify!($filter));
    }};
}

use finds;
