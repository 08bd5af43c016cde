//! Changes that come from requests, that the server works out, and that give back values.

use std::collections::BTreeMap;

use alizarin::prelude::*;
use alizarin::repository::Changes;

use crate::common::{everywhere, somebody};

macro_rules! counters {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "counter", events)]
            pub(crate) struct Counter {
                #[redis(id)]
                pub(crate) id: u32,
                pub(crate) small: i8,
                pub(crate) signed: i64,
                pub(crate) large: u64,
                pub(crate) wide: i128,
                pub(crate) half: Option<f32>,
                pub(crate) real: f64,
                pub(crate) maybe: Option<u32>,
                #[redis(version)]
                pub(crate) version: u64,
            }

            #[derive(Debug, Clone, Default, RedisPatch, Serialize, Deserialize)]
            #[redis(of = $crate::common::$storage::Note)]
            #[serde(default)]
            pub(crate) struct NotePatch {
                #[serde(skip_serializing_if = "Patch::is_keep")]
                pub(crate) text: Patch<String>,
                #[serde(skip_serializing_if = "Patch::is_keep")]
                pub(crate) count: Patch<u64>,
                #[serde(skip_serializing_if = "Patch::is_keep")]
                pub(crate) label: Patch<String>,
                #[redis(at = place.city)]
                #[serde(skip_serializing_if = "Patch::is_keep")]
                pub(crate) city: Patch<String>,
                #[redis(at = place.zip)]
                #[serde(skip_serializing_if = "Patch::is_keep")]
                pub(crate) zip: Patch<u32>,
            }
        }
    )+};
}

mod models {
    use super::*;
    counters!(hash json);
}

macro_rules! both {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)+) => {
        mod hash {
            use super::*;
            use crate::common::hash::*;
            use super::models::hash::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
        mod json {
            use super::*;
            use crate::common::json::*;
            use super::models::json::*;
            $($(#[$attribute])* #[tokio::test] async fn $name() $body)+
        }
    };
}

both! {
    async fn a_request_keeps_sets_and_unsets() {
        everywhere(async |notes: Repository<Note>| {
            let whole = Note {
                count: 1,
                label: Some("l".into()),
                place: Place { city: "Ulm".into(), zip: Some(1) },
                ..note(1, "a")
            };
            notes.save(&whole).await.unwrap();
            let patch: NotePatch =
                serde_json::from_str(r#"{"label":null,"city":"Bonn","count":9007199254740993}"#).unwrap();
            assert_eq!(patch.text, Patch::Keep);
            assert_eq!(
                serde_json::to_string(&patch).unwrap(),
                r#"{"count":9007199254740993,"label":null,"city":"Bonn"}"#
            );
            notes.set(&1, |_| patch).await.unwrap();
            let place = Place { city: "Bonn".into(), zip: Some(1) };
            let after = Note { count: (1 << 53) + 1, label: None, place, ..whole };
            assert_eq!(notes.get(&1).await.unwrap(), Some(after.clone()));

            let wrong = NotePatch { text: Patch::Unset, zip: Patch::Set(3), ..NotePatch::default() };
            let error = notes.set(&1, |_| wrong).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("text")));
            assert_eq!(notes.get(&1).await.unwrap(), Some(after));
        })
        .await;
    }

    async fn an_empty_change_writes_nothing_and_checks() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let written = drafts.set(&1, |_| Changes::new()).if_version(1).await.unwrap();
            assert_eq!((written.version, written.created), (Some(1), false));
            assert_eq!(drafts.get(&1).await.unwrap(), Some(Draft { version: 1, ..draft(1, "a") }));
            let error = drafts.set(&1, |_| Changes::new()).if_version(2).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            let versions = error.versions().unwrap();
            assert_eq!((versions.expected, versions.stored), (2, Some(1)));
            let error = drafts.set(&2, |_| Changes::new()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        })
        .await;
    }

    async fn changes_are_made_at_run_time_and_used_again() {
        everywhere(async |notes: Repository<Note>| {
            let mut changes = Changes::<Note>::new();
            changes.push(|m| (m.text.to("b"), None::<()>, vec![m.count.add(2)])).unwrap();
            changes.push(|m| m.label.to("x")).unwrap();
            assert_eq!(changes.fields(), ["text", "count", "label"]);
            assert_eq!(changes.push(|m| m.text.to("c")).unwrap_err().field(), Some("text"));
            for id in [1, 2] {
                notes.save(&note(id, "a")).await.unwrap();
                notes.set(&id, |m| (changes.clone(), m.place.city.to("Ulm"))).await.unwrap();
                let place = Place { city: "Ulm".into(), zip: None };
                let after = Note { count: 2, label: Some("x".into()), place, ..note(id, "b") };
                assert_eq!(notes.get(&id).await.unwrap(), Some(after));
            }
        })
        .await;
    }

    async fn numbers_are_added_exactly() {
        everywhere(async |counters: Repository<Counter>| {
            counters.save(&Counter { id: 1, large: 1 << 53, ..Counter::default() }).await.unwrap();
            let set = counters.set(&1, |m| {
                (m.small.add(-128), m.large.add(1), m.signed.add(i64::MIN), m.maybe.add(3))
            });
            let (small, large, signed, maybe) =
                set.returning(|m| (m.small, m.large, m.signed, m.maybe)).await.unwrap();
            assert_eq!((small, large, signed, maybe), (-128, (1 << 53) + 1, i64::MIN, Some(3)));
            let rest = u64::MAX - (1 << 53) - 1;
            let set = counters.set(&1, |m| (m.large.add(rest), m.signed.add(u64::MAX), m.maybe.add(-3)));
            let (large, signed, maybe) = set.returning(|m| (m.large, m.signed, m.maybe)).await.unwrap();
            assert_eq!((large, signed, maybe), (u64::MAX, i64::MAX, Some(0)));
            let set = counters.set(&1, |m| (m.large.add(i64::MIN), m.wide.add(i128::MAX)));
            let (large, wide) = set.returning(|m| (m.large, m.wide)).await.unwrap();
            assert_eq!((large, wide), (u64::MAX - (1 << 63), i128::MAX));
            let set = counters.set(&1, |m| (m.half.add(0.1), m.real.add(0.1)));
            assert_eq!(set.returning(|m| (m.half, m.real)).await.unwrap(), (Some(0.1), 0.1));
            let set = counters.set(&1, |m| (m.half.add(0.2), m.real.add(0.2f64)));
            let sums = set.returning(|m| (m.half, m.real)).await.unwrap();
            assert_eq!(sums, (Some(0.1 + 0.2), 0.1 + 0.2));
            let set = counters.set(&1, |m| m.real.add(-7));
            assert_eq!(set.returning(|m| m.real).await.unwrap(), 0.1 + 0.2 - 7.0);
            let read = counters.get(&1).await.unwrap().unwrap();
            assert_eq!((read.wide, read.real, read.version), (i128::MAX, 0.1 + 0.2 - 7.0, 7));
        })
        .await;
    }

    async fn sums_that_do_not_fit_write_nothing() {
        everywhere(async |counters: Repository<Counter>| {
            let before = Counter { id: 1, small: 127, large: 5, real: f64::MAX, ..Counter::default() };
            counters.save(&before).await.unwrap();
            for (error, field) in [
                (counters.set(&1, |m| (m.signed.to(1), m.small.add(1))).await.unwrap_err(), "small"),
                (counters.set(&1, |m| (m.signed.to(1), m.large.add(-6))).await.unwrap_err(), "large"),
                (counters.set(&1, |m| (m.maybe.add(1u64 << 32), m.signed.to(1))).await.unwrap_err(), "maybe"),
                (counters.set(&1, |m| (m.signed.to(1), m.real.add(f64::MAX))).await.unwrap_err(), "real"),
                (counters.set(&1, |m| m.half.add(f32::NAN)).await.unwrap_err(), "half"),
                (counters.set(&1, |m| m.half.add(f64::from(f32::MAX) * 2.0)).await.unwrap_err(), "half"),
            ] {
                assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some(field)), "{error}");
            }
            assert_eq!(counters.get(&1).await.unwrap(), Some(Counter { version: 1, ..before }));
        })
        .await;
    }

    async fn fifty_adders_lose_nothing() {
        everywhere(async |counters: Repository<Counter>| {
            counters.save(&Counter { id: 1, ..Counter::default() }).await.unwrap();
            let tasks: Vec<_> = (0..50)
                .map(|_| {
                    let counters = counters.clone();
                    tokio::spawn(async move {
                        counters.set(&1, |m| (m.large.add(3), m.signed.add(-1))).await
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let end = counters.get(&1).await.unwrap().unwrap();
            assert_eq!((end.large, end.signed, end.version), (150, -50, 51));
        })
        .await;
    }

    async fn an_upsert_writes_once_and_then_changes() {
        everywhere(async |counters: Repository<Counter>| {
            let new = Counter { id: 1, large: 10, ..Counter::default() };
            let mut changes = counters.changes().await.unwrap();
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let (counters, new) = (counters.clone(), new.clone());
                    tokio::spawn(async move { counters.upsert(&new, |m| m.large.add(1)).await })
                })
                .collect();
            let mut created = 0;
            for task in tasks {
                created += usize::from(task.await.unwrap().unwrap().created);
            }
            assert_eq!(created, 1);
            let end = counters.get(&1).await.unwrap().unwrap();
            assert_eq!((end.large, end.version), (29, 20));
            for version in 1..=20 {
                let fields = if version == 1 { vec![] } else { vec!["large".to_owned()] };
                let saved = Change::Saved { id: 1, version: Some(version), fields };
                assert_eq!(changes.next().await.unwrap().unwrap(), saved);
            }
        })
        .await;
    }

    async fn a_save_says_whether_the_document_is_new() {
        everywhere(async |notes: Repository<Note>| {
            // With and without fields that are absent: by a script and by a plain command.
            for (id, label) in [(1, None), (2, Some("l".to_owned()))] {
                let second = label.as_ref().map(|_| Place::default());
                let place = Place { city: "x".into(), zip: label.as_ref().map(|_| 1) };
                let second = second.map(|_| place.clone());
                let whole = Note { label, place, second, ..note(id, "a") };
                assert!(notes.save(&whole).await.unwrap().created);
                assert!(!notes.save(&whole).await.unwrap().created);
                assert!(!notes.replace(&whole).await.unwrap().created);
                assert!(notes.delete(&id).await.unwrap());
                assert!(notes.insert(&whole).await.unwrap().created);
            }
        })
        .await;
    }

    async fn structs_inside_are_set_and_cleared_as_a_whole() {
        everywhere(async |notes: Repository<Note>| {
            let [ulm, bonn] = [Some(1), None].map(|zip| Place {
                city: if zip.is_some() { "Ulm" } else { "Bonn" }.into(),
                zip,
            });
            let whole = Note { place: ulm.clone(), second: Some(ulm.clone()), ..note(1, "a") };
            notes.save(&whole).await.unwrap();
            let set = notes.set(&1, |m| (m.place.to_value(bonn.clone()), m.second.clear(), m.count.add(1)));
            set.await.unwrap();
            let after = Note { place: bonn.clone(), second: None, count: 1, ..whole };
            assert_eq!(notes.get(&1).await.unwrap(), Some(after.clone()));
            notes.set(&1, |m| m.second.to_value(Some(bonn.clone()))).await.unwrap();
            notes.set(&1, |m| m.second.city.to("Rom")).await.unwrap();
            let patch = Patch::Set(ulm.clone());
            notes.set(&1, |m| (m.place.patch(patch), m.second.patch::<Place>(Patch::Keep))).await.unwrap();
            let second = Some(Place { city: "Rom".into(), zip: None });
            let after = Note { place: ulm, second, ..after };
            assert_eq!(notes.get(&1).await.unwrap(), Some(after.clone()));

            let error = notes.set(&1, |m| m.place.patch::<Place>(Patch::Unset)).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("place")));
            let twice = notes.set(&1, |m| (m.place.to_value(bonn.clone()), m.place.city.to("x")));
            let error = twice.await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("place.city")));
            assert_eq!(notes.get(&1).await.unwrap(), Some(after));
        })
        .await;
    }

    async fn structs_without_fields_and_updates_of_them() {
        everywhere(async |cases: Repository<Case>| {
            let full = Inner { a: Some(1), b: Some(2) };
            cases.save(&Case { id: 1, must: full.clone(), may: None }).await.unwrap();
            let set = cases.set(&1, |m| (m.must.to_value(Inner::default()), m.may.to_value(Some(Inner::default()))));
            set.await.unwrap();
            let after = Case { id: 1, must: Inner::default(), may: Some(Inner::default()) };
            assert_eq!(cases.get(&1).await.unwrap(), Some(after));
            cases.set(&1, |m| (m.must.a.to(3), m.may.to_value(Some(full.clone())))).await.unwrap();
            cases.set(&1, |m| (m.may.clear(), m.must.b.to(4))).await.unwrap();
            let after = Case { id: 1, must: Inner { a: Some(3), b: Some(4) }, may: None };
            assert_eq!(cases.get(&1).await.unwrap(), Some(after.clone()));
            assert_eq!(cases.update(&1, |_| ()).await.unwrap(), after);
        })
        .await;
    }

    async fn what_is_no_number_is_not_added_to() {
        everywhere(async |counters: Repository<Counter>| {
            counters.save(&Counter { id: 1, ..Counter::default() }).await.unwrap();
            let key = counters.key(&1);
            if STORAGE == "hash" {
                somebody(&["HSET", &key, "large", "many"]);
            } else {
                somebody(&["JSON.SET", &key, "$.large", "\"many\""]);
            }
            let error = counters.set(&1, |m| (m.signed.to(1), m.large.add(1))).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("large")));
        })
        .await;
    }
}

#[derive(Debug, Clone, PartialEq, Default, RedisModel)]
#[redis(json, prefix = "shelf")]
struct Shelf {
    #[redis(id)]
    id: u32,
    books: Vec<String>,
    pages: Option<Vec<u32>>,
    labels: BTreeMap<String, String>,
    counts: Option<BTreeMap<String, BTreeMap<String, Option<u32>>>>,
    #[redis(version)]
    version: u64,
}

fn shelf(books: &[&str]) -> Shelf {
    Shelf {
        id: 1,
        books: books.iter().map(|book| (*book).to_owned()).collect(),
        ..Shelf::default()
    }
}

#[tokio::test]
async fn lists_are_changed_on_the_server() {
    everywhere(async |shelves: Repository<Shelf>| {
        let strange = "quote \" and \\ and \u{1f} and é";
        shelves.save(&shelf(&["b"])).await.unwrap();
        let books = async |set: alizarin::repository::Set<'_, Shelf>| {
            set.returning(|m| m.books).await.unwrap()
        };
        assert_eq!(books(shelves.set(&1, |m| m.books.push(strange))).await, ["b", strange]);
        assert_eq!(books(shelves.set(&1, |m| m.books.push_front("a"))).await, ["a", "b", strange]);
        assert_eq!(books(shelves.set(&1, |m| m.books.without(strange))).await, ["a", "b"]);
        assert_eq!(books(shelves.set(&1, |m| m.books.insert_at(2, "b"))).await, ["a", "b", "b"]);
        assert_eq!(books(shelves.set(&1, |m| m.books.without("b"))).await, ["a"]);
        let none: [&str; 0] = [];
        assert_eq!(books(shelves.set(&1, |m| m.books.push_all(none))).await, ["a"]);
        assert_eq!(books(shelves.set(&1, |m| m.books.push_all(["c", "d"]))).await, ["a", "c", "d"]);
        assert_eq!(books(shelves.set(&1, |m| m.books.remove_at(1))).await, ["a", "d"]);
        assert_eq!(books(shelves.set(&1, |m| m.books.keep_last(9))).await, ["a", "d"]);
        assert_eq!(books(shelves.set(&1, |m| m.books.keep_last(1))).await, ["d"]);
        assert_eq!(books(shelves.set(&1, |m| m.books.keep_first(0))).await, none);

        // A list that is not there counts as an empty one.
        let pages = shelves.set(&1, |m| (m.pages.push(1), m.books.push("z")));
        assert_eq!(pages.returning(|m| m.pages).await.unwrap(), Some(vec![1]));
        shelves.set(&1, |m| m.pages.clear()).await.unwrap();
        shelves.set(&1, |m| (m.pages.without(1), m.books.keep_first(1))).await.unwrap();
        let read = shelves.get(&1).await.unwrap().unwrap();
        assert_eq!((read.pages, read.books, read.version), (None, vec!["z".to_owned()], 15));

        for error in [
            shelves.set(&1, |m| (m.books.insert_at(2, "x"), m.pages.push(1))).await.unwrap_err(),
            shelves.set(&1, |m| (m.pages.push(1), m.books.remove_at(1))).await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("books")));
        }
        assert_eq!(shelves.get(&1).await.unwrap().unwrap().pages, None);
    })
    .await;
}

#[tokio::test]
async fn maps_are_changed_on_the_server() {
    everywhere(async |shelves: Repository<Shelf>| {
        shelves.save(&shelf(&[])).await.unwrap();
        let keys = ["a", "", "$.books", "quote \" \\ ]", "é\n"];
        for (at, key) in keys.iter().enumerate() {
            shelves.set(&1, |m| m.labels.insert_key(key, at.to_string())).await.unwrap();
        }
        let labels: BTreeMap<String, String> =
            keys.iter().enumerate().map(|(at, key)| ((*key).to_owned(), at.to_string())).collect();
        assert_eq!(shelves.get(&1).await.unwrap().unwrap().labels, labels);
        for key in &keys[1..] {
            shelves.set(&1, |m| m.labels.remove_key(key)).await.unwrap();
        }
        let read = shelves.get(&1).await.unwrap().unwrap();
        assert_eq!(read.labels, BTreeMap::from([("a".to_owned(), "0".to_owned())]));

        let inner = |entries: &[(&str, u32)]| {
            let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), Some(*value)));
            entries.collect::<BTreeMap<_, _>>()
        };
        // The new value takes the old one's place, and is not merged into it.
        for value in [inner(&[("x", 1), ("y", 2)]), inner(&[("z", 3)])] {
            let set = shelves.set(&1, |m| m.counts.insert_key("k", value.clone()));
            let counts = set.returning(|m| m.counts).await.unwrap().unwrap();
            assert_eq!(counts, BTreeMap::from([("k".to_owned(), value)]));
        }
        let lost = BTreeMap::from([("x".to_owned(), None)]);
        let error = shelves.set(&1, |m| m.counts.insert_key("k", lost)).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("counts")));
    })
    .await;
}

/// With a field that is worked out of another one.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "double")]
struct Double {
    #[redis(id)]
    id: u32,
    one: u32,
    #[redis(computed = "two")]
    two: u32,
}

fn two(double: &Double) -> u32 {
    double.one * 2
}

#[tokio::test]
async fn what_is_worked_out_of_others_is_not_left_behind() {
    everywhere(async |doubles: Repository<Double>| {
        doubles.save(&Double { id: 1, one: 2, two: 0 }).await.unwrap();
        let error = doubles.set(&1, |m| m.one.to(3)).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("one")));
        doubles.update(&1, |double| double.one = 3).await.unwrap();
        assert_eq!(somebody(&["HGET", &doubles.key(&1), "two"]), "6");
    })
    .await;
}

/// In lists of structs.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "tour")]
struct Tour {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    stops: Vec<Stop>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Stop {
    city: String,
    #[redis(nested)]
    inside: Option<Deep>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Deep {
    name: Option<String>,
}

#[tokio::test]
async fn a_list_of_structs_is_set_as_a_whole() {
    everywhere(async |tours: Repository<Tour>| {
        tours.save(&Tour { id: 1, stops: vec![] }).await.unwrap();
        let inside = Some(Deep { name: Some("x\"y".into()) });
        let stops =
            vec![Stop { city: "Ulm".into(), inside }, Stop { city: "Rom".into(), inside: None }];
        tours.set(&1, |m| m.stops.to_value(stops.clone())).await.unwrap();
        assert_eq!(tours.get(&1).await.unwrap(), Some(Tour { id: 1, stops }));
        let error = tours.set(&1, |m| m.stops.inside.clear()).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("stops.inside")));
    })
    .await;
}

#[test]
fn blocking_clients_patch_too() {
    let server = alizarin_testkit::Server::shared().unwrap();
    let client = alizarin::blocking::Client::connect(server.url().as_str()).unwrap();
    let shelves: Repository<Shelf> =
        client.repository().with_namespace(crate::common::namespace(server));
    use alizarin::blocking::Run as _;
    assert!(shelves.upsert(&shelf(&["a"]), |m| m.books.push("b")).run().unwrap().created);
    assert!(!shelves.upsert(&shelf(&["a"]), |m| m.books.push("b")).run().unwrap().created);
    let books = shelves.set(&1, |m| m.books.push("c")).returning(|m| m.books).run().unwrap();
    assert_eq!(books, ["a", "b", "c"]);
}
