//! Unique fields and groups.

use std::time::Duration;

use alizarin::Sent;
use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::{eventually, everywhere, on, on_cluster, somebody, soon};

macro_rules! models {
    ($($storage:ident)+) => {$(
        pub(crate) mod $storage {
            use super::*;

            /// With a field and a group.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "user", events, unique(team, number))]
            pub(crate) struct User {
                #[redis(id)]
                pub(crate) id: u32,
                #[redis(unique)]
                pub(crate) email: Option<String>,
                pub(crate) team: String,
                pub(crate) number: Option<u32>,
                pub(crate) text: String,
                #[redis(version)]
                pub(crate) version: u64,
            }

            /// With nothing but a unique field, of a newtype.
            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "badge")]
            pub(crate) struct Badge {
                #[redis(id)]
                pub(crate) id: u32,
                #[redis(unique)]
                pub(crate) code: Code,
            }

            pub(crate) fn user(id: u32, email: &str) -> User {
                User { id, email: Some(email.into()), team: "red".into(), ..User::default() }
            }
        }
    )+};
}

#[derive(Debug, Clone, PartialEq, RedisValue)]
pub(crate) struct Code(String);

pub(crate) fn code(text: &str) -> Code {
    Code(text.into())
}

pub(crate) mod models {
    use super::*;

    models!(hash json);
}

/// Makes each test for both storages.
macro_rules! each {
    ($(async fn $name:ident() $body:block)+) => {
        each!(@ hash $($name $body)+);
        each!(@ json $($name $body)+);
    };
    (@ $storage:ident $($name:ident $body:block)+) => {
        mod $storage {
            use super::{*, models::$storage::*};
            $(#[tokio::test] async fn $name() $body)+
        }
    };
}

fn taken(error: &Error, name: &str, holder: &str) {
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Taken, Sent::Yes), "{error}");
    assert_eq!((error.field(), error.holder()), (Some(name), Some(holder)));
    assert!(error.message().contains("User") && error.message().contains(holder), "{error}");
}

each! {
    async fn a_value_belongs_to_one_document() {
        everywhere(async |users: Repository<User>| {
            users.insert(&user(1, "a@x")).await.unwrap();
            let holder = users.key(&1);
            for error in [
                users.insert(&user(2, "a@x")).await.unwrap_err(),
                users.save(&user(2, "a@x")).await.unwrap_err(),
                users.save_all(&[user(2, "a@x")]).await.unwrap_err(),
            ] {
                taken(&error, "email", &holder);
                assert!(!users.exists(&2).await.unwrap());
            }
            users.insert(&user(2, "b@x")).await.unwrap();
            for error in [
                users.replace(&user(2, "a@x")).await.unwrap_err(),
                users.set(&2, |u| u.email.to("a@x")).await.unwrap_err(),
                users.update(&2, |u| u.email = Some("a@x".into())).await.unwrap_err(),
                users
                    .locked(&2, async |u| { u.email = Some("a@x".into()); Ok(()) })
                    .await
                    .unwrap_err(),
            ] {
                taken(&error, "email", &holder);
            }
            // Nothing was written, and what is refused has no version of its own.
            assert_eq!(users.get(&2).await.unwrap(), Some(User { version: 1, ..user(2, "b@x") }));
            // The same document may have its own value again, and exact bytes count.
            users.save(&user(1, "a@x")).await.unwrap();
            users.save(&user(3, "A@x")).await.unwrap();
            users.save(&user(4, "")).await.unwrap();
            users.save(&user(5, "a@x ")).await.unwrap();
            assert!(users.unique().check().await.unwrap().is_sound());
        })
        .await;
    }

    async fn what_a_document_gives_up_is_free() {
        everywhere(async |users: Repository<User>| {
            users.insert(&user(1, "a@x")).await.unwrap();
            // Changed, by a struct that has never seen the value.
            users.save(&user(1, "b@x")).await.unwrap();
            users.insert(&user(2, "a@x")).await.unwrap();
            users.set(&2, |u| u.email.to("c@x")).await.unwrap();
            users.insert(&user(3, "a@x")).await.unwrap();
            users.set(&3, |u| u.email.clear()).await.unwrap();
            users.insert(&user(4, "a@x")).await.unwrap();
            users.update(&4, |u| u.email = None).await.unwrap();
            users.insert(&user(5, "a@x")).await.unwrap();
            users.locked(&5, async |u| { u.email = None; Ok(()) }).await.unwrap();
            users.insert(&user(6, "a@x")).await.unwrap();
            users.lock(&6).await.unwrap().save(&user(6, "d@x")).await.unwrap();
            users.insert(&user(7, "a@x")).await.unwrap();
            assert!(users.delete(&7).await.unwrap());
            assert!(!users.delete(&7).await.unwrap());
            users.insert(&user(8, "a@x")).await.unwrap();
            let report = users.unique().check().await.unwrap();
            assert!(report.is_sound(), "{report:?}");
            assert_eq!((report.documents, report.reservations), (7, 4), "{report:?}");
        })
        .await;
    }

    async fn values_of_expired_documents_are_free() {
        everywhere(async |users: Repository<User>| {
            users.insert(&user(1, "a@x")).ttl(Duration::from_millis(1)).await.unwrap();
            // Removed by somebody else, who knows of no unique fields.
            users.insert(&user(2, "b@x")).await.unwrap();
            somebody(&["DEL", &users.key(&2)]);
            eventually("it expires", async || !users.exists(&1).await.unwrap()).await;
            assert_eq!(users.by(|u| u.email, "a@x").await.unwrap(), None);
            soon("the value comes free", users.insert(&user(3, "a@x"))).await.unwrap();
            soon("the value comes free", users.insert(&user(4, "b@x"))).await.unwrap();
            assert_eq!(users.by(|u| u.email, "a@x").await.unwrap().unwrap().id, 3);
            assert!(users.unique().check().await.unwrap().is_sound());
        })
        .await;
    }

    async fn groups_are_unique_together() {
        everywhere(async |users: Repository<User>| {
            let of = |id, team: &str, number| User {
                email: None, team: team.into(), number, ..user(id, "")
            };
            users.insert(&of(1, "red", Some(7))).await.unwrap();
            users.insert(&of(2, "blue", Some(7))).await.unwrap();
            users.insert(&of(3, "red", None)).await.unwrap();
            users.insert(&of(4, "red", None)).await.unwrap();
            let error = users.insert(&of(5, "red", Some(7))).await.unwrap_err();
            taken(&error, "team+number", &users.key(&1));
            // One half is written, the other is what is stored.
            let error = users.set(&2, |u| u.team.to("red")).await.unwrap_err();
            taken(&error, "team+number", &users.key(&1));
            let error = users.set(&3, |u| u.number.to(7)).await.unwrap_err();
            taken(&error, "team+number", &users.key(&1));
            users.set(&3, |u| u.number.to(8)).await.unwrap();
            users.set(&1, |u| u.number.clear()).await.unwrap();
            users.set(&2, |u| u.team.to("red")).await.unwrap();
            let found = users.by(|u| (u.team, u.number), ("red", 7)).await.unwrap();
            assert_eq!(found.map(|user| user.id), Some(2));
            let found = users.by(|u| (u.number, u.team), (8, "red")).await.unwrap();
            assert_eq!(found.map(|user| user.id), Some(3));
            assert_eq!(users.by(|u| (u.team, u.number), ("blue", 7)).await.unwrap(), None);
            // What is next to one another in one is not in the other.
            users.insert(&of(6, "red1", Some(1))).await.unwrap();
            users.insert(&of(7, "red", Some(11))).await.unwrap();
            let report = users.unique().check().await.unwrap();
            assert!(report.is_sound(), "{report:?}");
        })
        .await;
    }

    async fn a_write_that_is_refused_reserves_nothing() {
        everywhere(async |users: Repository<User>| {
            users.insert(&user(1, "a@x")).await.unwrap();
            let kinds = [
                users.insert(&user(1, "b@x")).await.unwrap_err(),
                users.replace(&user(9, "b@x")).await.unwrap_err(),
                users.save(&user(1, "b@x")).if_version(7).await.unwrap_err(),
                users.set(&9, |u| u.email.to("b@x")).await.unwrap_err(),
                users.delete(&1).if_version(7).await.unwrap_err(),
            ];
            let kinds = kinds.map(|error| error.kind());
            use ErrorKind::{Conflict, Exists, NotFound};
            assert_eq!(kinds, [Exists, NotFound, Conflict, NotFound, Conflict]);
            somebody(&["RPUSH", &users.key(&2), "x"]);
            let error = users.save(&user(2, "b@x")).await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Server(_)), "{error}");
            let report = users.unique().check().await.unwrap();
            assert!(report.is_sound() && report.reservations == 1, "{report:?}");
            users.insert(&user(3, "b@x")).await.unwrap();
            assert_eq!(users.by(|u| u.email, "a@x").await.unwrap().unwrap().id, 1);
        })
        .await;
    }

    async fn of_fifty_at_once_one_wins() {
        everywhere(async |users: Repository<User>| {
            let writers: Vec<_> = (1..=50)
                .map(|id| {
                    let users = users.clone();
                    tokio::spawn(async move { users.insert(&user(id, "a@x")).await })
                })
                .collect();
            let (mut won, mut holders) = (0, std::collections::BTreeSet::new());
            for writer in writers {
                match soon("all are told", writer).await.unwrap() {
                    Ok(_) => won += 1,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Taken, "{error}");
                        holders.insert(error.holder().unwrap().to_owned());
                    }
                }
            }
            assert_eq!((won, holders.len()), (1, 1));
            let winner = users.by(|u| u.email, "a@x").await.unwrap().unwrap();
            assert!(holders.contains(&users.key(&winner.id)));
            let report = users.unique().check().await.unwrap();
            assert!(report.is_sound() && report.documents == 1, "{report:?}");
        })
        .await;
    }

    // Values go round between documents; each of them is at one place at any time.
    async fn values_that_change_hands_are_never_at_two_places() {
        everywhere(async |users: Repository<User>| {
            const DOCUMENTS: u32 = 4;
            for id in 0..DOCUMENTS {
                users.insert(&user(id, &format!("{id}@x"))).await.unwrap();
            }
            let writers: Vec<_> = (0..8u32)
                .map(|writer| {
                    let users = users.clone();
                    tokio::spawn(async move {
                        let mut done = 0;
                        for round in 0..12u32 {
                            let id = (writer + round) % DOCUMENTS;
                            let value = format!("{}@x", (writer * 5 + round * 3) % (DOCUMENTS + 2));
                            let outcome = match round % 4 {
                                0 => users.save(&user(id, &value)).await,
                                1 => users.set(&id, |u| u.email.to(value)).await,
                                2 => users.set(&id, |u| u.email.clear()).await,
                                _ => users.delete(&id).await.map(|_| Default::default()),
                            };
                            match outcome {
                                Ok(_) => done += 1,
                                Err(error) => assert!(
                                    matches!(error.kind(), ErrorKind::Taken | ErrorKind::NotFound),
                                    "{error}"
                                ),
                            }
                        }
                        done
                    })
                })
                .collect();
            let mut done = 0;
            for writer in writers {
                done += soon("the writers end", writer).await.unwrap();
            }
            assert!(done > 8, "{done}");
            let report = users.unique().check().await.unwrap();
            assert_eq!((report.missing, report.duplicates), (0, 0), "{report:?}");
            let mut values = std::collections::BTreeSet::new();
            for user in users.get_many(&[0, 1, 2, 3]).await.unwrap().into_iter().flatten() {
                let Some(email) = user.email else { continue };
                assert_eq!(users.by(|u| u.email, &email).await.unwrap().unwrap().id, user.id);
                assert!(values.insert(email));
            }
            // None is blocked for ever.
            for (at, value) in (0..DOCUMENTS + 2).map(|at| (at, format!("{at}@x"))) {
                if !values.contains(&value) {
                    soon("it comes free", users.insert(&user(100 + at, &value))).await.unwrap();
                }
            }
        })
        .await;
    }

    async fn repair_finds_what_is_missing_stale_or_twice() {
        everywhere(async |badges: Repository<Badge>| {
            let code = |text: &str| Code(text.to_owned());
            for (id, text) in [(1, "a"), (2, "b"), (3, "c")] {
                badges.save(&Badge { id, code: code(text) }).await.unwrap();
            }
            // Written before the field was unique.
            let old = |id: u32, text: &str| {
                let (key, id) = (badges.key(&id), id.to_string());
                match Badge::SCHEMA.storage {
                    alizarin::model::Storage::Json => {
                        let text = format!("{{\"id\":{id},\"code\":\"{text}\"}}");
                        somebody(&["JSON.SET", &key, "$", &text])
                    }
                    _ => somebody(&["HSET", &key, "id", &id, "code", text]),
                }
            };
            old(4, "d");
            old(5, "a");
            somebody(&["DEL", &badges.key(&2)]);
            for repaired in [false, true] {
                let mut last = None;
                let unique = badges.unique();
                let audit = if repaired { unique.repair() } else { unique.check() };
                let report = audit.on_progress(|progress| last = Some(progress)).await.unwrap();
                assert_eq!(report.documents, 4, "{report:?}");
                assert_eq!((report.missing, report.stale, report.duplicates), (1, 1, 1));
                let twice = &report.named[0];
                assert_eq!(twice.name, "code");
                assert_eq!((&twice.holder, &twice.other), (&badges.key(&1), &badges.key(&5)));
                let last = last.unwrap();
                assert_eq!((last.documents, last.reservations), (4, report.reservations));
            }
            assert_eq!(badges.by(|b| b.code, code("d")).await.unwrap().unwrap().id, 4);
            let report = badges.unique().check().await.unwrap();
            assert_eq!((report.missing, report.stale, report.duplicates), (0, 0, 1));
            assert_eq!(report.reservations, 3);
            // The duplicate is refused until it is changed.
            let error = badges.save(&Badge { id: 5, code: code("a") }).await.unwrap_err();
            assert_eq!(error.holder(), Some(&*badges.key(&1)));
            badges.save(&Badge { id: 5, code: code("e") }).await.unwrap();
            assert!(badges.unique().check().await.unwrap().is_sound());
        })
        .await;
    }

    async fn writes_of_every_sort_reserve_and_give_back() {
        everywhere(async |users: Repository<User>| {
            let id_of = async |value: &str| {
                users.by(|u| u.email, value).await.unwrap().map(|user| user.id)
            };
            let upsert = |new: User, value: &'static str| {
                let users = users.clone();
                async move { users.upsert(&new, |u| u.email.to(value)).await }
            };
            assert!(upsert(user(1, "a@x"), "b@x").await.unwrap().created);
            assert_eq!((id_of("a@x").await, id_of("b@x").await), (Some(1), None));
            assert!(!upsert(user(1, "a@x"), "b@x").await.unwrap().created);
            assert_eq!((id_of("a@x").await, id_of("b@x").await), (None, Some(1)));
            users.insert(&user(2, "a@x")).await.unwrap();
            taken(&upsert(user(1, "z@x"), "a@x").await.unwrap_err(), "email", &users.key(&2));
            taken(&upsert(user(3, "a@x"), "z@x").await.unwrap_err(), "email", &users.key(&2));
            assert!(!users.exists(&3).await.unwrap());
            // Only the server knows the sum.
            let error = users.set(&2, |u| u.number.add(1)).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("number")));
            let all = [user(4, "d@x"), user(5, "a@x"), user(6, "e@x")];
            let report = users.save_all(&all).report().await.unwrap();
            assert_eq!((report.done, report.failed, report.failures[0].id), (2, 1, 5));
            assert_eq!(report.failures[0].error.kind(), ErrorKind::Taken);
            assert_eq!(report.failures[0].error.holder(), Some(&*users.key(&2)));
            let set = users.set_many([4, 6], |u| u.email.to("f@x")).report().await.unwrap();
            assert_eq!((set.done, set.failed), (1, 1));
            let deleted = users.delete_many([1, 2, 4, 6, 99]).report().await.unwrap();
            assert_eq!((deleted.done, deleted.absent), (4, 1));
            for (id, value) in [(11, "a@x"), (12, "b@x"), (14, "d@x"), (15, "e@x"), (16, "f@x")] {
                users.insert(&user(id, value)).await.unwrap();
            }
            let report = users.unique().check().await.unwrap();
            assert!(report.is_sound() && report.reservations == 5, "{report:?}");
        })
        .await;
    }

    async fn namespaces_are_apart() {
        everywhere(async |users: Repository<User>| {
            users.insert(&user(1, "a@x")).await.unwrap();
            for tenant in ["one:", "{two}:"] {
                let theirs = users.with_namespace(format!("{}{tenant}", users.namespace()));
                theirs.insert(&user(1, "a@x")).await.unwrap();
                let error = theirs.insert(&user(2, "a@x")).await.unwrap_err();
                taken(&error, "email", &theirs.key(&1));
                assert_eq!(theirs.by(|u| u.email, "a@x").await.unwrap().unwrap().id, 1);
                theirs.delete(&1).await.unwrap();
                theirs.insert(&user(2, "a@x")).await.unwrap();
                assert!(theirs.unique().repair().await.unwrap().is_sound());
            }
            assert_eq!(users.by(|u| u.email, "a@x").await.unwrap().unwrap().id, 1);
            assert_eq!(users.scan_ids().next().await.unwrap().unwrap(), 1);
        })
        .await;
    }

    async fn users_who_may_not_reserve_write_nothing() {
        let server = Server::start().unwrap();
        let users: Repository<User> = on(&server, 3).await;
        users.insert(&user(1, "a@x")).await.unwrap();
        let documents = format!("~{}user:*", users.namespace());
        let reads = format!("%R~{}alizarin:*", users.namespace());
        let channel = format!("&{}*", users.namespace());
        for keys in [vec![&*documents], vec![&documents, &reads]] {
            let mut rule = vec!["ACL", "SETUSER", "narrow", "reset", "on", ">pw", "+@all", &channel];
            rule.extend(keys);
            server.command(&rule).unwrap();
            let url = server.url().replacen("//", "//narrow:pw@", 1);
            let client = Client::connect(url.as_str()).await.unwrap();
            let narrow = client.repository::<User>().with_namespace(users.namespace());
            for error in [
                narrow.insert(&user(2, "b@x")).await.unwrap_err(),
                narrow.save(&user(1, "b@x")).await.unwrap_err(),
                narrow.delete(&1).await.map(drop).unwrap_err(),
            ] {
                assert!(matches!(error.kind(), ErrorKind::Server(_)), "{error}");
            }
        }
        assert_eq!(users.get(&1).await.unwrap(), Some(User { version: 1, ..user(1, "a@x") }));
        assert!(!users.exists(&2).await.unwrap());
        assert!(users.unique().check().await.unwrap().is_sound());
    }

    async fn keys_that_nothing_can_lie_beside() {
        let users: Repository<User> = on_cluster().await;
        let broken = users.with_namespace(format!("{}a}}b", users.namespace()));
        let error = broken.insert(&user(1, "a@x")).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Value, Sent::No), "{error}");
    }

    async fn reservations_lie_where_they_are_documented_to() {
        everywhere(async |users: Repository<User>| {
            users.insert(&user(1, "a@x")).await.unwrap();
            let command = users.client().command::<(String, Vec<String>)>("SCAN");
            let pattern = format!("{}alizarin:unique:user:email:*", users.namespace());
            let mut cursor = command.arg(("0", "MATCH", &pattern, "COUNT", 100_000)).await.unwrap();
            while cursor.1.is_empty() {
                let command = users.client().command::<(String, Vec<String>)>("SCAN");
                let next = command.arg((&cursor.0, "MATCH", &pattern, "COUNT", 100_000));
                cursor = next.await.unwrap();
            }
            let record = somebody(&["GET", &cursor.1[0]]);
            assert!(record.ends_with(&format!(":{}", users.key(&1))), "{record}");
        })
        .await;
    }
}
