//! Many documents at once.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::Pin;

use alizarin::blocking::Run as _;
use alizarin::prelude::*;
use alizarin::query::everything;
use alizarin::repository::Item;
use alizarin::{Command, ServerCode, Value};
use alizarin_testkit::{Proxy, Server};
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
            let error = coins.save_all(&[good(1), bad.clone(), good(3)]).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("kind")));
            assert!(error.message().contains(&coins.key(&2)), "{error}");
            // The others are written nevertheless, unless it is to stop there.
            assert!(coins.exists(&1).await.unwrap() && coins.exists(&3).await.unwrap());
            let all = [good(11), Coin { id: 12, ..bad }, good(13)];
            let stopped = coins.save_all(&all).batch(1).stop_at_failure().report().await.unwrap();
            assert_eq!((stopped.done, stopped.failed, stopped.finished), (1, 1, false));
            assert!(!coins.exists(&13).await.unwrap());

            spoil(&coins, &7).await;
            let error = coins.save_all(&[good(6), good(7), good(8)]).await.unwrap_err();
            assert!(error.message().contains(&coins.key(&7)), "{error}");
            assert!(coins.exists(&6).await.unwrap() && coins.exists(&8).await.unwrap());
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

    async fn many_are_deleted_and_each_outcome_is_told() {
        everywhere(async |alerts: Repository<Alert>| {
            let all: Vec<Alert> = (0..700).map(|id| alert(&id.to_string(), "x")).collect();
            alerts.save_all(&all).await.unwrap();
            let ids = (0..800).map(|id| id.to_string());
            let (mut told, mut steps) = (Vec::new(), Vec::new());
            let delete = alerts.delete_many(ids).batch(300);
            let delete = delete.on_progress(|seen| steps.push(seen));
            let delete = delete.on_each(|id, item| told.push((id.clone(), matches!(item, Item::Done))));
            let report = delete.report().await.unwrap();
            assert_eq!((report.done, report.absent, report.failed), (700, 100, 0));
            assert!(report.finished);
            assert_eq!(steps, [300, 600, 800]);
            let expected: Vec<_> = (0..800).map(|id| (id.to_string(), id < 700)).collect();
            assert_eq!(told, expected);
            assert!(alerts.scan().next().await.is_none());
        })
        .await;
    }

    async fn many_are_changed_and_the_absent_are_told() {
        everywhere(async |alerts: Repository<Alert>| {
            let all: Vec<Alert> = (0..700).map(|id| alert(&id.to_string(), "x")).collect();
            alerts.save_all(&all).await.unwrap();
            spoil(&alerts, &"700".to_owned()).await;
            let ids: Vec<String> = (0..=800).map(|id| id.to_string()).collect();
            let set = alerts.set_many(&ids, |a| (a.text.to("y"), a.label.to("new"))).batch(300);
            let report = set.report().await.unwrap();
            assert_eq!((report.done, report.absent, report.failed), (700, 100, 1));
            assert_eq!(report.failures[0].id, "700");
            let read = alerts.get_many(&ids[..700]).await.unwrap();
            for alert in read.into_iter().map(Option::unwrap) {
                assert_eq!((alert.text.as_str(), alert.version), ("y", 2));
                assert_eq!(alert.label.as_deref(), Some("new"));
            }
            let wrong = alerts.set_many(&ids, |a| a.version.to(7)).await.unwrap_err();
            assert_eq!((wrong.kind(), wrong.field()), (ErrorKind::Usage, Some("version")));
        })
        .await;
    }

    async fn only_so_many_failures_are_kept_and_all_are_counted() {
        everywhere(async |drafts: Repository<Draft>| {
            for id in 0..5 {
                spoil(&drafts, &id).await;
            }
            let all: Vec<Draft> = (0..8).map(|id| draft(id, "x")).collect();
            let report = drafts.save_all(&all).keep_failures(2).report().await.unwrap();
            assert_eq!((report.done, report.failed, report.failures.len()), (3, 5, 2));
            assert_eq!(report.failures[1].id, 1);
            let kind = report.failures[1].error.kind();
            assert_eq!(kind, ErrorKind::Server(ServerCode::WrongType));
            let error = drafts.save_all(&all).await.unwrap_err();
            assert!(error.message().starts_with("and 4 more failed: "), "{error}");
        })
        .await;
    }

    async fn what_a_query_finds_is_deleted_once() {
        everywhere(async |coins: Repository<Coin>| {
            coins.index().sync().await.unwrap();
            let coin = |id: u32| Coin {
                id,
                kind: if id.is_multiple_of(3) { "gold" } else { "iron" }.into(),
                ..Coin::default()
            };
            coins.save_all((0..1_500).map(coin)).await.unwrap();
            coins.index().wait().await.unwrap();

            let error = coins.delete_where(|_| everything()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains("every document of Coin"), "{error}");
            let always = |c: CoinFields| c.kind.eq("gold") | everything();
            assert!(coins.delete_where(always).await.is_err());
            assert_eq!(coins.delete_where(|c| c.kind.is_in(Vec::<String>::new())).await.unwrap(), 0);

            assert_eq!(coins.delete_where(|c| c.kind.eq("gold")).dry_run().await.unwrap(), 500);
            assert_eq!(coins.find(|_| everything()).count().await.unwrap(), 1_500);

            // One that is gone before its turn comes counts as absent; the rest is deleted.
            let mut ids = BTreeSet::new();
            let delete = coins.delete_where(|c| c.kind.eq("gold")).batch(100);
            let delete = delete.on_each(|id, item| {
                assert!(matches!(item, Item::Done) && ids.insert(*id), "{id} came twice");
            });
            assert_eq!(delete.await.unwrap(), 500);
            assert_eq!(ids.len(), 500);
            assert_eq!(coins.find(|_| everything()).count().await.unwrap(), 1_000);
            let error = coins.set_where(|_| everything(), |c| c.weight.to(2.0)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            let heavier = |c: CoinFields| c.weight.add(2.0);
            let dry = coins.set_where(|c| c.kind.eq("iron"), heavier).dry_run();
            assert_eq!(dry.await.unwrap(), 1_000);
            // Each once, though all still match after the change; and on from where it broke off.
            let (mut last, mut seen) = (None, 0);
            let set = coins.set_where(|c| c.kind.eq("iron"), heavier).batch(100);
            let set = set.on_each(|id, item| {
                assert!(matches!(item, Item::Done), "{id}");
                (last, seen) = (Some(*id), seen + 1);
            });
            assert_eq!(set.await.unwrap(), 1_000);
            assert_eq!(seen, 1_000);
            let last = last.unwrap();
            let rest = coins.set_where(|c| c.kind.eq("iron"), heavier).after(&last);
            assert_eq!(rest.await.unwrap(), 0);
            let ids: Vec<u32> = (0..1_500).filter(|id| id % 3 != 0).collect();
            for coin in coins.get_many(&ids).await.unwrap() {
                assert_eq!(coin.unwrap().weight, 2.0);
            }
            let all = coins.delete_where(|_| everything()).everything();
            assert_eq!(all.await.unwrap(), 1_000);
            assert!(coins.scan().next().await.is_none());
        })
        .await;
    }
}

#[test]
fn bulk_work_needs_no_runtime() {
    let server = Server::shared().unwrap();
    let client = alizarin::blocking::Client::connect(server.url().as_str()).unwrap();
    let labels = client.repository::<Label>().with_namespace(crate::common::namespace(server));
    let label = |id| Label { id, text: (id % 2 == 0).then(|| "x".into()) };
    assert_eq!(labels.save_all((0..700).map(label)).run().unwrap(), 700);
    let report = labels.delete_many(0..800).report().run().unwrap();
    assert_eq!((report.done, report.absent), (700, 100));
}

#[tokio::test]
async fn a_lost_pipeline_fails_its_documents_and_the_next_goes_on() {
    let server = Server::builder().private().start().unwrap();
    let proxy = Proxy::before(&server).unwrap();
    let client = Client::connect(proxy.url().as_str()).await.unwrap();
    let labels = client.repository::<Label>().with_namespace(server.namespace());
    let label = |id| Label { id, text: Some("x".into()) };
    let mut pages = 0;
    let save = labels.save_all((0..40).map(label)).batch(10).on_progress(|_| {
        pages += 1;
        if pages == 1 {
            proxy.reset();
        }
    });
    let report = save.report().await.unwrap();
    assert!(report.done >= 30 && report.done + report.failed == 40, "{report:?}");
    assert!(report.finished);
    proxy.refuse();
    proxy.reset();
    let error = labels.save_all((0..400).map(label)).batch(10).report().await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Disconnected), "{error:?}");
}
