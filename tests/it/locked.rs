//! Changes under a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use alizarin::prelude::*;
use tokio::sync::{Notify, oneshot};

use crate::common::{eventually, everywhere, somebody, soon};

/// The lock's key.
fn lock<M: RedisModel>(repository: &Repository<M>, id: &M::Id) -> String {
    format!("{}alizarin:lock:{{{}}}", repository.namespace(), repository.key(id))
}

fn command(words: &[&str]) -> String {
    somebody(words)
}

crate::each_storage! {
    async fn the_change_is_written_and_the_lock_given_back() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let lock = lock(&drafts, &1);
            let written = drafts
                .locked(&1, async |draft| {
                    assert_eq!(command(&["EXISTS", &lock]), "1");
                    draft.text.push('b');
                    Ok(())
                })
                .await
                .unwrap();
            assert_eq!(written, Draft { version: 2, ..draft(1, "ab") });
            assert_eq!(drafts.get(&1).await.unwrap(), Some(written));
            assert_eq!(command(&["EXISTS", &lock]), "0");
        })
        .await;
    }

    async fn a_lock_that_is_lost_lets_nothing_be_written() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let lock = lock(&notes, &1);
            // It ran out.
            let error = notes
                .locked(&1, async |note| {
                    command(&["DEL", &lock]);
                    note.text.push('b');
                    Ok(())
                })
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockLost);
            assert!(error.message().contains(&notes.key(&1)), "{error}");
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
            // It ran out, and somebody else took it: it stays theirs.
            let error = notes
                .locked(&1, async |note| {
                    command(&["SET", &lock, "theirs"]);
                    note.text.push('c');
                    Ok(())
                })
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockLost);
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
            assert_eq!(command(&["GET", &lock]), "theirs");
        })
        .await;
    }

    async fn a_lease_that_ends_during_the_work_is_noticed() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let lock = lock(&notes, &1);
            let error = notes
                .locked(&1, async |note| {
                    // The task gives no other a turn, as if its process stood still.
                    while command(&["EXISTS", &lock]) == "1" {}
                    note.text.push('b');
                    Ok(())
                })
                .lease(Duration::from_millis(30))
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockLost);
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
        })
        .await;
    }

    async fn a_lock_of_another_is_waited_for() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let lock = lock(&notes, &1);
            command(&["SET", &lock, "theirs"]);
            let called = AtomicBool::new(false);
            let error = notes
                .locked(&1, async |_| {
                    called.store(true, Ordering::Relaxed);
                    Ok(())
                })
                .wait(Duration::ZERO)
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Locked);
            assert!(!called.load(Ordering::Relaxed));
            assert_eq!(command(&["GET", &lock]), "theirs");
            command(&["PEXPIRE", &lock, "40"]);
            let changed = notes.locked(&1, async |note| {
                note.count = 5;
                Ok(())
            });
            assert_eq!(soon("the lock comes free", changed).await.unwrap().count, 5);
        })
        .await;
    }

    async fn two_lockers_exclude_each_other() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let inside = Arc::new(AtomicU32::new(0));
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let (notes, inside) = (notes.clone(), inside.clone());
                    tokio::spawn(async move {
                        let inside = &inside;
                        let change = notes.locked(&1, async move |note| {
                            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two at once");
                            tokio::task::yield_now().await;
                            note.count += 1;
                            inside.fetch_sub(1, Ordering::SeqCst);
                            Ok(())
                        });
                        change.wait(Duration::from_secs(30)).await.unwrap();
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(notes.get(&1).await.unwrap().unwrap().count, 8);
        })
        .await;
    }

    async fn a_writer_without_the_lock_is_noticed() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let other = drafts.clone();
            let error = drafts
                .locked(&1, async |draft| {
                    other.set(&1, |m| m.count.to(9)).await?;
                    draft.text.push('b');
                    Ok(())
                })
                .await
                .unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
            let stored = drafts.get(&1).await.unwrap();
            assert_eq!(stored, Some(Draft { count: 9, version: 2, ..draft(1, "a") }));
            assert_eq!(command(&["EXISTS", &lock(&drafts, &1)]), "0");
        })
        .await;
    }

    async fn the_closure_s_error_gives_the_lock_back() {
        everywhere(async |notes: Repository<Note>| {
            let error = notes.locked(&1, async |_| Ok(())).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert_eq!(command(&["EXISTS", &lock(&notes, &1)]), "0");
            notes.save(&note(1, "a")).await.unwrap();
            let error = notes
                .locked(&1, async |note| {
                    note.text.clear();
                    Err(Error::new(ErrorKind::Value, "no"))
                })
                .await
                .unwrap_err();
            assert_eq!(error.message(), "no");
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
            assert_eq!(command(&["EXISTS", &lock(&notes, &1)]), "0");
        })
        .await;
    }

    async fn a_dropped_change_gives_the_lock_back() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let (inside, entered) = oneshot::channel();
            let forever = Arc::new(Notify::new());
            let task = tokio::spawn({
                let (notes, forever) = (notes.clone(), forever.clone());
                async move {
                    let forever = &forever;
                    let change = notes.locked(&1, async move |note| {
                        note.text.push('b');
                        inside.send(()).unwrap();
                        forever.notified().await;
                        Ok(())
                    });
                    change.await
                }
            });
            soon("the lock is taken", entered).await.unwrap();
            assert_eq!(command(&["EXISTS", &lock(&notes, &1)]), "1");
            task.abort();
            eventually("the lock is given back", async || {
                command(&["EXISTS", &lock(&notes, &1)]) == "0"
            })
            .await;
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
        })
        .await;
    }
}
