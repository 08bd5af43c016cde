//! Transactions that read, decide and write, among others who do the same.

use std::sync::atomic::{AtomicU32, Ordering};

use alizarin::commands::set;
use alizarin::prelude::*;

use super::{beside, commit, in_one_slot, refused};
use crate::common::{everywhere, somebody};

const TRANSFERS: u64 = 50;

crate::each_storage! {
    async fn fifty_transfers_at_once_keep_the_exact_sum() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            // Without a version: known by its content.
            let notes: Repository<Note> = beside(&drafts);
            drafts.save(&Draft { count: 1_000, ..draft(1, "one") }).await.unwrap();
            notes.save(&Note { count: 1_000, ..note(2, "two") }).await.unwrap();
            let tasks = (1..=TRANSFERS).map(|amount| {
                let (drafts, notes) = (drafts.clone(), notes.clone());
                tokio::spawn(async move {
                    let client = drafts.client();
                    let transfer = client.transact(async |tx| {
                        let mut from = tx.get(&drafts, &1).await?.expect("the one");
                        let mut to = tx.get(&notes, &2).await?.expect("the other");
                        if amount % 5 == 0 {
                            (from.count, to.count) = (from.count + amount, to.count - amount);
                        } else {
                            (from.count, to.count) = (from.count - amount, to.count + amount);
                        }
                        tx.push(drafts.save(&from));
                        tx.push(notes.save(&to));
                        Ok(())
                    });
                    transfer.attempts(10_000).await.map(drop)
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap().unwrap();
            }
            let back: u64 = (1..=TRANSFERS).filter(|amount| amount % 5 == 0).sum();
            let there: u64 = (1..=TRANSFERS).sum::<u64>() - back;
            let from = drafts.get(&1).await.unwrap().unwrap();
            let to = notes.get(&2).await.unwrap().unwrap();
            assert_eq!((from.count, to.count), (1_000 - there + back, 1_000 + there - back));
            // Each exactly once.
            assert_eq!(from.version, 1 + TRANSFERS);
        })
        .await;
    }

    async fn sums_on_the_server_need_no_second_attempt() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            for id in [1, 2] {
                drafts.save(&Draft { count: 100, ..draft(id, "account") }).await.unwrap();
            }
            let tasks = (0..TRANSFERS).map(|_| {
                let drafts = drafts.clone();
                tokio::spawn(async move {
                    let mut tx = drafts.client().begin();
                    tx.push(drafts.set(&1, |d| d.count.add(-3)));
                    tx.push(drafts.set(&2, |d| d.count.add(3)));
                    tx.commit().await.map(drop)
                })
            });
            let mut paid = 0;
            for task in tasks.collect::<Vec<_>>() {
                match task.await.unwrap() {
                    Ok(()) => paid += 1,
                    // Below zero: then the other has nothing more either.
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Value, "{error}"),
                }
            }
            assert_eq!(paid, 33);
            let counts: Vec<u64> = drafts.get_many(&[1, 2]).await.unwrap()
                .into_iter().map(|draft| draft.unwrap().count).collect();
            assert_eq!(counts, [1, 199]);
        })
        .await;
    }

    async fn what_was_read_has_to_be_unchanged() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let notes: Repository<Note> = beside(&drafts);
            let client = drafts.client();
            drafts.save(&draft(1, "before")).await.unwrap();
            notes.save(&note(1, "before")).await.unwrap();
            let key = format!("{}raw", drafts.namespace());
            for case in 0..7 {
                let mut tx = client.begin();
                tx.get(&drafts, &1).await.unwrap();
                tx.get(&notes, &1).await.unwrap();
                assert_eq!(tx.get(&drafts, &2).await.unwrap(), None);
                tx.watch(&key).await.unwrap();
                let number = match case {
                    0 => {
                        drafts.set(&1, |d| d.count.add(1)).await.unwrap();
                        1
                    }
                    1 => {
                        notes.set(&1, |n| n.text.to("after")).await.unwrap();
                        2
                    }
                    2 => {
                        notes.delete(&1).await.unwrap();
                        2
                    }
                    3 => {
                        drafts.insert(&draft(2, "new")).await.unwrap();
                        3
                    }
                    4 => {
                        somebody(&["RPUSH", &key, "x"]);
                        4
                    }
                    5 => {
                        somebody(&["DEL", &key]);
                        4
                    }
                    _ => 0,
                };
                tx.push(drafts.save(&draft(9, "late")));
                if number > 0 {
                    let (error, _) = refused(tx, number).await;
                    assert_eq!(error.kind(), ErrorKind::Conflict, "{case}: {error}");
                    assert!(!drafts.exists(&9).await.unwrap());
                } else {
                    commit(tx).await;
                    assert!(drafts.exists(&9).await.unwrap());
                }
                notes.save(&note(1, "before")).await.unwrap();
                drafts.delete(&2).await.unwrap();
            }
        })
        .await;
    }

    async fn it_begins_anew_a_bounded_number_of_times() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let client = drafts.client();
            drafts.save(&draft(1, "before")).await.unwrap();
            for (attempts, least) in [(Some(1), 1), (Some(3), 3), (None, 16)] {
                let tried = AtomicU32::new(0);
                let transact = client.transact(async |tx| {
                    tried.fetch_add(1, Ordering::Relaxed);
                    tx.get(&drafts, &1).await?;
                    drafts.set(&1, |d| d.count.add(1)).await?;
                    tx.push(drafts.save(&draft(2, "late")));
                    Ok(())
                });
                let outcome = match attempts {
                    Some(attempts) => transact.attempts(attempts).await,
                    None => transact.await,
                };
                let error = outcome.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                assert!(error.message().contains(&format!("{least} attempts")), "{error}");
                assert_eq!(error.step().unwrap().key, Some(drafts.key(&1)));
                assert_eq!(tried.load(Ordering::Relaxed), least);
                assert!(!drafts.exists(&2).await.unwrap());
            }
            // Once is enough where the others stop.
            let tried = AtomicU32::new(0);
            let (value, _) = client
                .transact(async |tx| {
                    let attempt = tried.fetch_add(1, Ordering::Relaxed);
                    let one = tx.get(&drafts, &1).await?.expect("the one");
                    if attempt < 2 {
                        drafts.set(&1, |d| d.count.add(1)).await?;
                    }
                    tx.push(drafts.set(&1, |d| d.count.to(one.count + 100)));
                    tx.push(set(format!("{}raw", drafts.namespace()), "x"));
                    Ok(one.count + 100)
                })
                .await
                .unwrap();
            assert_eq!(drafts.get(&1).await.unwrap().map(|draft| draft.count), Some(value));
            assert_eq!(tried.load(Ordering::Relaxed), 3);
            // What the closure refuses, and what another attempt would not mend, ends it at once.
            for kind in [ErrorKind::Usage, ErrorKind::Exists] {
                let tried = AtomicU32::new(0);
                let failed = client.transact(async |tx| {
                    tried.fetch_add(1, Ordering::Relaxed);
                    if kind == ErrorKind::Usage {
                        return Err(Error::new(kind, "no"));
                    }
                    tx.push(drafts.insert(&draft(1, "again")));
                    Ok(())
                });
                assert_eq!(failed.await.unwrap_err().kind(), kind);
                assert_eq!(tried.load(Ordering::Relaxed), 1);
            }
        })
        .await;
    }
}
