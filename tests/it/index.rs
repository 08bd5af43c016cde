//! The life of an index on a real server.

use alizarin::index::{Drift, Synced};
use alizarin::prelude::*;

crate::in_both_storages! {
    async fn sync_creates_once_and_extends() {
        with(&[], async |films| {
            let index = films.index();
            assert_eq!(index.sync().await.unwrap(), Synced::Unchanged);
            assert_eq!(index.drift().await.unwrap(), []);
            assert_eq!(index.create().await.unwrap_err().kind(), ErrorKind::Exists);
            index.check().await.unwrap();

            films.save(&Film { id: 1, votes: 3, ..Film::default() }).await.unwrap();
            index.drop().await.unwrap();
            assert!(!index.exists().await.unwrap());
            assert_eq!(index.drop().await.unwrap_err().kind(), ErrorKind::Index);
            let error = films.find(|m| m.votes.eq(3)).all().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.message().contains("sync()"), "{error}");

            assert_eq!(index.sync().await.unwrap(), Synced::Created);
            index.wait().await.unwrap();
            assert_eq!(films.find(|m| m.votes.eq(3)).count().await.unwrap(), 1);
            assert_eq!(index.info().await.unwrap().num_docs, 1);
            assert_eq!(index.failures().await.unwrap().count, 0);
        })
        .await;
    }

    async fn drift_is_told_in_words_and_mended_by_rebuild() {
        with(&[Film { id: 1, votes: 3, ..Film::default() }], async |films| {
            let index = films.index();
            let info = index.info().await.unwrap();
            let (name, prefix) = (index.name().unwrap(), info.prefixes[0].clone());
            let votes = info.attributes.iter().find(|field| field.name == "votes").unwrap();
            let (kind, path) = (info.key_type.clone(), votes.identifier.clone());
            let client = films.client();
            client.command::<()>("FT.DROPINDEX").arg(&name).await.unwrap();
            client
                .command::<()>("FT.CREATE")
                .arg((&name, "ON", &kind, "PREFIX", 1u32, &prefix, "SCHEMA"))
                .arg((&path, "AS", "votes", "TAG", "more", "AS", "more", "TAG"))
                .await
                .unwrap();
            let drift = index.drift().await.unwrap();
            assert!(drift.contains(&Drift::Extra { field: "more".into() }));
            assert!(drift.contains(&Drift::Missing { field: "title".into() }));
            let error = index.sync().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.message().contains("rebuild()"), "{error}");
            index.rebuild().await.unwrap();
            index.wait().await.unwrap();
            index.check().await.unwrap();
            assert_eq!(films.find(|m| m.votes.eq(3)).count().await.unwrap(), 1);
        })
        .await;
    }
}
