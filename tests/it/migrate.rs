//! Documents of an old struct become those of a new one, while others read and write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use alizarin::migrate::{Migration, MigrationProgress, Migrations, Rewrite, State};
use alizarin::prelude::*;
use alizarin_testkit::{Direction, Proxy, Server};

use crate::common::{connect, everywhere, namespace, on, on_cluster, somebody, soon};

macro_rules! people {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "person")]
            struct Old {
                #[redis(id)]
                id: u32,
                name: String,
                age: Option<u32>,
                #[redis(nested)]
                home: Home,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisNested)]
            struct Home {
                city: String,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "person", upgrade_from = Old)]
            struct New {
                #[redis(id)]
                id: u32,
                first: String,
                last: String,
                age: Option<u32>,
                count: u32,
                #[redis(version)]
                version: u64,
            }

            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "person")]
            struct Newer {
                #[redis(id)]
                id: u32,
                full: String,
            }

            /// The same fields as `New` and another meaning.
            #[derive(Debug, Clone, PartialEq, Default, RedisModel)]
            #[redis($storage, prefix = "person", index = "people", upgrade_from = Old)]
            struct Indexed {
                #[redis(id, numeric)]
                id: u32,
                #[redis(tag)]
                first: Option<String>,
                last: String,
            }

            impl From<Old> for New {
                fn from(old: Old) -> New {
                    let (first, last) = old.name.split_once(' ').unwrap_or((&old.name, ""));
                    let (first, last) = (first.to_owned(), last.to_owned());
                    New { id: old.id, first, last, age: old.age, count: 0, version: 0 }
                }
            }

            impl From<Old> for Indexed {
                fn from(old: Old) -> Indexed {
                    let New { id, first, last, .. } = old.into();
                    Indexed { id, first: Some(first), last }
                }
            }

            fn old(id: u32) -> Old {
                let home = Home { city: "Rome".into() };
                Old { id, name: format!("Ann Lee-{id}"), age: Some(id), home }
            }

            fn new(id: u32, version: u64) -> New {
                New { version, ..old(id).into() }
            }

            fn split() -> Rewrite<Old, New> {
                Migration::new(1, "split the name").upgrade::<Old, New>().undo(|new: New| {
                    let name = format!("{} {}", new.first, new.last);
                    Ok(Old { id: new.id, name, age: new.age, home: Home { city: "Rome".into() } })
                })
            }

            fn migrations<M: RedisModel>(of: &Repository<M>) -> Migrations {
                Migrations::new(of.client()).with_namespace(of.namespace())
            }

            async fn save_old<M: RedisModel>(of: &Repository<M>, count: u32) -> Repository<Old> {
                let olds: Repository<Old> = of.client().repository().with_namespace(of.namespace());
                olds.save_all(&(1..=count).map(old).collect::<Vec<_>>()).await.unwrap();
                olds
            }

            #[tokio::test]
            async fn every_document_is_rewritten_once_and_back() {
                everywhere(async |news: Repository<New>| {
                    let olds = save_old(&news, 7).await;
                    // What neither struct has stays in a hash; a key of another model is let alone.
                    if stringify!($storage) == "hash" {
                        somebody(&["HSET", &news.key(&1), "stranger", "x"]);
                    }
                    news.save(&New { count: 9, ..new(8, 0) }).await.unwrap();
                    let all = migrations(&news).add(split());

                    let would = all.apply().dry_run().await.unwrap();
                    assert_eq!((would.done[0].changed, would.done[0].failed), (7, 0), "{would}");
                    assert_eq!(olds.get(&1).await.unwrap(), Some(old(1)));
                    assert_eq!(all.status().await.unwrap()[0].state, State::Pending);

                    let report = all.apply().await.unwrap();
                    report.check().unwrap();
                    assert_eq!((report.done[0].changed, report.done[0].complete), (7, true));
                    for id in 1..=7 {
                        assert_eq!(news.get(&id).await.unwrap(), Some(new(id, 1)));
                        assert_eq!(olds.get(&id).await.unwrap_err().kind(), ErrorKind::Decode);
                    }
                    assert_eq!(news.get(&8).await.unwrap(), Some(New { count: 9, ..new(8, 1) }));
                    let State::Applied { .. } = all.status().await.unwrap()[0].state else { panic!() };
                    if stringify!($storage) == "hash" {
                        let fields = somebody(&["HKEYS", &news.key(&1)]);
                        let fields: BTreeSet<&str> = fields.split_whitespace().collect();
                        let want = ["id", "first", "last", "age", "count", "version", "stranger"];
                        assert_eq!(fields, BTreeSet::from(want));
                    }
                    // Once is enough.
                    assert!(all.apply().await.unwrap().done.is_empty());

                    let report = all.rollback_to(0).await.unwrap();
                    assert_eq!((report.done[0].changed, report.undo), (8, true));
                    assert_eq!(olds.get(&3).await.unwrap(), Some(old(3)));
                    assert_eq!(all.status().await.unwrap()[0].state, State::Pending);
                    assert!(all.rollback_to(0).await.unwrap().done.is_empty());
                    assert_eq!(all.apply().await.unwrap().done[0].changed, 8);
                })
                .await;
            }

            #[tokio::test]
            async fn the_new_struct_reads_both_forms() {
                everywhere(async |news: Repository<New>| {
                    save_old(&news, 3).await;
                    news.save(&new(4, 0)).await.unwrap();
                    assert_eq!(news.get(&1).await.unwrap(), Some(new(1, 0)));
                    let many = news.get_many(&[1, 4, 5]).await.unwrap();
                    assert_eq!(many, [Some(new(1, 0)), Some(new(4, 1)), None]);
                    let (mut scan, mut ids) = (news.scan(), BTreeSet::new());
                    while let Some(found) = soon("the scan goes on", scan.next()).await {
                        ids.insert(found.unwrap().id);
                    }
                    assert_eq!(ids, BTreeSet::from([1, 2, 3, 4]));
                    // Whoever changes one makes it new.
                    let changed = news.update(&2, |new| new.count += 1).await.unwrap();
                    assert_eq!((changed.count, changed.last.as_str()), (1, "Lee-2"));
                    let report = migrations(&news).add(split()).apply().await.unwrap();
                    assert_eq!(report.done[0].changed, 2);
                    assert_eq!(news.get(&2).await.unwrap().unwrap().count, 1);
                    // What is neither is told as the new struct tells it.
                    somebody(&["DEL", &news.key(&1)]);
                    match stringify!($storage) {
                        "hash" => drop(somebody(&["HSET", &news.key(&1), "x", "y"])),
                        _ => drop(somebody(&["JSON.SET", &news.key(&1), "$", r#"{"x":"y"}"#])),
                    }
                    let error = news.get(&1).await.unwrap_err();
                    assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("id")));
                })
                .await;
            }

            #[tokio::test]
            async fn searches_find_both_forms() {
                let server = Server::shared().unwrap();
                for protocol in [2, 3] {
                    let people: Repository<Indexed> = on(&server, protocol).await;
                    save_old(&people, 2).await;
                    people.index().sync().await.unwrap();
                    let found = people.find(|m| m.id.le(2)).sort_by_id().await;
                    assert_eq!(found, [1, 2].map(|id| Indexed::from(old(id))));
                    let none = people.find(|m| m.first.eq("Ann")).count().await.unwrap();
                    assert_eq!(none, 0, "the index knows no such field of them yet");
                    let upgrade = Migration::new(1, "upgrade").upgrade::<Old, Indexed>();
                    migrations(&people).add(upgrade).apply().await.unwrap().check().unwrap();
                    assert_eq!(people.find(|m| m.first.eq("Ann")).count().await.unwrap(), 2);
                }
            }

            /// In an order, since the server gives them in none.
            trait ById {
                async fn sort_by_id(self) -> Vec<Indexed>;
            }

            impl<F: IntoFuture<Output = Result<Vec<Indexed>>>> ById for F {
                async fn sort_by_id(self) -> Vec<Indexed> {
                    let mut all = self.await.unwrap();
                    all.sort_by_key(|one| one.id);
                    all
                }
            }

            #[tokio::test]
            async fn writers_that_go_on_lose_nothing() {
                everywhere(async |news: Repository<New>| {
                    save_old(&news, 40).await;
                    let stop = Arc::new(AtomicBool::new(false));
                    let writers: Vec<_> = (0..4)
                        .map(|_| {
                            let (news, stop) = (news.clone(), Arc::clone(&stop));
                            tokio::spawn(async move {
                                let mut written = 0;
                                while !stop.load(Ordering::SeqCst) {
                                    for id in 1..=40 {
                                        let add = |new: &mut New| new.count += 1;
                                        news.update(&id, add).attempts(10_000).await.unwrap();
                                        written += 1;
                                    }
                                }
                                written
                            })
                        })
                        .collect();
                    let report = migrations(&news).add(split()).apply().await.unwrap();
                    report.check().unwrap();
                    stop.store(true, Ordering::SeqCst);
                    let mut written = 0;
                    for writer in writers {
                        written += soon("the writer ends", writer).await.unwrap();
                    }
                    let ids: Vec<u32> = (1..=40).collect();
                    let all = news.get_many(&ids).await.unwrap();
                    let counted: u32 = all.iter().flatten().map(|one| one.count).sum();
                    assert_eq!(counted, written);
                    assert!(all.iter().flatten().all(|one| one.last == format!("Lee-{}", one.id)));
                })
                .await;
            }

            #[tokio::test]
            async fn failures_are_told_one_by_one_and_stop_nothing() {
                everywhere(async |news: Repository<New>| {
                    save_old(&news, 5).await;
                    let picky = || {
                        Migration::new(1, "pick").rewrite::<Old, New>(|old| match old.id {
                            2 => Err(Error::new(ErrorKind::Value, "not this one")),
                            3 => Ok(New { id: 9, ..old.into() }),
                            _ => Ok(old.into()),
                        })
                    };
                    let after = || Migration::new(2, "after").step(async |_| Ok(()));
                    let all = migrations(&news).add(picky()).add(after());
                    let would = all.apply().dry_run().await.unwrap();
                    assert_eq!((would.done[0].changed, would.done[0].failed), (4, 1), "{would}");
                    let report = all.apply().await.unwrap();
                    let [only] = &report.done[..] else { panic!("{report}") };
                    assert_eq!((only.changed, only.failed, only.complete), (3, 2, false));
                    let mut told: Vec<(&str, &str)> = only
                        .failures
                        .iter()
                        .map(|failure| (failure.key.as_str(), failure.error.message()))
                        .collect();
                    told.sort_unstable();
                    let keys = [news.key(&2), news.key(&3)];
                    assert_eq!(told[0], (&*keys[0], "not this one"));
                    assert!(told[1].0 == keys[1] && told[1].1.contains("id cannot change"), "{told:?}");
                    let error = report.check().unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Value);
                    assert!(error.message().contains("2 failed"), "{error}");
                    assert_eq!(all.status().await.unwrap()[0].state, State::Running);

                    // Mended, the rest follows.
                    let all = migrations(&news)
                        .add(Migration::new(1, "pick").rewrite::<Old, New>(|old| Ok(old.into())))
                        .add(after());
                    let report = all.apply().await.unwrap();
                    report.check().unwrap();
                    assert_eq!((report.done.len(), report.done[0].changed), (2, 5));
                    assert_eq!(news.get(&3).await.unwrap(), Some(new(3, 1)));
                })
                .await;
            }

            #[tokio::test]
            async fn forms_that_read_alike_need_a_word() {
                let server = Server::shared().unwrap();
                let newers: Repository<Newer> = on(&server, 3).await;
                newers.save(&Newer { id: 1, full: "a".into() }).await.unwrap();
                newers.save(&Newer { id: 2, full: "B".into() }).await.unwrap();
                let shout = |old: Newer| Ok(Newer { full: old.full.to_uppercase(), ..old });
                let rewrite = || Migration::new(1, "shout").rewrite::<Newer, Newer>(shout);
                let lower = |one: &Newer| one.full != one.full.to_uppercase();
                let report = migrations(&newers).add(rewrite()).apply().dry_run().await.unwrap();
                assert_eq!(report.done[0].changed, 0, "all are new");
                // One that stays old after the change would be changed for ever.
                let never = Migration::new(1, "shout").rewrite::<Newer, Newer>(Ok).when(lower);
                let report = migrations(&newers).add(never).apply().await.unwrap();
                assert_eq!((report.done[0].changed, report.done[0].failed), (0, 1));
                assert!(report.to_string().contains("`when`"), "{report}");
                let report = migrations(&newers).add(rewrite().when(lower)).apply().await.unwrap();
                report.check().unwrap();
                assert_eq!(report.done[0].changed, 1);
                assert_eq!(newers.get(&1).await.unwrap().unwrap().full, "A");
            }

            #[tokio::test]
            async fn what_is_wrong_is_said_before_anything_is_done() {
                let server = Server::shared().unwrap();
                let news: Repository<New> = on(&server, 3).await;
                save_old(&news, 1).await;
                let step = |version, name: &str| Migration::new(version, name).step(async |_| Ok(()));
                let refused = async |all: Migrations, words: &str| {
                    let error = all.apply().await.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
                    assert!(error.message().contains(words), "{error}");
                };
                refused(migrations(&news).add(step(1, "a")).add(step(1, "b")), "both migration 1").await;
                refused(migrations(&news).add(step(0, "a")), "versions begin with 1").await;
                refused(migrations(&news).add(Migration::new(1, "a")), "does nothing").await;
                #[derive(Debug, RedisModel)]
                #[redis($storage, prefix = "elsewhere")]
                struct Elsewhere {
                    #[redis(id)]
                    id: u32,
                }
                let moved = Migration::new(1, "move")
                    .rewrite::<Old, Elsewhere>(|old| Ok(Elsewhere { id: old.id }));
                refused(migrations(&news).add(moved), "the same keys").await;

                migrations(&news).add(step(3, "c")).apply().await.unwrap();
                refused(migrations(&news).add(step(3, "d")), "was applied as \"c\"").await;
                let late = || migrations(&news).add(step(3, "c")).add(step(2, "b"));
                refused(late(), "comes too late").await;
                let error = migrations(&news).add(step(3, "c")).rollback_to(2).await.unwrap_err();
                assert!(error.message().contains("has no `undo`"), "{error}");
                // A newer program has applied more than this one knows.
                let status = migrations(&news).add(step(4, "e")).status().await.unwrap();
                let known: Vec<u64> = status.iter().map(|status| status.version).collect();
                assert_eq!(known, [3, 4]);
            }

            #[tokio::test]
            async fn several_processes_do_it_once() {
                everywhere(async |news: Repository<New>| {
                    save_old(&news, 30).await;
                    let steps = Arc::new(AtomicU32::new(0));
                    let processes: Vec<_> = (0..20)
                        .map(|_| {
                            let (news, steps) = (news.clone(), Arc::clone(&steps));
                            tokio::spawn(async move {
                                let all = migrations(&news).add(split()).add(
                                    Migration::new(2, "count").step(move |_| {
                                        let steps = Arc::clone(&steps);
                                        async move {
                                            steps.fetch_add(1, Ordering::SeqCst);
                                            Ok(())
                                        }
                                    }),
                                );
                                all.apply().await.unwrap().done.len()
                            })
                        })
                        .collect();
                    let mut done = Vec::new();
                    for process in processes {
                        done.push(process.await.unwrap());
                    }
                    done.sort_unstable();
                    assert_eq!((done[18], done[19]), (0, 2), "{done:?}");
                    assert_eq!(steps.load(Ordering::SeqCst), 1);
                    assert_eq!(news.get(&30).await.unwrap(), Some(new(30, 1)));
                })
                .await;
            }

            #[tokio::test]
            async fn dropped_at_any_step_the_next_run_goes_on() {
                for news in [on::<New>(&Server::shared().unwrap(), 3).await, on_cluster().await] {
                    save_old(&news, 350).await;
                    let all = migrations(&news).add(split());
                    let mut rounds = 0;
                    for pages in (0..).map(|round| 1 << round) {
                        let mut steps = all.apply().progress();
                        let mut ended = false;
                        for _ in 0..=pages {
                            let step = soon("a step", steps.next()).await.transpose().unwrap();
                            ended |= matches!(step, None | Some(MigrationProgress::Done(_)));
                        }
                        drop(steps);
                        rounds += 1;
                        if ended {
                            break;
                        }
                    }
                    assert!(rounds > 1, "it ended at once");
                    let ids: Vec<u32> = (1..=350).collect();
                    let all = news.get_many(&ids).await.unwrap();
                    assert!(all.iter().flatten().all(|one| one.version == 1), "each once");
                    assert_eq!(all.iter().flatten().count(), 350);
                }
            }

            #[tokio::test]
            async fn cut_anywhere_each_document_is_rewritten_once() {
                let server = Server::builder().private().start().unwrap();
                let proxy = Proxy::before(&server).unwrap();
                let sound = connect(&server, 3).await;
                let lease = Duration::from_millis(300);
                let run = async |news: &Repository<New>, cut: Option<(Direction, u64)>| {
                    let url = format!("{}?connect_timeout=100ms", proxy.url());
                    let client = Client::connect(url.as_str()).await.unwrap();
                    let through: Repository<New> = client.repository().with_namespace(news.namespace());
                    let start = [Direction::ToServer, Direction::ToClient].map(|way| proxy.bytes(way));
                    if let Some((way, bytes)) = cut {
                        proxy.refuse();
                        proxy.cut_after(way, bytes);
                    }
                    let all = migrations(&through).add(split());
                    let outcome = soon("it ends", all.apply().lease(lease)).await;
                    proxy.heal();
                    let end = [Direction::ToServer, Direction::ToClient].map(|way| proxy.bytes(way));
                    (outcome.is_ok(), [end[0] - start[0], end[1] - start[1]])
                };
                let fresh = async || {
                    let news: Repository<New> = sound.repository().with_namespace(namespace(&server));
                    save_old(&news, 12).await;
                    news
                };
                let (done, bytes) = run(&fresh().await, None).await;
                assert!(done);
                for (way, bytes) in [Direction::ToServer, Direction::ToClient].into_iter().zip(bytes) {
                    // Finer than any command or reply is long.
                    for cut in (0..bytes).step_by(usize::try_from(bytes / 24).unwrap().max(1)) {
                        let news = fresh().await;
                        run(&news, Some((way, cut))).await;
                        let all = migrations(&news).add(split());
                        let report = soon("the next one mends it", all.apply().lease(lease)).await.unwrap();
                        report.check().unwrap();
                        for id in 1..=12 {
                            let want = Some(new(id, 1));
                            assert_eq!(news.get(&id).await.unwrap(), want, "{way:?} {cut}");
                        }
                        let state = all.status().await.unwrap()[0].state;
                        assert!(matches!(state, State::Applied { .. }), "{way:?} {cut}: {state:?}");
                    }
                }
            }

            #[test]
            fn blocking_too() {
                use alizarin::blocking::prelude::*;
                let server = Server::shared().unwrap();
                let client = Client::connect(server.url().as_str()).unwrap();
                let news: Repository<New> = client.repository().with_namespace(namespace(&server));
                let olds: Repository<Old> = client.repository().with_namespace(news.namespace());
                for id in 1..=3 {
                    olds.save(&old(id)).run().unwrap();
                }
                let all = migrations(&news).add(split()).add(
                    Migration::new(2, "say so").step(async |client: alizarin::Client| {
                        client.set("said", "so").await.map(drop)
                    }),
                );
                assert_eq!(all.apply().dry_run().run().unwrap().done[0].changed, 3);
                let mut steps = all.apply().progress();
                let steps: Vec<MigrationProgress> = steps.iter().collect::<Result<_>>().unwrap();
                assert!(steps.iter().any(|step| matches!(step, MigrationProgress::Page { seen: 3, .. })));
                let Some(MigrationProgress::Done(report)) = steps.last() else { panic!("{steps:?}") };
                assert_eq!(report.done.len(), 2);
                assert_eq!(news.get(&2).run().unwrap(), Some(new(2, 1)));
                assert_eq!(all.status().run().unwrap().len(), 2);
            }
        }
    )+};
}

people!(hash json);
