//! Transactions whose connections break at each of their requests: all of it took place, or nothing,
//! and nothing twice.

use alizarin::Sent;
use alizarin::commands::incr;
use alizarin::prelude::*;
use alizarin_testkit::{Loss, unique};

use crate::cut::{End, LOSSES, Site, TURN, at_each};
use crate::unique::models;

macro_rules! in_storage {
    ($storage:ident) => {
        mod $storage {
            use super::{models::$storage::*, *};

            async fn transfer(users: &Repository<User>, counter: &str) -> Result<()> {
                let transact = users.client().transact(async |tx| {
                    let mut one = tx.get(users, &1).await?.expect("the one");
                    let two = tx.get(users, &2).await?.expect("the other");
                    one.email = two.email;
                    tx.push(users.save(&one));
                    tx.push(users.delete(&2));
                    tx.push(users.insert(&user(3, "a@x")));
                    tx.push(incr(counter));
                    Ok(())
                });
                transact.await.map(drop)
            }

            /// Whether all of it took place; fails where a part did.
            async fn whole(users: &Repository<User>, counter: &str) -> bool {
                let emails: Vec<_> = users.get_many(&[1, 2, 3]).await.unwrap();
                let emails: Vec<_> =
                    emails.into_iter().map(|user| user.and_then(|user| user.email)).collect();
                let emails: Vec<_> = emails.iter().map(Option::as_deref).collect();
                let count: Option<u32> = users.client().get(counter).await.unwrap();
                let report = users.unique().check().await.unwrap();
                assert!(report.is_sound(), "{report:?}");
                let done = emails == [Some("b@x"), None, Some("a@x")] && count == Some(1);
                let nothing = emails == [Some("a@x"), Some("b@x"), None] && count.is_none();
                assert!(done || nothing, "{emails:?} {count:?}");
                done
            }

            async fn again(site: &Site, loss: Loss) -> u64 {
                let begin = async |victim: Client| {
                    let namespace = format!("{{{}}}:", unique("cut"));
                    let users = victim.repository::<User>().with_namespace(namespace);
                    users.insert(&user(1, "a@x")).await.unwrap();
                    users.insert(&user(2, "b@x")).await.unwrap();
                    users
                };
                let counter = |users: &Repository<User>| format!("{}counter", users.namespace());
                let work = async |users: &Repository<User>| transfer(users, &counter(users)).await;
                let check = async |users: Repository<User>, end: End<()>| {
                    let next = site.client().await;
                    let users = next.repository::<User>().with_namespace(users.namespace());
                    let done = whole(&users, &counter(&users)).await;
                    match end {
                        End::Through(Ok(())) | End::Broken(Some(Ok(()))) => assert!(done),
                        // Only what was certainly not done is told as such.
                        End::Through(Err(error)) | End::Broken(Some(Err(error))) if done => {
                            assert_eq!(error.sent(), Sent::Unknown, "{error}");
                        }
                        End::Through(Err(_)) | End::Broken(_) => {}
                    }
                };
                at_each(site, loss, begin, work, check).await
            }

            async fn everywhere(site: &Site) {
                for loss in LOSSES {
                    let count = again(site, loss).await;
                    // Two reads and a script, which may have to be sent in full.
                    assert!((3..30).contains(&count), "{loss:?}: {count}");
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_a_server() {
                everywhere(&Site::server()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_a_cluster() {
                let _turn = TURN.acquire().await.unwrap();
                everywhere(&Site::cluster().await).await;
            }
        }
    };
}

in_storage!(hash);
in_storage!(json);
