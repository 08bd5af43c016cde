//! A real cluster: three primaries with a replica each.

use std::net::SocketAddr;

use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::tier::until;

/// Six servers that form a cluster.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

/// The slots of each third.
const RANGES: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

impl Cluster {
    pub(crate) fn start() -> Cluster {
        let builder = Server::builder().modules(false).args([
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "2000",
            "--cluster-require-full-coverage",
            "no",
            "--repl-diskless-sync-delay",
            "0",
        ]);
        let nodes: Vec<Server> = (0..6).map(|_| builder.clone().start().unwrap()).collect();
        for (node, (first, last)) in nodes.iter().zip(RANGES) {
            let (first, last) = (first.to_string(), last.to_string());
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).unwrap();
        }
        for (epoch, node) in nodes.iter().enumerate() {
            let epoch = (epoch + 1).to_string();
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).unwrap();
            let port = node.port().unwrap().to_string();
            nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &port]).unwrap();
        }
        let cluster = Cluster { nodes };
        until("the nodes know each other", || {
            cluster.nodes.iter().all(|node| lines(node).len() == 6)
        });
        for at in 0..3 {
            let primary = cluster.nodes[at].command(&["CLUSTER", "MYID"]).unwrap();
            let replica = &cluster.nodes[at + 3];
            until("the replica knows its primary", || {
                replica.command(&["CLUSTER", "REPLICATE", &primary]).is_ok()
            });
        }
        cluster.until_whole();
        cluster
    }

    /// Waits until each primary has a replica that is in sync, and all nodes agree.
    pub(crate) fn until_whole(&self) {
        until("the cluster is whole", || {
            self.nodes.iter().all(|node| {
                let known = lines(node);
                known.len() == 6
                    && known
                        .iter()
                        .all(|line| !line.contains("fail") && !line.contains("handshake"))
                    && known.iter().filter(|line| line.contains("master")).count() == 3
                    && info(node, "cluster", "cluster_state:") == "ok"
                    && (info(node, "replication", "role:") == "master"
                        || info(node, "replication", "master_link_status:") == "up")
            })
        });
    }

    pub(crate) fn url(&self) -> String {
        let nodes: Vec<String> = self.addresses().iter().map(ToString::to_string).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes
            .iter()
            .map(|node| SocketAddr::from(([127, 0, 0, 1], node.port().unwrap())))
            .collect()
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.url().as_str()).await.unwrap()
    }

    /// The node that serves this key, as a living node sees it.
    pub(crate) fn primary_of(&self, key: &str) -> usize {
        (0..self.nodes.len())
            .find(|at| self.nodes[*at].command(&["GET", key]).is_ok())
            .expect("somebody serves every slot")
    }
}

/// What a node says of all nodes.
fn lines(node: &Server) -> Vec<String> {
    let all = node.command(&["CLUSTER", "NODES"]).unwrap_or_default();
    all.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn info(node: &Server, section: &str, field: &str) -> String {
    let command: &[&str] =
        if section == "cluster" { &["CLUSTER", "INFO"] } else { &["INFO", section] };
    let all = node.command(command).unwrap_or_default();
    let line = all.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap_or_default().trim().to_owned()
}
