//! Optimistic changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use alizarin::prelude::*;
use alizarin_testkit::Server;
use tokio::sync::Barrier;

use crate::common::{everywhere, on, somebody};

/// How many write at the same time.
const WRITERS: u64 = 50;

crate::each_storage! {
    async fn an_update_gives_what_it_wrote() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let written = drafts.update(&1, |draft| draft.text.push('b')).await.unwrap();
            assert_eq!(written, Draft { version: 2, ..draft(1, "ab") });
            assert_eq!(drafts.get(&1).await.unwrap(), Some(written));
        })
        .await;
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let written = notes
                .update(&1, |note| {
                    note.label = Some("b".into());
                    note.second = Some(Place { city: "Rome".into(), zip: Some(184) });
                })
                .await
                .unwrap();
            assert_eq!(notes.get(&1).await.unwrap(), Some(written));
            let written = notes.update(&1, |note| (note.label, note.second) = (None, None)).await;
            assert_eq!(written.unwrap(), note(1, "a"));
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
        })
        .await;
    }

    async fn an_update_of_nothing_is_an_error() {
        everywhere(async |drafts: Repository<Draft>| {
            let error = drafts.update(&1, |draft| draft.count += 1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(!drafts.exists(&1).await.unwrap());
        })
        .await;
    }

    async fn the_closure_s_error_ends_it_and_nothing_is_written() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let error = drafts
                .update(&1, |draft| {
                    draft.text.clear();
                    Err(Error::new(ErrorKind::Value, "not on a Sunday"))
                })
                .await
                .unwrap_err();
            assert_eq!(error.message(), "not on a Sunday");
            assert_eq!(drafts.get(&1).await.unwrap().unwrap().text, "a");
        })
        .await;
    }

    async fn the_id_stays() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let error = drafts.update(&1, |draft| draft.id = 2).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("id")));
            assert!(!drafts.exists(&2).await.unwrap());
        })
        .await;
    }

    async fn fifty_writers_lose_nothing() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let gate = Arc::new(Barrier::new(WRITERS as usize));
            let tasks: Vec<_> = (1..=WRITERS)
                .map(|number| {
                    let (drafts, gate) = (drafts.clone(), gate.clone());
                    tokio::spawn(async move {
                        gate.wait().await;
                        let change = |draft: &mut Draft| draft.count += number;
                        drafts.update(&1, change).attempts(10_000).await.unwrap().version
                    })
                })
                .collect();
            let mut versions = Vec::new();
            for task in tasks {
                versions.push(task.await.unwrap());
            }
            versions.sort_unstable();
            assert_eq!(versions, (2..=WRITERS + 1).collect::<Vec<_>>(), "one winner a version");
            let stored = drafts.get(&1).await.unwrap().unwrap();
            assert_eq!(stored.count, WRITERS * (WRITERS + 1) / 2);
            assert_eq!(stored.version, WRITERS + 1);
        })
        .await;
    }

    async fn fifty_writers_lose_nothing_without_versions() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let gate = Arc::new(Barrier::new(WRITERS as usize));
            let tasks: Vec<_> = (1..=WRITERS)
                .map(|number| {
                    let (notes, gate) = (notes.clone(), gate.clone());
                    tokio::spawn(async move {
                        gate.wait().await;
                        let change = |note: &mut Note| note.count += number;
                        notes.update(&1, change).attempts(10_000).await.unwrap();
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            let stored = notes.get(&1).await.unwrap().unwrap();
            assert_eq!(stored.count, WRITERS * (WRITERS + 1) / 2);
        })
        .await;
    }

    async fn writers_on_connections_of_their_own_lose_nothing() {
        let server = Server::shared().unwrap();
        let first: Repository<Note> = on(server, 3).await;
        first.save(&note(1, "a")).await.unwrap();
        let mut tasks = Vec::new();
        for number in 1..=10u64 {
            let protocol = if number % 2 == 0 { 2 } else { 3 };
            let notes: Repository<Note> = on(server, protocol).await;
            let notes = notes.with_namespace(first.namespace());
            tasks.push(tokio::spawn(async move {
                for _ in 0..20 {
                    let change = |note: &mut Note| note.count += number;
                    notes.update(&1, change).attempts(10_000).await.unwrap();
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(first.get(&1).await.unwrap().unwrap().count, 20 * 55);
    }

    async fn the_attempts_have_an_end() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let key = drafts.key(&1);
            let calls = AtomicU32::new(0);
            let change = |draft: &mut Draft| {
                // Somebody else is faster, each time.
                let at = calls.fetch_add(1, Ordering::Relaxed).to_string();
                let faster = 100 + calls.load(Ordering::Relaxed);
                let (name, path) = match STORAGE {
                    "hash" => ("HSET", "version"),
                    _ => ("JSON.SET", "$.version"),
                };
                somebody(&[name, &key, path, &faster.to_string()]);
                draft.text = at;
            };
            let error = drafts.update(&1, change).attempts(3).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(error.message().contains(&key), "{error}");
            assert_eq!(calls.load(Ordering::Relaxed), 3);
            assert_eq!(drafts.get(&1).await.unwrap().unwrap().text, "a");
        })
        .await;
    }

    async fn a_change_of_any_field_is_noticed_without_versions() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let key = notes.key(&1);
            let mut calls = 0;
            let written = notes
                .update(&1, |note| {
                    calls += 1;
                    if calls == 1 {
                        let words: [&str; 4] = match STORAGE {
                            "hash" => ["HSET", &key, "place.city", "Bern"],
                            _ => ["JSON.SET", &key, "$.place.city", "\"Bern\""],
                        };
                        somebody(&words);
                    }
                    note.count += 1;
                })
                .await
                .unwrap();
            assert_eq!(calls, 2);
            assert_eq!((written.count, written.place.city.as_str()), (1, "Bern"));
            assert_eq!(notes.get(&1).await.unwrap(), Some(written));
        })
        .await;
    }

    async fn a_document_deleted_meanwhile_stays_deleted() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let key = notes.key(&1);
            let delete = |note: &mut Note| {
                somebody(&["DEL", &key]);
                note.count += 1;
            };
            let error = notes.update(&1, delete).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(!notes.exists(&1).await.unwrap());
        })
        .await;
    }

    async fn a_document_from_before_versions_gets_one() {
        everywhere(async |drafts: Repository<Draft>| {
            let key = drafts.key(&1);
            match STORAGE {
                "hash" => somebody(&[
                    "HSET", &key, "id", "1", "text", "old", "count", "4", "version", "0",
                ]),
                _ => somebody(&[
                    "JSON.SET", &key, "$", r#"{"id":1,"text":"old","count":4,"version":0}"#,
                ]),
            };
            let written = drafts.update(&1, |draft| draft.count += 1).await.unwrap();
            assert_eq!((written.count, written.version), (5, 1));
            assert_eq!(drafts.get(&1).await.unwrap(), Some(written));
        })
        .await;
    }
}
