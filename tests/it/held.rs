//! Locks that are extended while work goes on, lost ones, and holders that stand still.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin_testkit::{Direction, Proxy, Server};

use crate::common::{eventually, everywhere, namespace, on, on_cluster, somebody, soon};

/// The lock's key.
fn key<M: RedisModel>(repository: &Repository<M>, id: &M::Id) -> String {
    format!("{}alizarin:lock:{{{}}}", repository.namespace(), repository.key(id))
}

/// So often the lease is extended that it lasts so much longer than it is long.
async fn outlives<M: RedisModel>(repository: &Repository<M>, id: &M::Id, lease: Duration) {
    let (key, start) = (key(repository, id), Instant::now());
    eventually("three leases are over", async || {
        assert_eq!(somebody(&["EXISTS", &key]), "1", "after {:?}", start.elapsed());
        start.elapsed() > lease * 3
    })
    .await;
}

crate::each_storage! {
    async fn the_lease_is_extended_while_the_closure_runs() {
        everywhere(async |notes: Repository<Note>| {
            notes.save_all(&[note(1, "a"), note(2, "a"), note(3, "a")]).await.unwrap();
            let lease = Duration::from_millis(300);
            let locked = async {
                let changed = notes.locked(&1, async |note| {
                    outlives(&notes, &1, lease).await;
                    note.count += 1;
                    Ok(())
                });
                assert_eq!(changed.lease(lease).await.unwrap().count, 1);
            };
            let changed = async {
                let changed = notes.lock(&2).lease(lease).change(async |note| {
                    outlives(&notes, &2, lease).await;
                    note.count += 1;
                    Ok(())
                });
                assert_eq!(changed.await.unwrap().count, 1);
            };
            let during = async {
                let lock = notes.lock(&3).lease(lease).await.unwrap();
                for _ in 0..2 {
                    let work = async { outlives(&notes, &3, lease).await; Ok(()) };
                    lock.during(work).await.unwrap();
                }
                lock.save(&note(3, "b")).await.unwrap();
            };
            // Each waits for its own lease.
            tokio::join!(locked, changed, during);
        })
        .await;
    }

    async fn the_work_ends_when_the_lock_is_lost() {
        everywhere(async |notes: Repository<Note>| {
            notes.save(&note(1, "a")).await.unwrap();
            let (key, forever) = (key(&notes, &1), tokio::sync::Notify::new());
            let lost = notes.locked(&1, async |note| {
                note.text.push('b');
                somebody(&["SET", &key, "theirs"]);
                forever.notified().await;
                Ok(())
            });
            let lost = lost.lease(Duration::from_millis(300));
            let error = soon("the closure is dropped", lost).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockLost);
            assert!(error.message().contains(&notes.key(&1)), "{error}");
            assert_eq!(somebody(&["GET", &key]), "theirs");
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "a")));
        })
        .await;
    }

    async fn a_lock_that_nobody_can_extend_counts_as_lost() {
        let server = Server::start().unwrap();
        let proxy = Proxy::before(&server).unwrap();
        let client = Client::connect(proxy.url().as_str()).await.unwrap();
        let notes: Repository<Note> = client.repository().with_namespace(namespace(&server));
        notes.save(&note(1, "a")).await.unwrap();
        let lease = Duration::from_millis(600);
        for cut in [false, true] {
            let lock = notes.lock(&1).lease(lease).await.unwrap();
            let start = Instant::now();
            match cut {
                false => proxy.swallow(Direction::ToClient),
                true => { proxy.refuse(); proxy.reset(); }
            }
            let work = lock.during(std::future::pending::<Result<()>>());
            let error = soon("the loss is told", work).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::LockLost);
            // Not before somebody else could have it, and soon after.
            assert!(start.elapsed() + Duration::from_millis(100) >= lease, "{:?}", start.elapsed());
            assert!(start.elapsed() < lease * 3, "{:?}", start.elapsed());
            drop(lock);
            proxy.heal();
            proxy.reset();
            eventually("the client is back", async || notes.get(&1).await.is_ok()).await;
        }
    }

    /// Five workers, one of which stands still past its lease again and again.
    async fn effects_of_a_holder_that_stood_still_never_overlap_with_another_s() {
        let server = Server::shared().unwrap();
        for notes in [on::<Note>(server, 3).await, on_cluster().await] {
            overlap(notes, note(1, "")).await;
        }
    }
}

/// Something beside the document that refuses fences smaller than one that it has seen.
#[derive(Default)]
struct Resource {
    highest: AtomicU64,
    refused: AtomicU64,
}

impl Resource {
    fn take(&self, fence: u64) {
        if self.highest.fetch_max(fence, Ordering::SeqCst) > fence {
            self.refused.fetch_add(1, Ordering::SeqCst);
        }
    }
}

trait Counted: RedisModel {
    fn count(&mut self) -> &mut u64;
}

impl Counted for crate::common::hash::Note {
    fn count(&mut self) -> &mut u64 {
        &mut self.count
    }
}

impl Counted for crate::common::json::Note {
    fn count(&mut self) -> &mut u64 {
        &mut self.count
    }
}

async fn overlap<M: Counted<Id = u32> + Clone + 'static>(all: Repository<M>, document: M) {
    const WRITES: u64 = 12;
    all.save(&document).await.unwrap();
    let first = Arc::new(tokio::sync::Notify::new());
    let resource = Arc::new(Resource::default());
    let fences = Arc::new(Mutex::new(BTreeSet::new()));
    let (lost, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let work = |stands_still: bool| {
        let (all, resource, fences) = (all.clone(), resource.clone(), fences.clone());
        let (lost, stop, first) = (lost.clone(), stop.clone(), first.clone());
        async move {
            let mut written = 0;
            while written < WRITES && !(stands_still && stop.load(Ordering::SeqCst)) {
                let lease = Duration::from_millis(if stands_still { 5 } else { 5_000 });
                let lock = all.lock(&1).lease(lease).wait(Duration::from_secs(60)).await.unwrap();
                let fence = lock.fence();
                assert!(fences.lock().unwrap().insert(fence), "{fence} was given twice");
                let mut document = all.get(&1).await.unwrap().unwrap();
                *document.count() += 1;
                if stands_still {
                    // Until the lease is over, and another one has had its turn.
                    first.notify_one();
                    let highest = || resource.highest.load(Ordering::SeqCst);
                    eventually("another one's turn", async || {
                        highest() > fence || stop.load(Ordering::SeqCst)
                    })
                    .await;
                }
                resource.take(fence);
                match lock.save(&document).await {
                    Ok(_) => written += 1,
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::LockLost, "{error}");
                        lost.fetch_add(1, Ordering::SeqCst);
                    }
                }
            }
            written
        }
    };
    let still = tokio::spawn(work(true));
    // The others begin when it stands still for the first time.
    soon("its first turn", first.notified()).await;
    let others: Vec<_> = (0..4).map(|_| tokio::spawn(work(false))).collect();
    let mut written = 0;
    for other in others {
        written += soon("the workers end", other).await.unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    written += soon("the slow worker ends", still).await.unwrap();
    assert!(written >= 4 * WRITES);
    // Each write that was done is in the document: no other one was made from an older state.
    assert_eq!(*all.get(&1).await.unwrap().unwrap().count(), written);
    assert!(lost.load(Ordering::SeqCst) > 0, "the worker never stood still past its lease");
    assert!(
        resource.refused.load(Ordering::SeqCst) > 0,
        "its fences were the highest all the time"
    );
}
