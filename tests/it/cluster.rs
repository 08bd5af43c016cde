//! What repositories do on a cluster, and what they cannot.

use alizarin::Sent;
use alizarin::prelude::*;

use crate::common::{on_cluster, soon};

crate::each_storage! {
    async fn searches_say_that_the_module_has_no_coordinator() {
        let coins: Repository<Coin> = on_cluster().await;
        let coin = Coin { id: 1, kind: "a".into(), weight: 1.0, parts: vec!["b".into()] };
        // Documents need no index.
        coins.save(&coin).await.unwrap();
        assert_eq!(coins.get(&1).await.unwrap(), Some(coin));
        let unsupported = |error: Error| {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(error.to_string().contains("coordinator"), "{error}");
        };
        unsupported(coins.index().sync().await.unwrap_err());
        unsupported(coins.find(|m| m.kind.eq("a")).all().await.unwrap_err());
        unsupported(coins.find(|m| m.weight.gt(0.0)).count().await.unwrap_err());
    }

    async fn many_documents_over_all_nodes() {
        let notes: Repository<Note> = on_cluster().await;
        let all: Vec<Note> = (0..1_000).map(|id| note(id, &id.to_string())).collect();
        notes.save_all(&all).await.unwrap();
        let ids: Vec<u32> = (0..1_000).collect();
        let read = notes.get_many(&ids).await.unwrap();
        assert_eq!(read.into_iter().flatten().collect::<Vec<_>>(), all);
        let (mut scan, mut found) = (notes.scan_ids(), std::collections::BTreeSet::new());
        while let Some(id) = soon("the scan goes on", scan.next()).await.transpose().unwrap() {
            found.insert(id);
        }
        assert_eq!(found.len(), 1_000);
    }

    async fn fifty_writers_of_one_document_lose_nothing() {
        let drafts: Repository<Draft> = on_cluster().await;
        drafts.save(&draft(1, "x")).await.unwrap();
        let writers = (0..50).map(|_| {
            let drafts = drafts.clone();
            tokio::spawn(async move {
                for _ in 0..4 {
                    drafts.update(&1, |draft| draft.count += 1).attempts(10_000).await.unwrap();
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let end = drafts.get(&1).await.unwrap().unwrap();
        assert_eq!((end.count, end.version), (200, 201));
    }

    async fn keys_whose_braces_lead_elsewhere() {
        let alerts: Repository<Alert> = on_cluster().await;
        let change = async |alert: &mut Alert| { alert.text.push('y'); Ok(()) };
        for id in ["plain", "{tag}x", "a{b}c", "a{b"].map(str::to_owned) {
            alerts.save(&alert(&id, "x")).await.unwrap();
            alerts.locked(&id, change).await.unwrap();
            assert_eq!(alerts.get(&id).await.unwrap().unwrap().text, "xy");
        }
        for id in ["{}", "a}b"].map(str::to_owned) {
            alerts.save(&alert(&id, "x")).await.unwrap();
            let error = alerts.locked(&id, change).await.unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Value, Sent::No));
            assert!(error.message().contains("hash tag"), "{error}");
            assert_eq!(alerts.get(&id).await.unwrap().unwrap().text, "x");
        }
    }
}

#[test]
fn blocking_repositories_on_a_cluster() {
    use crate::common::json::{Note, note};
    use alizarin::blocking::{Client, Run as _};

    let url = alizarin_testkit::Cluster::shared().unwrap().url();
    let client = Client::connect(url.as_str()).unwrap();
    let namespace = format!("{}:", alizarin_testkit::unique("it"));
    let notes: Repository<Note> = client.repository().with_namespace(namespace);
    let all: Vec<Note> = (0..100).map(|id| note(id, "x")).collect();
    notes.save_all(&all).run().unwrap();
    notes.update(&7, |note| note.count += 1).run().unwrap();
    assert_eq!(notes.get(&7).run().unwrap().unwrap().count, 1);
    assert!(notes.delete(&7).run().unwrap());
}
