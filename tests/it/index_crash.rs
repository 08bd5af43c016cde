//! Killed at any step, an index swap leaves what the next run repairs or completes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alizarin::index::Synced;
use alizarin::prelude::*;
use alizarin_testkit::{Direction, Proxy, Server};

use crate::common::{connect, namespace, soon};

/// Long enough for every step, short enough to wait for when its holder is gone.
const LEASE: Duration = Duration::from_millis(400);

const DOCUMENTS: u32 = 500;

/// A client that nothing but the proxy leads to the server, and that gives up soon.
async fn behind(proxy: &Proxy) -> Client {
    let url = format!("{}?connect_timeout=100ms", proxy.url());
    Client::connect(url.as_str()).await.unwrap()
}

/// How many bytes had gone each way whenever the client waited for a reply.
async fn boundaries(proxy: &Proxy, work: impl Future<Output = ()>) -> [BTreeSet<u64>; 2] {
    const WAYS: [Direction; 2] = [Direction::ToServer, Direction::ToClient];
    let start = WAYS.map(|way| proxy.bytes(way));
    let seen = [Mutex::new(BTreeSet::new()), Mutex::new(BTreeSet::new())];
    let done = AtomicBool::new(false);
    proxy.delay(Duration::from_millis(4));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                for (at, way) in WAYS.into_iter().enumerate() {
                    seen[at].lock().unwrap().insert(proxy.bytes(way) - start[at]);
                }
                std::thread::yield_now();
            }
        });
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work));
        done.store(true, Ordering::SeqCst);
    });
    proxy.heal();
    seen.map(|seen| seen.into_inner().unwrap())
}

/// Reads through the alias all the time; each answer has to be complete.
struct Reader {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<u64>,
}

impl Reader {
    fn start<M: RedisModel>(repository: Repository<M>) -> Reader {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut reads = 0;
            while !stopped.load(Ordering::SeqCst) {
                let all = repository.find(|_| alizarin::query::everything()).count().await;
                assert_eq!(all.unwrap(), u64::from(DOCUMENTS));
                reads += 1;
                tokio::task::yield_now().await;
            }
            reads
        });
        Reader { stop, task }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        assert!(soon("the reader ends", self.task).await.unwrap() > 0);
    }
}

macro_rules! crashes {
    ($($storage:ident)+) => {$(
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "thing", index)]
            struct One {
                #[redis(id)]
                id: u32,
                #[redis(numeric)]
                size: u32,
            }

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "thing", index)]
            struct Other {
                #[redis(id)]
                id: u32,
                #[redis(numeric, sortable)]
                size: u32,
            }

            /// Breaks off one sync of `M` after so many bytes; the next one mends it.
            async fn cut<M: RedisModel>(
                proxy: &Proxy,
                sound: &Repository<One>,
                way: Direction,
                bytes: u64,
            ) {
                let client = behind(proxy).await;
                let broken: Repository<M> = client.repository().with_namespace(sound.namespace());
                // Nobody comes back: the process is gone.
                proxy.refuse();
                proxy.cut_after(way, bytes);
                let outcome = soon("it breaks off", broken.index().sync().lease(LEASE)).await;
                proxy.heal();
                drop((broken, client));

                let mending: Repository<M> =
                    sound.client().repository().with_namespace(sound.namespace());
                let mended = soon("the next one mends it", mending.index().sync().lease(LEASE)).await;
                let mended = mended.unwrap_or_else(|error| panic!("{way:?} {bytes}: {error}"));
                if outcome.is_ok() {
                    assert_eq!(mended, Synced::Unchanged, "{way:?} {bytes}");
                }
                mending.index().check().await.unwrap();
                mending.index().retire().await.unwrap();
                assert_eq!(mending.index().versions().await.unwrap().len(), 1, "{way:?} {bytes}");
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn cut_at_every_boundary_readers_notice_nothing() {
                let server = Server::builder().private().start().unwrap();
                let proxy = Proxy::before(&server).unwrap();
                let client = connect(&server, 3).await;
                let sound: Repository<One> = client.repository().with_namespace(namespace(&server));
                let all: Vec<One> = (0..DOCUMENTS).map(|id| One { id, size: id }).collect();
                sound.save_all(&all).await.unwrap();
                sound.index().sync().await.unwrap();
                let reader = Reader::start(sound.clone());

                let measured = behind(&proxy).await;
                let other: Repository<Other> =
                    measured.repository().with_namespace(sound.namespace());
                let ways = boundaries(&proxy, async {
                    other.index().sync().await.unwrap();
                })
                .await;
                assert!(ways.iter().all(|cuts| cuts.len() > 8), "{ways:?}");
                sound.index().retire().await.unwrap();

                let mut turn = 0;
                for (cuts, way) in ways.iter().zip([Direction::ToServer, Direction::ToClient]) {
                    for bytes in cuts {
                        // One's index is built out of Other's, and the other way round.
                        match turn % 2 {
                            0 => cut::<One>(&proxy, &sound, way, *bytes).await,
                            _ => cut::<Other>(&proxy, &sound, way, *bytes).await,
                        }
                        turn += 1;
                    }
                }
                reader.end().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn an_index_by_hand_is_taken_over_without_a_gap() {
                let server = Server::builder().private().start().unwrap();
                let proxy = Proxy::before(&server).unwrap();
                let client = connect(&server, 3).await;
                let sound: Repository<One> = client.repository().with_namespace(namespace(&server));
                let all: Vec<One> = (0..DOCUMENTS).map(|id| One { id, size: id }).collect();
                sound.save_all(&all).await.unwrap();
                let (kind, prefix) = (stringify!($storage).to_uppercase(), format!("{}thing:", sound.namespace()));
                let by_hand = async || {
                    let name = sound.index().name().unwrap();
                    if sound.index().exists().await.unwrap() {
                        sound.index().drop().await.unwrap();
                    }
                    let path = if kind == "JSON" { "$.size" } else { "size" };
                    client
                        .command::<()>("FT.CREATE")
                        .arg((name, "ON", &kind, "PREFIX", 1, &prefix))
                        .arg(("SCHEMA", path, "AS", "size", "NUMERIC", "SORTABLE"))
                        .await
                        .unwrap();
                    sound.index().wait().await.unwrap();
                };
                by_hand().await;
                let measured = behind(&proxy).await;
                let other: Repository<One> = measured.repository().with_namespace(sound.namespace());
                let ways = boundaries(&proxy, async {
                    other.index().sync().await.unwrap();
                })
                .await;
                for (cuts, way) in ways.iter().zip([Direction::ToServer, Direction::ToClient]) {
                    for bytes in cuts {
                        by_hand().await;
                        let reader = Reader::start(sound.clone());
                        cut::<One>(&proxy, &sound, way, *bytes).await;
                        reader.end().await;
                    }
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn writers_and_readers_go_on_while_indexes_change() {
                let server = Server::builder().private().start().unwrap();
                let client = connect(&server, 3).await;
                let ones: Repository<One> = client.repository().with_namespace(namespace(&server));
                let all: Vec<One> = (0..DOCUMENTS).map(|id| One { id, size: id }).collect();
                ones.save_all(&all).await.unwrap();
                ones.index().sync().await.unwrap();
                let reader = Reader::start(ones.clone());
                let stop = Arc::new(AtomicBool::new(false));
                let (writing, stopped) = (ones.clone(), Arc::clone(&stop));
                let writer = tokio::spawn(async move {
                    let mut size = 0;
                    while !stopped.load(Ordering::SeqCst) {
                        size += 1;
                        writing.save(&One { id: size % DOCUMENTS, size }).await.unwrap();
                    }
                });
                let others: Repository<Other> = client.repository().with_namespace(ones.namespace());
                for _ in 0..5 {
                    others.index().sync().await.unwrap();
                    ones.index().sync().await.unwrap();
                }
                stop.store(true, Ordering::SeqCst);
                writer.await.unwrap();
                reader.end().await;
                assert_eq!(ones.index().versions().await.unwrap().len(), 11);
            }
        }
    )+};
}

crashes!(hash json);
