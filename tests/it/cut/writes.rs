//! Writes with unique fields and locks, broken off at each of their requests.

use std::time::Duration;

use alizarin::prelude::*;
use alizarin_testkit::{Loss, unique};

use super::{End, LOSSES, Site, TURN, at_each};
use crate::common::soon;
use crate::unique::models;

/// What is broken off.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Insert,
    Save,
    Set,
    Update,
    Locked,
    Delete,
}

const OPS: [Op; 6] = [Op::Insert, Op::Save, Op::Set, Op::Update, Op::Locked, Op::Delete];

macro_rules! in_storage {
    ($storage:ident) => {
        mod $storage {
            use super::{models::$storage::*, *};

            fn before() -> User {
                User { number: Some(7), version: 1, ..user(1, "a@x") }
            }

            async fn run(users: &Repository<User>, op: Op) -> Result<()> {
                match op {
                    Op::Insert => {
                        let new = User { number: Some(9), ..user(3, "b@x") };
                        users.insert(&new).await.map(drop)
                    }
                    Op::Save => users.save(&user(1, "b@x")).await.map(drop),
                    Op::Set => users.set(&1, |u| u.email.to("b@x")).await.map(drop),
                    Op::Update => {
                        let change = |u: &mut User| {
                            (u.email, u.number) = (Some("b@x".to_owned()), Some(9));
                        };
                        users.update(&1, change).await.map(drop)
                    }
                    Op::Locked => {
                        let change = async |u: &mut User| {
                            u.email = Some("b@x".to_owned());
                            Ok(())
                        };
                        users.locked(&1, change).lease(Duration::from_millis(300)).await.map(drop)
                    }
                    Op::Delete => users.delete(&1).await.map(drop),
                }
            }

            /// Whether the documents are as they were, or as they should become: nothing in between.
            async fn whole(users: &Repository<User>, op: Op) -> bool {
                let (one, three) = (users.get(&1).await.unwrap(), users.get(&3).await.unwrap());
                let was = one.as_ref() == Some(&before()) && three.is_none();
                let email = one.as_ref().and_then(|user| user.email.clone());
                let (done, changed) = match op {
                    Op::Insert => (three.and_then(|user| user.number) == Some(9), false),
                    Op::Delete => (one.is_none(), false),
                    _ => (false, email.as_deref() == Some("b@x")),
                };
                assert!(was || done || changed, "{op:?}: {one:?}");
                done || changed
            }

            async fn sound(users: &Repository<User>, stale: bool) {
                let report = users.unique().check().await.unwrap();
                assert_eq!((report.missing, report.duplicates), (0, 0), "{report:?}");
                assert!(stale || report.stale == 0, "{report:?}");
            }

            /// Breaks it off at each request, and begins again; gives how many there were.
            async fn again(site: &Site, op: Op, loss: Loss) -> u64 {
                let mut left = Vec::new();
                let begin = async |victim: Client| {
                    let namespace = format!("{}:", unique("cut"));
                    let users = victim.repository::<User>().with_namespace(namespace);
                    users.insert(&before()).await.unwrap();
                    users.insert(&user(2, "z@x")).await.unwrap();
                    users
                };
                let check = async |users: Repository<User>, end: End<()>| {
                    if let End::Through(outcome) = end {
                        outcome.unwrap();
                        assert!(whole(&users, op).await);
                        sound(&users, false).await;
                        left.push(users);
                        return;
                    }
                    let namespace = users.namespace().to_owned();
                    drop(users);
                    let next = site.client().await;
                    let users = next.repository::<User>().with_namespace(namespace);
                    let done = whole(&users, op).await;
                    sound(&users, true).await;
                    match soon("the next run gets through", run(&users, op)).await {
                        Ok(()) => {}
                        Err(error) => {
                            assert_eq!((op, done), (Op::Insert, true), "{error}");
                            assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
                        }
                    }
                    assert!(whole(&users, op).await);
                    sound(&users, true).await;
                    left.push(users);
                };
                let count =
                    at_each(site, loss, begin, async |users| run(users, op).await, check).await;
                let ends = left.into_iter().map(|users| tokio::spawn(free(users, op)));
                for end in ends.collect::<Vec<_>>() {
                    soon("the values come free", end).await.unwrap();
                }
                count
            }

            /// Every value that no document has can be had.
            async fn free(users: Repository<User>, op: Op) {
                let mut id = 100;
                for value in ["a@x", "b@x", "z@x"] {
                    let email = users.by(|u| u.email, value).await.unwrap().map(|user| user.id);
                    let known = match (value, op) {
                        ("z@x", _) => Some(2),
                        ("a@x", Op::Insert) => Some(1),
                        ("b@x", Op::Insert) => Some(3),
                        ("b@x", Op::Delete) | ("a@x", _) => None,
                        _ => Some(1),
                    };
                    assert_eq!(email, known, "{value} after {op:?}");
                    if known.is_none() {
                        id += 1;
                        users.insert(&user(id, value)).await.unwrap();
                    }
                }
                users.unique().repair().await.unwrap();
                sound(&users, false).await;
            }

            async fn everywhere(site: &Site, least: u64) {
                for op in OPS {
                    let mut counts = Vec::new();
                    for loss in LOSSES {
                        counts.push(again(site, op, loss).await);
                    }
                    // As many as it has steps.
                    let all = counts.iter().all(|count| (least..30).contains(count));
                    assert!(all, "{op:?}: {counts:?}");
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_a_server() {
                everywhere(&Site::server(), 1).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_a_cluster() {
                let _turn = TURN.acquire().await.unwrap();
                everywhere(&Site::cluster().await, 4).await;
            }
        }
    };
}

in_storage!(hash);
in_storage!(json);
