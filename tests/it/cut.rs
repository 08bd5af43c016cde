//! Writes with unique fields and locks, broken off at each of their requests: by the death of the
//! process, by a request that is lost, by a reply that is lost.

use std::time::Duration;

use alizarin::prelude::*;
use alizarin_testkit::{Cluster, Fuse, Loss, Proxy, Server, unique};
use tokio::sync::Mutex;

use crate::common::{eventually, soon};
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

/// A deployment, all of whose connections go through proxies.
pub(crate) struct Site {
    url: String,
    pub(crate) fuse: Fuse,
    /// They and the servers live as long as it does.
    _proxies: Vec<Proxy>,
    _server: Option<Server>,
    _cluster: Option<Cluster>,
}

impl Site {
    pub(crate) fn server() -> Site {
        let server = Server::builder().private().start().unwrap();
        let fuse = Fuse::new();
        let proxy = Proxy::before(&server).unwrap().with_fuse(&fuse);
        let url = proxy.url();
        Site { url, fuse, _proxies: vec![proxy], _server: Some(server), _cluster: None }
    }

    pub(crate) async fn cluster() -> Site {
        let cluster = Cluster::builder().modules(true).start().unwrap();
        let fuse = Fuse::new();
        let nodes = || (0..cluster.len()).map(|at| cluster.node(at));
        let proxies: Vec<_> =
            nodes().map(|node| Proxy::before(node).unwrap().with_fuse(&fuse)).collect();
        let ports: Vec<_> =
            proxies.iter().map(|proxy| proxy.address().port().to_string()).collect();
        // The nodes name the proxies to their clients.
        for (node, port) in nodes().zip(&ports) {
            node.command(&["CONFIG", "SET", "cluster-announce-port", port]).unwrap();
        }
        eventually("all nodes know the proxies", async || {
            nodes().all(|node| {
                let slots = node.command(&["CLUSTER", "NODES"]).unwrap();
                ports.iter().all(|port| slots.contains(&format!(":{port}@")))
            })
        })
        .await;
        let hosts: Vec<_> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let url = format!("redis+cluster://{}", hosts.join(","));
        Site { url, fuse, _proxies: proxies, _server: None, _cluster: Some(cluster) }
    }

    pub(crate) async fn client(&self) -> Client {
        let client = Client::connect(self.url.as_str()).await.unwrap();
        // So that there is a connection to each node.
        for at in 0..24 {
            let _: Option<String> = client.get(format!("warm:{at}")).await.unwrap();
        }
        client
    }
}

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

            /// Breaks it off at each request, until it gets through; gives how many there were.
            async fn at_each(site: &Site, op: Op, loss: Loss) -> u64 {
                let mut left = Vec::new();
                for requests in 0.. {
                    let namespace = format!("{}:", unique("cut"));
                    let victim = site.client().await;
                    let users = victim.repository::<User>().with_namespace(&*namespace);
                    users.insert(&before()).await.unwrap();
                    users.insert(&user(2, "z@x")).await.unwrap();
                    site.fuse.arm(requests, loss);
                    let mut work = Box::pin(run(&users, op));
                    let outcome = tokio::select! {
                        biased;
                        () = eventually("it is broken off", async || {
                            site.fuse.blown() && loss == Loss::Everything
                        }), if loss == Loss::Everything => None,
                        outcome = soon("it ends", &mut work) => Some(outcome),
                    };
                    let blown = site.fuse.blown();
                    // No destructor runs in a process that is killed.
                    if outcome.is_none() {
                        std::mem::forget(work);
                    } else {
                        drop(work);
                    }
                    site.fuse.disarm();
                    if !blown {
                        outcome.unwrap().unwrap();
                        assert!(whole(&users, op).await);
                        sound(&users, false).await;
                        left.push((users, op));
                        break;
                    }
                    drop(users);
                    let next = site.client().await;
                    let users = next.repository::<User>().with_namespace(&*namespace);
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
                    left.push((users, op));
                }
                let count = left.len() as u64 - 1;
                let ends = left.into_iter().map(|(users, op)| tokio::spawn(free(users, op)));
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
                    for loss in [Loss::Everything, Loss::Request, Loss::Reply] {
                        counts.push(at_each(site, op, loss).await);
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
                // One cluster is enough for this machine at a time.
                let _turn = TURN.lock().await;
                everywhere(&Site::cluster().await, 4).await;
            }
        }
    };
}

pub(crate) static TURN: Mutex<()> = Mutex::const_new(());

in_storage!(hash);
in_storage!(json);
