//! Work that is broken off at each of its requests: by the death of the process, by a request that is
//! lost, by a reply that is lost.

mod deletions;
mod writes;

use alizarin::prelude::*;
use alizarin_testkit::{Cluster, Fuse, Loss, Proxy, Server};
use tokio::sync::Semaphore;

use crate::common::{eventually, soon};

/// Two clusters of these tests are enough for a machine at a time.
pub(crate) static TURN: Semaphore = Semaphore::const_new(2);

/// How work is broken off.
pub(crate) const LOSSES: [Loss; 3] = [Loss::Everything, Loss::Request, Loss::Reply];

/// A deployment, all of whose connections go through proxies.
pub(crate) struct Site {
    url: String,
    fuse: Fuse,
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

    /// Another process.
    pub(crate) async fn client(&self) -> Client {
        let client = Client::connect(self.url.as_str()).await.unwrap();
        // So that there is a connection to each node.
        for at in 0..24 {
            let _: Option<String> = client.get(format!("warm:{at}")).await.unwrap();
        }
        client
    }
}

/// What became of work that was to be broken off.
pub(crate) enum End<T> {
    /// It was broken off: what it said of that, unless its process died.
    Broken(Option<Result<T>>),
    /// It has fewer requests than would have passed.
    Through(Result<T>),
}

/// Breaks work off at each request, until it gets through; gives how many there were. Each time
/// `begin` makes what a process has for it, with documents in a namespace of their own, and `check`
/// looks at what is left of them.
pub(crate) async fn at_each<P, T>(
    site: &Site,
    loss: Loss,
    begin: impl AsyncFn(Client) -> P,
    work: impl AsyncFn(&P) -> Result<T>,
    mut check: impl AsyncFnMut(P, End<T>),
) -> u64 {
    // The more keys there are, the more requests a scan takes.
    let _: () = site.client().await.command("FLUSHALL").await.unwrap();
    let mut requests = 0;
    loop {
        let client = site.client().await;
        let process = begin(client.clone()).await;
        site.fuse.arm(requests, loss);
        let mut running = Box::pin(work(&process));
        let outcome = tokio::select! {
            biased;
            () = eventually("it is broken off", async || {
                site.fuse.blown() && loss == Loss::Everything
            }), if loss == Loss::Everything => None,
            outcome = soon("it ends", &mut running) => Some(outcome),
        };
        let blown = site.fuse.blown();
        // No destructor runs in a process that is killed.
        match outcome {
            None => std::mem::forget(running),
            Some(_) => drop(running),
        }
        site.fuse.disarm();
        match outcome {
            Some(outcome) if !blown => {
                check(process, End::Through(outcome)).await;
                return requests;
            }
            outcome => check(process, End::Broken(outcome)).await,
        }
        // Else the client of one that was killed asks the servers for signs of life, which counts as
        // requests of the next.
        soon("its connections end", client.close()).await;
        requests += 1;
    }
}
