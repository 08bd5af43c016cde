//! Locks to keep in hand.

use std::time::Duration;

use alizarin::prelude::*;

use crate::common::{eventually, everywhere, somebody, soon};

/// The lock's key, or the fence's.
fn beside<M: RedisModel>(repository: &Repository<M>, sort: &str, id: &M::Id) -> String {
    format!("{}alizarin:{sort}:{{{}}}", repository.namespace(), repository.key(id))
}

fn command(words: &[&str]) -> String {
    somebody(words)
}

crate::each_storage! {
    async fn a_lock_shuts_others_out_until_it_is_released() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let lock = notes.lock(&1).await.unwrap();
            for error in [
                notes.lock(&1).wait(Duration::ZERO).await.unwrap_err(),
                notes.locked(&1, async |_| Ok(())).wait(Duration::ZERO).await.unwrap_err(),
                notes.lock(&1).wait(Duration::ZERO).change(async |_| Ok(())).await.unwrap_err(),
                notes.try_lock(&1).await.unwrap_err(),
                notes.try_locked(&1, async |_| Ok(())).await.unwrap_err(),
            ] {
                assert_eq!(error.kind(), ErrorKind::Locked);
                assert!(error.message().contains(&notes.key(&1)), "{error}");
            }
            // Another document's lock is another lock.
            assert!(notes.lock(&2).wait(Duration::ZERO).await.unwrap().release().await.unwrap());
            assert!(lock.release().await.unwrap());
            notes.locked(&1, async |note| { note.count = 1; Ok(()) }).await.unwrap();
        })
        .await;
    }

    async fn fences_grow() {
        everywhere(async |notes: Repository<Note>| {
            let fence = beside(&notes, "fence", &1);
            let mut last = 0;
            for round in 0..20 {
                let lock = notes.lock(&1).await.unwrap();
                assert!(lock.fence() > last, "{} after {last}", lock.fence());
                last = lock.fence();
                lock.release().await.unwrap();
                match round {
                    // Forgotten: the clock goes on.
                    5 => { command(&["DEL", &fence]); }
                    // Ahead of the clock: it goes on from there.
                    10 => {
                        last = 9_007_199_254_740_000;
                        command(&["SET", &fence, "9007199254740000"]);
                    }
                    _ => {}
                }
            }
            let left: i64 = command(&["PTTL", &fence]).parse().unwrap();
            assert!(left > 0, "it does not stay for ever");
        })
        .await;
    }

    async fn a_lease_can_be_prolonged_while_it_lasts() {
        everywhere(async |notes: Repository<Note>| {
            let key = beside(&notes, "lock", &1);
            let mut lock = notes.lock(&1).lease(Duration::from_secs(5)).await.unwrap();
            lock.extend(Duration::from_secs(600)).await.unwrap();
            let left: u64 = command(&["PTTL", &key]).parse().unwrap();
            assert!(left > 60_000, "{left}");
            assert_eq!(lock.extend(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Value);
            lock.extend(Duration::from_millis(20)).await.unwrap();
            eventually("the lease ends", || {
                let gone = command(&["EXISTS", &key]) == "0";
                async move { gone }
            })
            .await;
            let error = lock.extend(Duration::from_secs(5)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockLost);
            assert_eq!(command(&["EXISTS", &key]), "0", "it is not taken anew");
            assert!(!lock.release().await.unwrap());
        })
        .await;
    }

    async fn a_save_under_the_lock_gives_it_back() {
        everywhere(async |drafts: Repository<Draft>| {
            let lock = drafts.lock(&1).await.unwrap();
            assert_eq!(lock.save(&draft(1, "a")).await.unwrap().version, Some(1));
            assert_eq!(command(&["EXISTS", &beside(&drafts, "lock", &1)]), "0");
            let lock = drafts.lock(&1).await.unwrap();
            let error = lock.save(&draft(2, "b")).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("id")));
            assert_eq!(command(&["EXISTS", &beside(&drafts, "lock", &1)]), "0");
            assert!(!drafts.exists(&2).await.unwrap());
        })
        .await;
    }

    async fn without_the_lock_nothing_is_saved() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let key = beside(&drafts, "lock", &1);
            for thief in [None, Some("theirs")] {
                let lock = drafts.lock(&1).await.unwrap();
                command(&["DEL", &key]);
                if let Some(token) = thief {
                    command(&["SET", &key, token]);
                }
                let error = lock.save(&draft(1, "b")).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::LockLost);
                assert_eq!(drafts.get(&1).await.unwrap().unwrap().text, "a");
            }
            assert_eq!(command(&["GET", &key]), "theirs");
        })
        .await;
    }

    async fn a_dropped_lock_is_given_back() {
        everywhere(async |notes: Repository<Note>| {
            drop(notes.lock(&1).await.unwrap());
            let lock = notes.lock(&1).wait(Duration::from_secs(10)).lease(Duration::from_secs(60));
            drop(soon("the lock comes free", lock).await.unwrap());
        })
        .await;
    }

    async fn a_change_runs_under_the_lock_on_any_task() {
        everywhere(async |drafts: Repository<Draft>| {
            drafts.save(&draft(1, "a")).await.unwrap();
            let (key, suffix) = (beside(&drafts, "lock", &1), "b".to_owned());
            let written = tokio::spawn({
                let (drafts, key) = (drafts.clone(), key.clone());
                async move {
                    let lock = drafts.lock(&1).lease(Duration::from_secs(60));
                    lock.change(async |draft| {
                        assert_eq!(command(&["EXISTS", &key]), "1");
                        tokio::task::yield_now().await;
                        draft.text.push_str(&suffix);
                        Ok(())
                    })
                    .await
                }
            });
            assert_eq!(written.await.unwrap().unwrap(), Draft { version: 2, ..draft(1, "ab") });
            assert_eq!(command(&["EXISTS", &key]), "0");
            let lost = drafts.lock(&1).change(async |draft| {
                command(&["DEL", &key]);
                draft.text.clear();
                Ok(())
            });
            assert_eq!(lost.await.unwrap_err().kind(), ErrorKind::LockLost);
            assert_eq!(drafts.get(&1).await.unwrap().unwrap().text, "ab");
            // A closure whose future stays on its thread.
            let here = std::rc::Rc::new(7);
            let counted = drafts.lock(&1).change(async |draft| {
                let here = here.clone();
                tokio::task::yield_now().await;
                draft.count = *here;
                Ok(())
            });
            assert_eq!(counted.await.unwrap().count, 7);
        })
        .await;
    }

    async fn waiting_without_end_is_no_overflow() {
        everywhere(async |notes: Repository<Note>| {
            let first = notes.lock(&1).await.unwrap();
            let second = tokio::spawn({
                let notes = notes.clone();
                async move { notes.lock(&1).wait(Duration::MAX).await.unwrap().release().await }
            });
            first.release().await.unwrap();
            assert!(soon("the lock comes free", second).await.unwrap().unwrap());
        })
        .await;
    }
}
