//! The life of an index on a real server.

use alizarin::index::{ActionKind, Drift, Role, SyncProgress, Synced, managed};
use alizarin::prelude::*;

crate::in_both_storages! {
    async fn sync_creates_once_and_drop_ends_it() {
        with(&[], async |films| {
            let index = films.index();
            assert_eq!(index.sync().await.unwrap(), Synced::Unchanged);
            assert_eq!(index.drift().await.unwrap(), []);
            index.check().await.unwrap();

            films.save(&Film { id: 1, votes: 3, ..Film::default() }).await.unwrap();
            index.drop().await.unwrap();
            assert!(!index.exists().await.unwrap());
            assert_eq!(index.drop().await.unwrap_err().kind(), ErrorKind::Index);
            assert_eq!(index.drift().await.unwrap_err().kind(), ErrorKind::Index);
            assert_eq!(index.check().await.unwrap_err().kind(), ErrorKind::Index);
            let error = films.find(|m| m.votes.eq(3)).all().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.message().contains("sync()"), "{error}");

            assert_eq!(index.sync().await.unwrap(), Synced::Created);
            assert_eq!(films.find(|m| m.votes.eq(3)).count().await.unwrap(), 1);
            assert_eq!(index.info().await.unwrap().num_docs, 1);
            assert_eq!(index.failures().await.unwrap().count, 0);
        })
        .await;
    }

    async fn an_index_by_hand_is_replaced_and_its_name_goes_on() {
        with(&[Film { id: 1, votes: 3, ..Film::default() }], async |films| {
            let index = films.index();
            let info = index.info().await.unwrap();
            let (name, prefix) = (index.name().unwrap(), info.prefixes[0].clone());
            let votes = info.attributes.iter().find(|field| field.name == "votes").unwrap();
            let (kind, path) = (info.key_type.clone(), votes.identifier.clone());
            index.drop().await.unwrap();
            let client = films.client();
            client
                .command::<()>("FT.CREATE")
                .arg((&name, "ON", &kind, "PREFIX", 1u32, &prefix, "SCHEMA"))
                .arg((&path, "AS", "votes", "TAG", "more", "AS", "more", "TAG"))
                .await
                .unwrap();
            let drift = index.drift().await.unwrap();
            assert!(drift.contains(&Drift::Extra { field: "more".into() }));
            assert!(drift.contains(&Drift::Missing { field: "title".into() }));
            let error = index.check().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Index);
            assert!(error.message().contains("`votes`: type is \"NUMERIC\""), "{error}");

            let plan = index.plan().await.unwrap();
            let [action] = &plan.actions[..] else { panic!("{plan}") };
            assert_eq!(action.kind, ActionKind::Rebuild);
            let drop = format!("FT.DROPINDEX {name}");
            assert!(action.commands.contains(&drop), "{plan}");
            assert_eq!(index.info().await.unwrap().name, name, "a plan changes nothing");

            let (index_1, replaced) = (format!("{name}:v1"), name.clone());
            let rebuilt = Synced::Rebuilt { index: index_1.clone(), replaced };
            assert_eq!(index.sync().await.unwrap(), rebuilt);
            index.check().await.unwrap();
            assert_eq!(films.find(|m| m.votes.eq(3)).count().await.unwrap(), 1);
            // The one by hand had the name itself; it cannot come back.
            assert_eq!(index.rollback().await.unwrap_err().kind(), ErrorKind::Index);
            let versions = index.versions().await.unwrap();
            assert_eq!(versions.len(), 1);
            assert_eq!((versions[0].index.as_str(), versions[0].role), (&*index_1, Role::Live));
        })
        .await;
    }

    async fn versions_come_and_go_and_come_back() {
        with(&[Film { id: 1, votes: 3, ..Film::default() }], async |films| {
            let index = films.index();
            let name = index.name().unwrap();
            let roles = async || {
                let versions = index.versions().await.unwrap();
                versions.iter().map(|version| (version.number.unwrap(), version.role)).collect::<Vec<_>>()
            };
            let mut steps = Vec::new();
            index.rebuild().on_progress(|step| steps.push(step)).await.unwrap();
            assert!(matches!(&steps[0], SyncProgress::Creating { index } if *index == format!("{name}:v2")));
            let read = |step: &SyncProgress| matches!(step, SyncProgress::Reading { done: 1.0, documents: 1, .. });
            assert!(steps.iter().any(read), "{steps:?}");
            assert!(matches!(steps.last(), Some(SyncProgress::Done(Synced::Rebuilt { .. }))));
            assert_eq!(roles().await, [(1, Role::Previous), (2, Role::Live)]);

            // What is written meanwhile is in both.
            films.save(&Film { id: 2, votes: 3, ..Film::default() }).await.unwrap();
            assert_eq!(index.rollback().await.unwrap(), format!("{name}:v1"));
            assert_eq!(films.find(|m| m.votes.eq(3)).count().await.unwrap(), 2);
            assert_eq!(roles().await, [(1, Role::Live), (2, Role::Previous)]);
            assert_eq!(index.rollback().await.unwrap(), format!("{name}:v2"));

            index.rebuild().await.unwrap();
            assert_eq!(roles().await, [(1, Role::Retired), (2, Role::Previous), (3, Role::Live)]);
            let all = managed(films.client()).await.unwrap();
            let one = all.iter().find(|managed| managed.name == name).unwrap();
            assert_eq!((one.versions.len(), one.documents), (3, 2));
            assert_eq!(one.live, Some(format!("{name}:v3")));

            assert_eq!(index.retire().await.unwrap(), [format!("{name}:v1"), format!("{name}:v2")]);
            assert_eq!(roles().await, [(3, Role::Live)]);
            assert_eq!(index.retire().await.unwrap(), Vec::<String>::new());
            assert_eq!(index.rollback().await.unwrap_err().kind(), ErrorKind::Index);
            assert_eq!(films.find(|m| m.votes.eq(3)).count().await.unwrap(), 2);
            assert!(films.exists(&1).await.unwrap() && films.exists(&2).await.unwrap());
        })
        .await;
    }

    async fn a_hundred_processes_build_one_index() {
        with(&[Film { id: 1, votes: 3, ..Film::default() }], async |films| {
            films.index().drop().await.unwrap();
            let processes = (0..100).map(|_| {
                let films = films.clone();
                tokio::spawn(async move { films.index().sync().await.unwrap() })
            });
            let mut created = 0;
            for process in processes.collect::<Vec<_>>() {
                match process.await.unwrap() {
                    Synced::Created => created += 1,
                    other => assert_eq!(other, Synced::Unchanged),
                }
            }
            assert_eq!(created, 1);
            assert_eq!(films.index().versions().await.unwrap().len(), 1);
        })
        .await;
    }

    async fn the_progress_is_a_stream() {
        with(&[Film { id: 1, votes: 3, ..Film::default() }], async |films| {
            let mut steps = films.index().rebuild().progress();
            let first = steps.next().await.unwrap().unwrap();
            assert!(matches!(first, SyncProgress::Creating { .. }), "{first:?}");
            // Left alone, it stops; the next one goes on with what was begun.
            drop(steps);
            let plan = films.index().plan().await.unwrap();
            assert!(plan.is_empty(), "{plan}");
            let mut steps = films.index().rebuild().progress();
            let mut last = None;
            while let Some(step) = steps.next().await.transpose().unwrap() {
                last = Some(step);
            }
            let Some(SyncProgress::Done(Synced::Rebuilt { index, .. })) = last else { panic!("{last:?}") };
            assert!(index.ends_with(":v2"), "{index}");
        })
        .await;
    }

    async fn documents_that_the_new_index_cannot_read_stop_it() {
        with(&[Film { id: 1, votes: 3, ..Film::default() }], async |films| {
            let index = films.index();
            let good = index.info().await.unwrap().name;
            // It is found by its title, and its votes are no number for the index.
            let client = films.client();
            let json = index.info().await.unwrap().key_type == "JSON";
            match json {
                false => client.hset(films.key(&2), ("votes", "many")).await.map(drop).unwrap(),
                true => {
                    let text = r#"{"votes":"many"}"#;
                    client.command::<()>("JSON.SET").key(films.key(&2)).arg(("$", text)).await.unwrap();
                }
            }
            let failures = index.failures().await.unwrap();
            assert_eq!(failures.count, 1);
            // The live one counted it too: no reason to stop.
            index.rebuild().await.unwrap();
            // A live one that has not failed yet.
            client.del([films.key(&2)]).await.unwrap();
            index.rebuild().await.unwrap();
            let live = index.info().await.unwrap().name;
            assert_ne!(live, good);
            assert_eq!(index.info().await.unwrap().hash_indexing_failures, 0);
            index.check().await.unwrap();
        })
        .await;
    }
}
