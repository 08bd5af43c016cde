//! Many documents at once.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;

use alizarin::prelude::*;
use alizarin::{Command, Value};
use alizarin_testkit::Server;
use futures_core::Stream;

use crate::common::{everywhere, on, spoil};

/// With a field that may be absent, and no more.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "label")]
struct Label {
    #[redis(id)]
    id: u32,
    text: Option<String>,
}

#[tokio::test]
async fn the_last_save_stays_also_when_the_server_knows_no_script() {
    let server = Server::builder().private().start().unwrap();
    for protocol in [2, 3] {
        let labels: Repository<Label> = on(&server, protocol).await;
        server.command(&["SCRIPT", "FLUSH"]).unwrap();
        // The first is a script, which removes the field; the second is plain and needs none.
        let full = Label { id: 1, text: Some("full".into()) };
        labels.save_all(&[Label { id: 1, text: None }, full.clone()]).await.unwrap();
        assert_eq!(labels.get(&1).await.unwrap(), Some(full));
    }
}

crate::each_storage! {
    async fn many_are_saved_and_read() {
        everywhere(async |notes: Repository<Note>| {
            let all: Vec<Note> = (0..1_234)
                .map(|id| Note { label: (id % 2 == 0).then(|| id.to_string()), ..note(id, "x") })
                .collect();
            let mut told = Vec::new();
            let saved = notes.save_all(&all).batch(500).on_progress(|done| told.push(done)).await;
            assert_eq!(saved.unwrap(), 1_234);
            assert_eq!(told, [500, 1_000, 1_234]);
            let ids: Vec<u32> = (0..1_300).rev().collect();
            let read = notes.get_many(&ids).await.unwrap();
            assert_eq!(read.len(), 1_300);
            for (id, note) in ids.iter().zip(read) {
                assert_eq!(note.as_ref(), all.get(*id as usize));
            }
        })
        .await;
    }

    async fn none_are_no_trouble() {
        everywhere(async |notes: Repository<Note>| {
            assert_eq!(notes.save_all(&[]).await.unwrap(), 0);
            assert_eq!(notes.get_many(&[]).await.unwrap(), []);
            assert!(notes.scan().next().await.is_none());
        })
        .await;
    }

    async fn the_same_id_twice_is_read_twice_and_the_last_save_stays() {
        everywhere(async |drafts: Repository<Draft>| {
            let twice = [draft(1, "a"), draft(1, "b")];
            assert_eq!(drafts.save_all(&twice).await.unwrap(), 2);
            let read = drafts.get_many(&[1, 2, 1]).await.unwrap();
            let last = Some(Draft { version: 2, ..draft(1, "b") });
            assert_eq!(read, [last.clone(), None, last]);
        })
        .await;
    }

    async fn what_is_deleted_is_not_found() {
        everywhere(async |notes: Repository<Note>| {
            notes.save_all(&[note(1, "a"), note(2, "b"), note(3, "c")]).await.unwrap();
            for id in [1, 3, 4] {
                assert_eq!(notes.delete(&id).await.unwrap(), id != 4);
            }
            let read = notes.get_many(&[1, 2, 3]).await.unwrap();
            assert_eq!(read, [None, Some(note(2, "b")), None]);
        })
        .await;
    }

    async fn a_failure_names_its_document() {
        everywhere(async |coins: Repository<Coin>| {
            let good = |id| Coin { id, kind: "gold".into(), ..Coin::default() };
            let bad = Coin { kind: " padded ".into(), ..good(2) };
            let error = coins.save_all(&[good(1), bad, good(3)]).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("kind")));
            assert!(error.message().contains(&coins.key(&2)), "{error}");
            assert!(!coins.exists(&3).await.unwrap());

            spoil(&coins, &7).await;
            let error = coins.save_all(&[good(6), good(7), good(8)]).await.unwrap_err();
            assert!(error.message().contains(&coins.key(&7)), "{error}");
            assert!(coins.exists(&6).await.unwrap());
            let error = coins.get_many(&[6, 7]).await.unwrap_err();
            assert!(error.message().contains(&coins.key(&7)), "{error}");
        })
        .await;
    }

    async fn a_scan_gives_every_document_and_nothing_else() {
        everywhere(async |notes: Repository<Note>| {
            let all: Vec<Note> = (0..1_200).map(|id| note(id, &id.to_string())).collect();
            notes.save_all(&all).await.unwrap();
            spoil(&notes, &5_000).await;
            let other = notes.with_namespace(format!("{}*", notes.namespace()));
            other.save(&note(7_000, "not in this namespace")).await.unwrap();
            let drafts: Repository<Draft> =
                notes.client().repository().with_namespace(notes.namespace());
            drafts.save(&draft(9_000, "another model")).await.unwrap();
            // Keys that begin alike, whose rest is no id or is not how the id writes itself.
            for rest in ["abc", "", "007", "+7", "7 ", "7:1"] {
                let stray = format!("{}note:{rest}", notes.namespace());
                let (name, arguments) = match STORAGE {
                    "hash" => ("HSET", ["id", "1"]),
                    _ => ("JSON.SET", ["$", "{\"id\":1}"]),
                };
                let _: Value =
                    notes.client().command(name).arg(&stray).arg(arguments).await.unwrap();
            }

            // As a stream, which is what `poll_next` makes it.
            let mut scan = notes.scan();
            let mut found = BTreeSet::new();
            while let Some(note) = poll_fn(|cx| Pin::new(&mut scan).poll_next(cx)).await {
                let note = note.unwrap();
                assert_eq!(note.text, note.id.to_string());
                found.insert(note.id);
            }
            assert_eq!(found, (0..1_200).collect());
            let mut ids = notes.scan_ids();
            let mut found = BTreeSet::new();
            while let Some(id) = ids.next().await {
                found.insert(id.unwrap());
            }
            assert_eq!(found, (0..1_200).collect());
            let mut scan = other.scan();
            assert_eq!(scan.next().await.unwrap().unwrap().id, 7_000);
            assert!(scan.next().await.is_none());
        })
        .await;
    }

    async fn documents_that_end_during_a_scan_are_left_out() {
        everywhere(async |notes: Repository<Note>| {
            let all: Vec<Note> = (0..1_500).map(|id| note(id, "x")).collect();
            notes.save_all(&all).await.unwrap();
            let mut scan = notes.scan();
            let first = scan.next().await.unwrap().unwrap();
            for id in (0..1_500).filter(|id| id % 3 == 0) {
                notes.client().fire(Command::<u64>::new("DEL").key(notes.key(&id)));
            }
            assert!(!notes.delete(&2_000).await.unwrap());
            let mut found = BTreeSet::from([first.id]);
            while let Some(note) = scan.next().await {
                found.insert(note.unwrap().id);
            }
            for id in (0..1_500).filter(|id| id % 3 != 0) {
                assert!(found.contains(&id), "{id}");
            }
        })
        .await;
    }
}
