//! Saving, reading and deleting one document.

use alizarin::prelude::*;
use alizarin::{Sent, ServerCode, Value};

use crate::common::{everywhere, spoil};

crate::each_storage! {
    async fn a_saved_document_is_read_back() {
        everywhere(async |notes: Repository<Note>| {
            assert_eq!(notes.get(&1).await.unwrap(), None);
            assert!(!notes.exists(&1).await.unwrap());
            let full = Note {
                count: u64::MAX,
                label: Some("None".into()),
                place: Place { city: "Łódź".into(), zip: Some(90_001) },
                second: Some(Place::default()),
                ..note(1, "first")
            };
            assert_eq!(notes.save(&full).await.unwrap().version, None);
            assert_eq!(notes.get(&1).await.unwrap(), Some(full));
            assert!(notes.exists(&1).await.unwrap());
        })
        .await;
    }

    async fn a_save_removes_what_the_document_no_longer_has() {
        everywhere(async |notes: Repository<Note>| {
            let full = Note {
                label: Some("new".into()),
                place: Place { city: "Graz".into(), zip: Some(8010) },
                second: Some(Place { city: "Linz".into(), zip: Some(4020) }),
                ..note(1, "x")
            };
            notes.save(&full).await.unwrap();
            notes.save(&note(1, "y")).await.unwrap();
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "y")));
            let without = Note { second: Some(Place { zip: None, ..Place::default() }), ..full.clone() };
            notes.save(&full).await.unwrap();
            notes.save(&without).await.unwrap();
            assert_eq!(notes.get(&1).await.unwrap(), Some(without));
        })
        .await;
    }

    async fn nothing_and_the_word_for_it_are_told_apart() {
        everywhere(async |notes: Repository<Note>| {
            let labels = [None, Some(""), Some("None"), Some("null"), Some("nil")];
            for (id, label) in (0..).zip(labels) {
                let note = Note { label: label.map(str::to_owned), ..note(id, "") };
                notes.save(&note).await.unwrap();
                assert_eq!(notes.get(&id).await.unwrap(), Some(note), "{label:?}");
            }
        })
        .await;
    }

    async fn the_first_delete_says_yes_the_second_no() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "x")).await.unwrap();
            assert!(notes.delete(&1).await.unwrap());
            assert!(!notes.delete(&1).await.unwrap());
            assert_eq!(notes.get(&1).await.unwrap(), None);
        })
        .await;
    }

    async fn ids_that_look_like_nothing_are_ids() {
        everywhere(async |notes: Repository<Note>| {
            for id in [0, 1, u32::MAX] {
                notes.save(&note(id, &id.to_string())).await.unwrap();
            }
            for id in [0, 1, u32::MAX] {
                assert_eq!(notes.get(&id).await.unwrap(), Some(note(id, &id.to_string())));
            }
        })
        .await;
        everywhere(async |alerts: Repository<Alert>| {
            for id in ["0", "false", "ca:on:toronto", "{tag}:x", " ", "line\nline", "*"] {
                alerts.save(&alert(id, id)).await.unwrap();
                let key = alerts.key(&id.to_owned());
                assert_eq!(key, format!("{}alert:{id}", alerts.namespace()));
                let read = alerts.get(&id.to_owned()).await.unwrap().unwrap();
                assert_eq!((read.id.as_str(), read.text.as_str()), (id, id));
            }
            let error = alerts.save(&alert("", "x")).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("id")));
        })
        .await;
    }

    async fn versions_count_up_whatever_the_document_says() {
        everywhere(async |drafts: Repository<Draft>| {
            assert_eq!(drafts.save(&draft(1, "a")).await.unwrap().version, Some(1));
            let stale = Draft { version: 77, ..draft(1, "b") };
            assert_eq!(drafts.save(&stale).await.unwrap().version, Some(2));
            assert_eq!(drafts.get(&1).await.unwrap(), Some(Draft { version: 2, ..stale }));
        })
        .await;
    }

    async fn a_version_can_be_demanded() {
        everywhere(async |drafts: Repository<Draft>| {
            let error = drafts.save(&draft(1, "a")).if_version(1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert_eq!(drafts.insert(&draft(1, "a")).await.unwrap().version, Some(1));
            assert_eq!(drafts.insert(&draft(1, "b")).await.unwrap_err().kind(), ErrorKind::Exists);
            assert_eq!(drafts.save(&draft(1, "c")).if_version(1).await.unwrap().version, Some(2));
            let error = drafts.save(&draft(1, "d")).if_version(1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(error.message().contains(&drafts.key(&1)), "{error}");
            assert!(error.message().contains("version 2"), "{error}");
            assert_eq!(drafts.get(&1).await.unwrap().unwrap().text, "c");
            let error = drafts.delete(&1).if_version(1).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            assert!(drafts.delete(&1).if_version(2).await.unwrap());
            let error = drafts.delete(&1).if_version(2).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        })
        .await;
    }

    async fn a_version_where_there_is_none_is_refused_before_anything_is_sent() {
        everywhere(async |notes: Repository<Note>| {
            let error = notes.save(&note(1, "x")).if_version(1).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Usage, Sent::No));
            assert_eq!(notes.delete(&1).if_version(1).await.unwrap_err().kind(), ErrorKind::Usage);
            assert!(!notes.exists(&1).await.unwrap());
        })
        .await;
    }

    async fn versions_beyond_a_double_stay_exact() {
        everywhere(async |drafts: Repository<Draft>| {
            for stored in [9, 99, (1u64 << 53), 999_999_999_999_999_999] {
                drafts.save(&draft(1, "x")).await.unwrap();
                let (key, digits) = (drafts.key(&1), stored.to_string());
                let (name, field) = match STORAGE {
                    "hash" => ("HSET", "version"),
                    _ => ("JSON.SET", "$.version"),
                };
                let _: Value = drafts.client().command(name).arg((key, field, digits)).await.unwrap();
                let written = drafts.save(&draft(1, "y")).if_version(stored).await.unwrap();
                assert_eq!(written.version, Some(stored + 1));
                assert_eq!(drafts.get(&1).await.unwrap().unwrap().version, stored + 1);
            }
        })
        .await;
    }

    async fn a_key_of_another_type_is_left_alone() {
        everywhere(async |drafts: Repository<Draft>| {
            spoil(&drafts, &1).await;
            let kind = ErrorKind::Server(ServerCode::WrongType);
            assert_eq!(drafts.get(&1).await.unwrap_err().kind(), kind);
            for error in [
                drafts.save(&draft(1, "x")).await.unwrap_err(),
                drafts.replace(&draft(1, "x")).await.unwrap_err(),
                drafts.update(&1, |draft| draft.count += 1).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), kind);
                assert!(error.message().contains(&drafts.key(&1)), "{error}");
            }
            let length: u64 = drafts.client().command("LLEN").key(drafts.key(&1)).await.unwrap();
            assert_eq!(length, 1);
        })
        .await;
    }

    async fn a_lazy_write_does_nothing_until_it_is_awaited() {
        everywhere(async |notes: Repository<Note>| {
            let one = note(1, "x");
            let save = notes.save(&one);
            assert!(format!("{save:?}").contains("note:1"));
            drop(save);
            assert!(!notes.exists(&1).await.unwrap());
        })
        .await;
    }

    async fn two_namespaces_do_not_see_each_other() {
        everywhere(async |notes: Repository<Note>| {
            let other = notes.with_namespace(format!("{}x:", notes.namespace()));
            notes.save(&note(1, "here")).await.unwrap();
            other.save(&note(1, "there")).await.unwrap();
            assert_eq!(notes.get(&1).await.unwrap().unwrap().text, "here");
            assert!(other.delete(&1).await.unwrap());
            assert!(notes.exists(&1).await.unwrap());
        })
        .await;
    }
}
