//! Models that change, and indexes that others made.

use alizarin::index::{ActionKind, Drift, SyncProgress, Synced};
use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::{namespace, on};

macro_rules! shapes {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "thing", index)]
            struct Old {
                #[redis(id)]
                id: u32,
                #[redis(tag)]
                size: String,
                #[redis(tag)]
                gone: String,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "thing", index)]
            struct Extended {
                #[redis(id)]
                id: u32,
                #[redis(tag)]
                size: String,
                #[redis(vector(hnsw, cosine, epsilon = 0.5))]
                mood: Option<Vector<f32, 2>>,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "thing", index)]
            struct Changed {
                #[redis(id)]
                id: u32,
                #[redis(numeric)]
                size: u32,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "thing", index, skip_initial_scan, temporary = "1h")]
            struct Later {
                #[redis(id)]
                id: u32,
                #[redis(tag)]
                size: String,
            }

            fn old(id: u32, size: &str) -> Old {
                Old { id, size: size.into(), gone: "x".into() }
            }

            #[tokio::test]
            async fn fields_are_added_to_the_live_index_and_what_is_hidden_is_kept() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let olds: Repository<Old> = on(&server, protocol).await;
                    olds.index().sync().await.unwrap();
                    let extended: Repository<Extended> =
                        olds.client().repository().with_namespace(olds.namespace());
                    let plan = extended.index().plan().await.unwrap();
                    assert_eq!(plan.actions[0].kind, ActionKind::Extend, "{plan}");
                    assert!(plan.to_string().contains("FT.ALTER"), "{plan}");
                    let synced = extended.index().sync().await.unwrap();
                    assert_eq!(synced, Synced::Extended(vec!["mood".into()]));
                    // A field too many is told, and no reason to act: an older program may use it.
                    let drift = extended.index().drift().await.unwrap();
                    assert_eq!(drift, [Drift::Extra { field: "gone".into() }]);
                    extended.index().check().await.unwrap();
                    olds.index().check().await.unwrap();
                    assert_eq!(extended.index().sync().await.unwrap(), Synced::Unchanged);
                    extended.index().rebuild().await.unwrap();
                    assert_eq!(extended.index().drift().await.unwrap(), []);
                }
            }

            #[tokio::test]
            async fn a_document_that_only_the_new_index_cannot_read() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let olds: Repository<Old> = on(&server, protocol).await;
                    olds.save(&old(1, "7")).await.unwrap();
                    olds.save(&old(2, "large")).await.unwrap();
                    olds.index().sync().await.unwrap();
                    let live = olds.index().info().await.unwrap().name;
                    let changed: Repository<Changed> =
                        olds.client().repository().with_namespace(olds.namespace());
                    let error = changed.index().sync().await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Index);
                    assert!(error.message().contains("could not be indexed"), "{error}");
                    assert_eq!(olds.index().info().await.unwrap().name, live);
                    assert_eq!(olds.find(|m| m.size.eq("large")).count().await.unwrap(), 1);

                    // In a hash "7" is a number; in JSON it stays a string.
                    let synced = changed.index().sync().allow_failures().await.unwrap();
                    assert!(matches!(synced, Synced::Rebuilt { index, .. } if index.ends_with(":v2")));
                    let error = changed.index().check().await.unwrap_err();
                    assert!(error.message().contains("could not be indexed"), "{error}");
                }
            }

            #[tokio::test]
            async fn an_index_that_reads_only_what_comes_later() {
                let server = Server::shared().unwrap();
                let olds: Repository<Old> = on(&server, 3).await;
                olds.save(&old(1, "a")).await.unwrap();
                let later: Repository<Later> =
                    olds.client().repository().with_namespace(olds.namespace());
                later.index().sync().await.unwrap();
                later.save(&Later { id: 2, size: "a".into() }).await.unwrap();
                assert_eq!(later.find(|m| m.size.eq("a")).ids().await.unwrap(), [2]);
                assert_eq!(later.index().sync().await.unwrap(), Synced::Unchanged);
                // Its life is not shown by the server, and known all the same.
                let drift = olds.index().drift().await.unwrap();
                let words: Vec<String> = drift.iter().map(Drift::to_string).collect();
                let life = r#"TEMPORARY is "0" in the model and "3600" on the server"#;
                assert!(words.iter().any(|word| word == life), "{words:?}");
                later.index().rebuild().await.unwrap();
                assert_eq!(later.find(|m| m.size.eq("a")).count().await.unwrap(), 0);
            }

            #[tokio::test]
            async fn an_index_of_another_name_is_adopted() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let olds: Repository<Old> = on(&server, protocol).await;
                    olds.save(&old(1, "a")).await.unwrap();
                    olds.index().sync().await.unwrap();
                    let info = olds.index().info().await.unwrap();
                    let name = olds.index().name().unwrap();
                    // The same index under a name that nobody here chose.
                    olds.index().drop().await.unwrap();
                    let theirs = format!("{}by-hand", olds.namespace());
                    let mut create = olds
                        .client()
                        .command::<()>("FT.CREATE")
                        .arg((&theirs, "ON", &info.key_type, "PREFIX", 1, &info.prefixes[0]))
                        .arg("SCHEMA");
                    for field in &info.attributes {
                        create = create.arg((&field.identifier, "AS", &field.name, "TAG", "SEPARATOR", "\u{1f}"));
                    }
                    create.await.unwrap();

                    let changed: Repository<Changed> =
                        olds.client().repository().with_namespace(olds.namespace());
                    let error = changed.index().adopt(&theirs).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Index);
                    assert!(error.message().contains("`size`: type"), "{error}");
                    let report = changed.index().adopt(&theirs).dry_run().await.unwrap();
                    assert_eq!((report.fields, report.adopted), (vec!["size".to_owned()], false));
                    assert!(!olds.index().exists().await.unwrap());
                    let error = olds.index().adopt("nobody").await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Index);

                    let adopted = olds.index().adopt(&theirs).await.unwrap();
                    assert!(adopted.adopted && adopted.drift.is_empty(), "{adopted}");
                    crate::common::eventually("the index has read it", || async {
                        olds.find(|m| m.size.eq("a")).count().await.unwrap() == 1
                    })
                    .await;
                    olds.index().check().await.unwrap();
                    assert_eq!(olds.index().sync().await.unwrap(), Synced::Unchanged);
                    let error = olds.index().adopt(&theirs).await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Exists);

                    // From here it is an index like the others.
                    let extended: Repository<Extended> =
                        olds.client().repository().with_namespace(olds.namespace());
                    let rebuilt = extended.index().rebuild().await.unwrap();
                    assert_eq!(rebuilt, Synced::Rebuilt { index: format!("{name}:v1"), replaced: theirs.clone() });
                    assert_eq!(olds.index().rollback().await.unwrap(), theirs);
                    olds.index().rollback().await.unwrap();
                    assert_eq!(extended.index().retire().await.unwrap(), [theirs]);
                }
            }

            #[test]
            fn blocking_too() {
                use alizarin::blocking::prelude::*;
                let server = Server::shared().unwrap();
                let client = Client::connect(server.url().as_str()).unwrap();
                let olds: Repository<Old> = client.repository().with_namespace(namespace(&server));
                olds.save(&old(1, "a")).run().unwrap();
                assert_eq!(olds.index().sync().run().unwrap(), Synced::Created);
                let changed: Repository<Extended> =
                    client.repository().with_namespace(olds.namespace());
                let mut steps = changed.index().rebuild().progress();
                let steps: Vec<SyncProgress> = steps.iter().collect::<Result<_>>().unwrap();
                assert!(steps.len() > 3, "{steps:?}");
                assert!(matches!(steps.last(), Some(SyncProgress::Done(Synced::Rebuilt { .. }))));
                assert!(changed.index().rollback().run().unwrap().ends_with(":v1"));
                assert_eq!(changed.index().retire().run().unwrap().len(), 1);
                assert!(!changed.index().plan().run().unwrap().is_empty());
                olds.index().check().run().unwrap();
                assert!(olds.index().adopt("nobody").dry_run().run().is_err());
            }
        }
    )+};
}

shapes!(hash json);
