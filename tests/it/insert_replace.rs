//! Writes that ask first whether the document is there.

use std::time::Duration;

use alizarin::prelude::*;

use crate::common::{everywhere, spoil};

const MINUTE: Duration = Duration::from_secs(60);

crate::each_storage! {
    async fn an_insert_never_overwrites() {
        everywhere(async |notes: Repository<Note>| {
            notes.insert(&note(1, "first")).await.unwrap();
            let error = notes.insert(&note(1, "second")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Exists);
            assert!(error.message().contains(&notes.key(&1)), "{error}");
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "first")));
        })
        .await;
    }

    async fn a_replace_never_creates() {
        everywhere(async |notes: Repository<Note>| {
            let error = notes.replace(&note(1, "x")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(!notes.exists(&1).await.unwrap());
            notes.insert(&Note { label: Some("gone soon".into()), ..note(1, "x") }).await.unwrap();
            notes.replace(&note(1, "y")).await.unwrap();
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "y")));
        })
        .await;
    }

    async fn the_time_to_live_is_set_with_the_write_or_not_at_all() {
        everywhere(async |notes: Repository<Note>| {
            notes.insert(&note(1, "x")).ttl(MINUTE).await.unwrap();
            let left = notes.ttl(&1).await.unwrap().unwrap();
            assert!(left <= MINUTE && left > MINUTE / 2, "{left:?}");
            notes.insert(&note(1, "y")).ttl(MINUTE * 60).await.unwrap_err();
            assert!(notes.ttl(&1).await.unwrap().unwrap() <= MINUTE);
            notes.replace(&note(2, "z")).ttl(MINUTE).await.unwrap_err();
            assert!(!notes.exists(&2).await.unwrap());
        })
        .await;
    }

    async fn of_fifty_inserts_at_once_one_wins() {
        everywhere(async |notes: Repository<Note>| {
            let tasks: Vec<_> = (0..50)
                .map(|number| {
                    let notes = notes.clone();
                    tokio::spawn(async move {
                        notes.insert(&note(1, &number.to_string())).await.map(|_| number)
                    })
                })
                .collect();
            let mut winner = None;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(number) => assert_eq!(winner.replace(number), None, "two inserts won"),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Exists),
                }
            }
            let stored = notes.get(&1).await.unwrap().unwrap();
            assert_eq!(stored.text, winner.unwrap().to_string());
        })
        .await;
    }

    async fn a_key_of_another_type_is_in_the_way() {
        everywhere(async |notes: Repository<Note>| {
            spoil(&notes, &1).await;
            notes.insert(&note(1, "x")).await.unwrap_err();
            notes.replace(&note(1, "x")).await.unwrap_err();
            notes.save(&note(1, "x")).ttl(MINUTE).await.unwrap_err();
            let kind: String = notes.client().command("TYPE").key(notes.key(&1)).await.unwrap();
            assert_eq!(kind, "list");
            assert_eq!(notes.ttl(&1).await.unwrap(), None);
        })
        .await;
    }
}
