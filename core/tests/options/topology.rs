//! What there is to connect to, and what its servers tell of those who are connected.

use std::time::{Duration, Instant};

use alizarin_core::{Client, Config, Error, Tls};
use alizarin_testkit::{Cluster, Sentinel, Server, ServerBuilder, Tls as Papers};
use tokio::runtime::Runtime;

use crate::either::{clients, connect};

/// Nothing takes longer.
const LONG: Duration = Duration::from_secs(30);

/// The only name that the certificates are for: whoever does not ask for it is not connected.
pub(crate) const NAME: &str = "db.example";

/// The password of the sentinels.
pub(crate) const SESAME: &str = "sesame";

/// A sort of deployment, and how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cluster,
    ClusterByTls,
    Sentinels,
    SentinelsByTls,
    Tcp,
    Tls,
    UnixSocket,
}

impl Kind {
    pub(crate) const ALL: [Kind; 7] = [
        Kind::Cluster,
        Kind::ClusterByTls,
        Kind::Sentinels,
        Kind::SentinelsByTls,
        Kind::Tcp,
        Kind::Tls,
        Kind::UnixSocket,
    ];

    pub(crate) fn is_cluster(self) -> bool {
        matches!(self, Kind::Cluster | Kind::ClusterByTls)
    }

    pub(crate) fn is_encrypted(self) -> bool {
        matches!(self, Kind::ClusterByTls | Kind::SentinelsByTls | Kind::Tls)
    }

    pub(crate) fn is_one_server(self) -> bool {
        matches!(self, Kind::Tcp | Kind::Tls | Kind::UnixSocket)
    }

    pub(crate) fn has_sentinels(self) -> bool {
        matches!(self, Kind::Sentinels | Kind::SentinelsByTls)
    }
}

enum Place {
    Cluster(Cluster),
    One(Server),
    Sentinel(Sentinel),
}

/// A deployment of that sort.
pub(crate) struct Topology {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    /// What connects to it: with nothing but what it needs.
    pub(crate) config: Config,
    pub(crate) papers: Papers,
    place: Place,
}

impl Topology {
    pub(crate) fn start(kind: Kind) -> Topology {
        let papers = Papers::new().unwrap().names([NAME]);
        let place = match kind.is_encrypted() {
            true => Topology::place(kind, Some(&papers)),
            false => Topology::place(kind, None),
        };
        let url = match (&place, kind) {
            (Place::Cluster(cluster), _) => cluster.url(),
            (Place::Sentinel(deployment), _) => deployment.url(),
            (Place::One(server), Kind::Tls) => server.tls_url().unwrap(),
            (Place::One(server), Kind::UnixSocket) => server.unix_url().unwrap(),
            (Place::One(server), _) => server.url(),
        };
        let config: Config = url.parse().unwrap();
        let config = match kind.is_encrypted() {
            true => config.tls(Tls::new().ca_pem(papers.ca_pem()).server_name(NAME)),
            false => config,
        };
        Topology { kind, url, config, papers, place }
    }

    /// Where servers that are paused for some seconds are taken for dead by nobody else.
    fn place(kind: Kind, papers: Option<&Papers>) -> Place {
        if kind.is_cluster() {
            let cluster = Cluster::builder().user("app", "hunter2").node_timeout(8_000);
            let cluster = match papers {
                Some(papers) => cluster.tls(papers).unwrap(),
                None => cluster,
            };
            return Place::Cluster(cluster.start().unwrap());
        }
        if kind.has_sentinels() {
            let sentinels = Sentinel::builder().sentinel_password(SESAME).down_after(60_000);
            let sentinels = sentinels.user("app", "hunter2");
            let sentinels = match papers {
                Some(papers) => sentinels.tls(papers).unwrap(),
                None => sentinels,
            };
            return Place::Sentinel(sentinels.start().unwrap());
        }
        let one: ServerBuilder = Server::builder().private().modules(false).user("app", "hunter2");
        let one = match papers {
            Some(papers) => one.tls(papers).unwrap(),
            None => one,
        };
        Place::One(one.start().unwrap())
    }

    pub(crate) fn servers(&self) -> Vec<&Server> {
        match &self.place {
            Place::Cluster(cluster) => (0..cluster.len()).map(|at| cluster.node(at)).collect(),
            Place::One(server) => vec![server],
            Place::Sentinel(all) => (0..all.servers()).map(|at| all.server(at)).collect(),
        }
    }

    pub(crate) fn primaries(&self) -> Vec<&Server> {
        self.servers().into_iter().filter(|server| is_primary(server)).collect()
    }

    pub(crate) fn replicas(&self) -> Vec<&Server> {
        self.servers().into_iter().filter(|server| !is_primary(server)).collect()
    }

    /// The cluster that it is.
    pub(crate) fn cluster(&self) -> &Cluster {
        match &self.place {
            Place::Cluster(cluster) => cluster,
            _ => panic!("{:?} is no cluster", self.kind),
        }
    }

    /// The port of a server that clients come to.
    pub(crate) fn port(&self, server: &Server) -> u16 {
        let port = if self.kind.is_encrypted() { server.tls_port() } else { server.port() };
        port.unwrap()
    }

    /// Changes a setting of every server.
    pub(crate) fn set(&self, words: &[&str]) {
        for server in self.servers() {
            server.command(&[&["CONFIG", "SET"], words].concat()).unwrap();
        }
    }

    /// Lets the servers begin to count anew.
    pub(crate) fn forget(&self) {
        for server in self.servers() {
            server.command(&["CONFIG", "RESETSTAT"]).unwrap();
        }
    }

    /// Lets all servers hang.
    pub(crate) fn pause(&mut self) {
        self.each(|server| server.pause().unwrap());
    }

    pub(crate) fn resume(&mut self) {
        self.each(|server| server.resume().unwrap());
    }

    pub(crate) fn stop(&mut self) {
        self.each(|server| server.stop().unwrap());
    }

    fn each(&mut self, mut change: impl FnMut(&mut Server)) {
        match &mut self.place {
            Place::Cluster(cluster) => {
                (0..cluster.len()).for_each(|at| change(cluster.node_mut(at)));
            }
            Place::One(server) => change(server),
            Place::Sentinel(all) => (0..all.servers()).for_each(|at| change(all.server_mut(at))),
        }
    }
}

fn is_primary(server: &Server) -> bool {
    server.command(&["ROLE"]).unwrap().starts_with("master")
}

/// Looks again and again.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// The async client alone.
pub(crate) fn shared(runtime: &Runtime, config: &Config) -> Client {
    clients(runtime, config).next().unwrap()
}

/// Why neither client is let in.
pub(crate) fn refusals(runtime: &Runtime, config: &Config) -> [Error; 2] {
    [false, true].map(|blocking| connect(runtime, config, blocking).unwrap_err())
}

/// What a server says of each connection of ours.
pub(crate) fn connections(server: &Server) -> Vec<String> {
    let list = server.command(&["CLIENT", "LIST"]).unwrap();
    let ours = list.lines().filter(|line| line.contains("lib-name=alizarin"));
    ours.map(|line| format!("{line} ")).collect()
}

/// How often these servers executed a command, as `INFO commandstats` names it.
pub(crate) fn calls(servers: &[&Server], command: &str) -> u64 {
    count(servers, "commandstats", &format!("cmdstat_{command}:calls="))
}

/// The sum of what follows `name` in a section of what the servers say of themselves.
pub(crate) fn count(servers: &[&Server], section: &str, name: &str) -> u64 {
    let of_one = |server: &&Server| {
        let info = server.command(&["INFO", section]).unwrap();
        let lines = info.lines().filter_map(|line| line.strip_prefix(name));
        let numbers = lines.filter_map(|line| line.split(',').next()?.trim().parse::<u64>().ok());
        numbers.sum::<u64>()
    };
    servers.iter().map(of_one).sum()
}
