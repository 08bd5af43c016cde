//! Parts of documents, conditions on writes, limits of time, wrong values: what other mappers'
//! suites ask of writes.

use std::time::Duration;

use alizarin::ServerCode;
use alizarin::prelude::*;

use crate::common::{everywhere, somebody};

const MINUTE: Duration = Duration::from_secs(60);

crate::each_storage! {
    async fn a_patch_changes_top_and_nested_fields_and_no_other() {
        everywhere(async |notes: Repository<Note>| {
            let place = Place { city: "Ulm".into(), zip: Some(1) };
            notes.save(&Note { place, label: Some("l".into()), ..note(1, "a") }).await.unwrap();
            // Somebody else changes another field meanwhile.
            let (one, other) = tokio::join!(
                notes.set(&1, |m| (m.text.to("b"), m.place.city.to("Bonn"))).into_future(),
                notes.set(&1, |m| m.count.add(5)).into_future(),
            );
            one.unwrap();
            other.unwrap();
            let place = Place { city: "Bonn".into(), zip: Some(1) };
            let after = Note { place, label: Some("l".into()), count: 5, ..note(1, "b") };
            assert_eq!(notes.get(&1).await.unwrap(), Some(after));
        })
        .await;
    }

    async fn a_wrong_value_leaves_what_is_stored() {
        everywhere(async |coins: Repository<Coin>| {
            let coin = Coin { id: 1, kind: "a".into(), weight: 1.0, parts: vec!["b".into()] };
            coins.save(&coin).await.unwrap();
            for (error, field) in [
                (coins.set(&1, |m| m.weight.to(f64::NAN)).await.unwrap_err(), "weight"),
                (coins.set(&1, |m| (m.weight.to(2), m.kind.to(" x"))).await.unwrap_err(), "kind"),
                (coins.update(&1, |coin| coin.weight = f64::NAN).await.unwrap_err(), "weight"),
            ] {
                assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some(field)));
            }
            assert_eq!(coins.get(&1).await.unwrap(), Some(coin));
        })
        .await;
    }

    async fn create_only_update_only_and_both() {
        everywhere(async |notes: Repository<Note>| {
            let limit = |left: Option<Duration>| left > Some(MINUTE / 2) && left <= Some(MINUTE);
            let error = notes.replace(&note(1, "a")).ttl(MINUTE).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(!notes.exists(&1).await.unwrap());
            assert!(notes.insert(&note(1, "a")).ttl(MINUTE).await.unwrap().created);
            assert!(limit(notes.ttl(&1).await.unwrap()));
            // Refused, it changes neither the document nor its time to live.
            let error = notes.insert(&note(1, "b")).ttl(MINUTE * 10).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Exists);
            assert!(limit(notes.ttl(&1).await.unwrap()));
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
            assert!(!notes.replace(&note(1, "b")).clear_ttl().await.unwrap().created);
            assert_eq!(notes.ttl(&1).await.unwrap(), None);
            // Of many that create at once, one does.
            let tasks: Vec<_> = (0..20)
                .map(|_| {
                    let notes = notes.clone();
                    tokio::spawn(async move { notes.insert(&note(2, "x")).ttl(MINUTE).await.is_ok() })
                })
                .collect();
            let mut created = 0;
            for task in tasks {
                created += usize::from(task.await.unwrap());
            }
            assert_eq!(created, 1);
            assert!(limit(notes.ttl(&2).await.unwrap()));
        })
        .await;
    }

    async fn a_time_to_live_is_kept_set_and_cleared() {
        everywhere(async |visits: Repository<Visit>| {
            let around = async |seconds: u64| {
                let left = visits.ttl(&1).await.unwrap();
                let most = Duration::from_secs(seconds);
                assert!(left <= Some(most) && left > Some(most - Duration::from_secs(30)), "{left:?}");
            };
            visits.save(&visit(1, "a")).await.unwrap();
            around(90).await;
            visits.save(&visit(1, "a")).ttl(MINUTE * 10).await.unwrap();
            around(600).await;
            // An update and a patch keep it, also one that somebody set by hand.
            visits.update(&1, |visit| visit.text = "b".into()).await.unwrap();
            around(600).await;
            assert_eq!(somebody(&["EXPIRE", &visits.key(&1), "300"]), "1");
            visits.set(&1, |m| m.text.to("c")).await.unwrap();
            visits.save(&visit(1, "d")).keep_ttl().await.unwrap();
            around(300).await;
            visits.set(&1, |m| m.text.to("e")).ttl(MINUTE).await.unwrap();
            around(60).await;
            visits.set(&1, |m| m.text.to("f")).clear_ttl().await.unwrap();
            assert_eq!(visits.ttl(&1).await.unwrap(), None);
        })
        .await;
    }

    async fn optimistic_locking_three_succeed_and_three_fail() {
        everywhere(async |drafts: Repository<Draft>| {
            let mut mine = draft(1, "a");
            drafts.insert(&mine).await.unwrap().apply_to(&mut mine);
            let outdated = mine.clone();
            let error = drafts.insert(&mine).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Exists);
            mine.text = "b".into();
            drafts.save(&mine).if_version(mine.version).await.unwrap().apply_to(&mut mine);
            let told = |error: Error| {
                assert_eq!(error.kind(), ErrorKind::Conflict);
                let versions = error.versions().expect("both versions");
                assert_eq!((versions.expected, versions.stored), (1, Some(2)));
            };
            told(drafts.save(&outdated).if_version(outdated.version).await.unwrap_err());
            told(drafts.replace(&outdated).if_version(outdated.version).await.unwrap_err());
            told(drafts.set(&1, |m| m.text.to("c")).if_version(outdated.version).await.unwrap_err());
            told(drafts.delete(&1).if_version(outdated.version).await.unwrap_err());
            assert_eq!(drafts.get(&1).await.unwrap(), Some(mine.clone()));
            assert!(drafts.delete(&1).if_version(mine.version).await.unwrap());
            let error = drafts.delete(&1).if_version(mine.version).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        })
        .await;
    }

    async fn fifty_updaters_lose_nothing() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.insert(&draft(1, "a")).await.unwrap();
            let writers: Vec<_> = (0..50)
                .map(|_| {
                    let drafts = drafts.clone();
                    tokio::spawn(async move {
                        drafts.update(&1, |draft| draft.count += 1).attempts(10_000).await
                    })
                })
                .collect();
            let mut versions = std::collections::BTreeSet::new();
            for writer in writers {
                assert!(versions.insert(writer.await.unwrap().unwrap().version), "one version twice");
            }
            // Each version from the second on was won by one.
            assert_eq!(versions, (2..=51).collect());
            let end = drafts.get(&1).await.unwrap().unwrap();
            assert_eq!((end.count, end.version), (50, 51));
        })
        .await;
    }

    async fn empty_documents_and_updates_to_nothing() {
        everywhere(async |cases: Repository<Case>| {
            let empty = Case { id: 1, ..Case::default() };
            assert!(cases.save(&empty).await.unwrap().created);
            assert_eq!(cases.get(&1).await.unwrap(), Some(empty.clone()));
            let full = Case {
                id: 1,
                must: Inner { a: Some(1), b: Some(2) },
                may: Some(Inner { a: Some(3), b: None }),
            };
            assert!(!cases.save(&full).await.unwrap().created);
            let emptied = cases.update(&1, |case| *case = empty.clone()).await.unwrap();
            assert_eq!((&emptied, cases.get(&1).await.unwrap()), (&empty, Some(empty.clone())));
            // Nothing to change: the document has to be there.
            cases.set(&1, |_| ()).await.unwrap();
            assert_eq!(cases.set(&2, |_| ()).await.unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(cases.get(&1).await.unwrap(), Some(empty));
        })
        .await;
    }

    async fn required_fields_and_wrong_stored_values_are_named() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let key = notes.key(&1);
            if STORAGE == "hash" {
                somebody(&["HSET", &key, "count", "many"]);
            } else {
                somebody(&["JSON.SET", &key, "$.count", "\"many\""]);
            }
            let error = notes.get(&1).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("count")));
            assert!(!error.to_string().contains("many"), "{error}");
            if STORAGE == "hash" {
                somebody(&["HDEL", &key, "count"]);
            } else {
                somebody(&["JSON.DEL", &key, "$.count"]);
            }
            let error = notes.get(&1).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("count")));
            // A sum starts from 0 there, and mends the document.
            assert_eq!(notes.set(&1, |m| m.count.add(2)).returning(|m| m.count).await.unwrap(), 2);
            assert!(notes.get(&1).await.unwrap().is_some());
            crate::common::spoil(&notes, &2).await;
            let error = notes.set(&2, |m| m.count.add(2)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Server(ServerCode::WrongType));
        })
        .await;
    }

    async fn create_only_and_update_only_in_one_pipeline() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(2, "old")).await.unwrap();
            let all = [note(1, "new"), note(2, "new"), note(3, "new")];
            let created = notes.save_all(&all).insert().ttl(MINUTE).report().await.unwrap();
            assert_eq!((created.done, created.failed), (2, 1));
            let failure = &created.failures[0];
            assert_eq!((failure.id, failure.error.kind()), (2, ErrorKind::Exists));
            assert_eq!(notes.get(&2).await.unwrap(), Some(note(2, "old")));
            // Each got its time to live with the write, and the one that is left alone got none.
            for (id, ends) in [(1, true), (2, false), (3, true)] {
                let left = notes.ttl(&id).await.unwrap();
                assert_eq!(left.is_some(), ends, "{id}");
                assert!(left.is_none_or(|left| left > MINUTE / 2 && left <= MINUTE));
            }

            let all = [note(3, "again"), note(4, "again"), note(3, "twice")];
            let replaced = notes.save_all(&all).replace().report().await.unwrap();
            assert_eq!((replaced.done, replaced.failed), (2, 1));
            assert_eq!(replaced.failures[0].error.kind(), ErrorKind::NotFound);
            // The later one of two stays; the time to live stays what it was.
            assert_eq!(notes.get(&3).await.unwrap(), Some(note(3, "twice")));
            assert!(notes.ttl(&3).await.unwrap().is_some());
            assert!(!notes.exists(&4).await.unwrap());
        })
        .await;
    }

    async fn what_is_in_one_list_for_deletion_twice_is_deleted_once() {
        everywhere(async |notes: Repository<Note>| {
            notes.save_all((1..=5).map(|id| note(id, "x"))).await.unwrap();
            let report = notes.delete_many([1, 2, 2, 9, 1]).report().await.unwrap();
            assert_eq!((report.done, report.absent, report.failed), (2, 3, 0));
            for id in [1, 2, 9] {
                assert_eq!(notes.get(&id).await.unwrap(), None);
                let missing = notes.update(&id, |note| note.count += 1).await.unwrap_err();
                assert_eq!(missing.kind(), ErrorKind::NotFound);
            }
            assert_eq!(notes.get_many(&[3, 4, 5]).await.unwrap().iter().flatten().count(), 3);
        })
        .await;
    }
}
