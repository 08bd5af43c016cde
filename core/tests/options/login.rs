//! Who logs in, on whatever connection.

use alizarin_core::{
    CacheConfig, Client, Config, Credentials, ErrorKind, Protocol, ReadFrom, RotatingCredentials,
};
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::table::Row;
use crate::topology::{Topology, connections, refusals, until};

pub(crate) const ROWS: &[Row] = &[Row::new(
    &["user", "password", "credentials", "client_name", "protocol", "database", "tracking"],
    |runtime, topology| {
        who_logs_in(runtime, topology);
        a_wrong_password(runtime, topology);
        another_database(runtime, topology);
    },
)];

/// User, name, protocol and database, on whatever connection; that of a cache is told of changes.
fn who_logs_in(runtime: &Runtime, topology: &Topology) {
    let login = |config: Config| config.login("app", "hunter2");
    let provider = |config: Config| {
        config.credentials(RotatingCredentials::new(Credentials::login("app", "hunter2")))
    };
    let ways: [(Protocol, &dyn Fn(Config) -> Config); 3] =
        [(Protocol::Resp2, &login), (Protocol::Resp3, &login), (Protocol::Resp3, &provider)];
    for (protocol, way) in ways {
        let database = if topology.kind.is_cluster() { 0 } else { 3 };
        let config = way(topology.config.clone()).client_name("billing").protocol(protocol);
        let config = config.database(database).read_from(ReadFrom::Replica);
        for client in clients(runtime, &config) {
            for n in 0..20 {
                run(runtime, &client, client.set(format!("key:{n}"), n)).unwrap();
                let _: Option<u32> = run(runtime, &client, client.get(format!("key:{n}"))).unwrap();
            }
            let news = run(runtime, &client, client.subscribe(["news"])).unwrap();
            let list = client.command::<Option<(String, String)>>("BLPOP").key("list").arg(0.05);
            assert_eq!(run(runtime, &client, list).unwrap(), None);
            let cache = client.cache(CacheConfig::new());
            let cached = protocol == Protocol::Resp3
                && !(client.is_blocking() && topology.kind.is_cluster());
            let cache = cached.then(|| run(runtime, &client, cache).unwrap());
            let number = if protocol == Protocol::Resp2 { "resp=2" } else { "resp=3" };
            let wanted = [
                "name=billing ".into(),
                "user=app ".into(),
                number.into(),
                format!("db={database} "),
            ];
            let (mut seen, mut told) = (0, 0);
            for server in topology.servers() {
                for line in connections(server) {
                    seen += 1;
                    told += usize::from(line.contains("flags=t"));
                    for part in &wanted {
                        assert!(line.contains(part), "{:?}: {part} not in {line}", topology.kind);
                    }
                }
            }
            assert!(seen >= 2 + usize::from(cached), "{:?}: {seen}", topology.kind);
            assert_eq!(told > 0, cached, "{:?}: {told} are told of changes", topology.kind);
            drop((news, cache));
            close(runtime, topology, client);
        }
    }
}

/// Ends a client, and waits until no server has a connection to it.
pub(crate) fn close(runtime: &Runtime, topology: &Topology, client: Client) {
    run(runtime, &client, async {
        client.close().await;
        Ok(())
    })
    .unwrap();
    drop(client);
    none_of_ours(topology);
}

/// Waits until all connections are closed that were.
pub(crate) fn none_of_ours(topology: &Topology) {
    until("all is closed", || {
        topology.servers().iter().all(|server| connections(server).is_empty())
    });
}

fn a_wrong_password(runtime: &Runtime, topology: &Topology) {
    let config = topology.config.clone().login("app", "hunter3");
    for error in refusals(runtime, &config) {
        assert_eq!(error.kind(), ErrorKind::Auth, "{:?}: {error}", topology.kind);
        assert!(!format!("{error} {error:?}").contains("hunter"), "{error:?}");
    }
}

/// A cluster has none: that is said, and not passed over.
fn another_database(runtime: &Runtime, topology: &Topology) {
    let config = topology.config.clone().database(1);
    if !topology.kind.is_cluster() {
        clients(runtime, &config).for_each(drop);
        return;
    }
    for error in refusals(runtime, &config) {
        assert!(error.to_string().contains("`database`"), "{error}");
    }
}
