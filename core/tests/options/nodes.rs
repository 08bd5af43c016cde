//! Which servers are used, and how the client learns of them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alizarin_core::ReadFrom;
use alizarin_testkit::Proxy;
use tokio::runtime::Runtime;

use crate::either::{clients, connect, run};
use crate::table::Row;
use crate::topology::{Kind, Topology, calls, count, until};

pub(crate) const ROWS: &[Row] = &[
    Row::new(&["maintenance"], what_the_servers_announce)
        .except(|kind| kind == Kind::UnixSocket, "what listens on a Unix socket cannot move"),
    Row::new(&["read_from", "readonly"], who_answers_reads)
        .except(Kind::is_one_server, "one server has no replicas"),
    Row::new(&["remap"], where_the_servers_are)
        .except(Kind::is_one_server, "nobody names it but the caller"),
    Row::new(&["topology_interval"], how_often_the_servers_are_asked_for)
        .except(Kind::is_one_server, "it is asked for no others"),
    Row::new(&["max_redirects"], how_often_a_command_is_redirected)
        .except(|kind| !kind.is_cluster(), "only nodes of a cluster redirect"),
];

/// Asks every primary for something.
fn visit(runtime: &Runtime, client: &alizarin_core::Client) {
    for n in 0..20 {
        run(runtime, client, client.set(format!("key:{n}"), n)).unwrap();
    }
}

/// Servers that do not know the question refuse it, which they count.
fn what_the_servers_announce(runtime: &Runtime, topology: &mut Topology) {
    let servers = topology.primaries();
    for announced in [true, false] {
        topology.forget();
        for client in clients(runtime, &topology.config.clone().maintenance(announced)) {
            visit(runtime, &client);
            for server in &servers {
                let refused = count(&[server], "errorstats", "errorstat_ERR:count=");
                assert_eq!(refused > 0, announced, "{:?}: {refused}", topology.kind);
            }
            topology.forget();
        }
    }
}

/// A replica of a cluster answers nobody who has not said `READONLY`.
fn who_answers_reads(runtime: &Runtime, topology: &mut Topology) {
    let (primaries, replicas) = (topology.primaries(), topology.replicas());
    for (from, by_primaries, by_replicas) in [
        (ReadFrom::Primary, true, false),
        (ReadFrom::Replica, false, true),
        (ReadFrom::Random, false, true),
        (ReadFrom::Any, true, true),
        (ReadFrom::Zone("nowhere".into()), false, true),
    ] {
        let config = topology.config.clone().read_from(from.clone());
        for client in clients(runtime, &config) {
            visit(runtime, &client);
            let read = || {
                for n in 0..20 {
                    let key = format!("key:{n}");
                    let _: Option<u32> = run(runtime, &client, client.get(key)).unwrap();
                }
            };
            topology.forget();
            until("all replicas are connected", || {
                read();
                let used = |server| calls(&[server], "get") > 0;
                !by_replicas || replicas.iter().all(|server| used(server))
            });
            topology.forget();
            (0..3).for_each(|_| read());
            let (first, second) = (calls(&primaries, "get"), calls(&replicas, "get"));
            assert_eq!(
                (first > 0, second > 0, first + second),
                (by_primaries, by_replicas, 60),
                "{:?}: {from:?}, blocking: {}",
                topology.kind,
                client.is_blocking()
            );
        }
    }
    // Whoever that is.
    for client in clients(runtime, &topology.config.clone().read_from(ReadFrom::Nearest)) {
        visit(runtime, &client);
        let n: Option<u32> = run(runtime, &client, client.get("key:7")).unwrap();
        assert!(n.is_some());
    }
}

/// Behind proxies, which have other ports than the servers say.
fn where_the_servers_are(runtime: &Runtime, topology: &mut Topology) {
    for blocking in [false, true] {
        let proxies: HashMap<u16, Proxy> = topology
            .servers()
            .into_iter()
            .map(|server| topology.port(server))
            .map(|port| (port, Proxy::start(([127, 0, 0, 1], port).into()).unwrap()))
            .collect();
        let ports: HashMap<u16, u16> =
            proxies.iter().map(|(port, proxy)| (*port, proxy.address().port())).collect();
        let config = topology.config.clone().read_from(ReadFrom::Replica);
        let config =
            config.remap(move |host, port| (host.into(), *ports.get(&port).unwrap_or(&port)));
        let client = connect(runtime, &config, blocking).unwrap();
        let used: Vec<u64> = proxies.values().map(Proxy::connections).collect();
        visit(runtime, &client);
        let _news = run(runtime, &client, client.subscribe(["news"])).unwrap();
        let _own = run(runtime, &client, client.exclusive_for("key")).unwrap();
        until("all servers are reached through their proxies", || {
            for n in 0..20 {
                let key = format!("key:{n}");
                let _: Option<u32> = run(runtime, &client, client.get(key)).unwrap();
            }
            proxies.values().all(|proxy| proxy.connections() > 0)
        });
        assert_eq!(used.len(), topology.servers().len());
    }
}

/// Whoever is asked names the servers; each name is looked up.
fn how_often_the_servers_are_asked_for(runtime: &Runtime, topology: &mut Topology) {
    for interval in [Duration::from_millis(100), Duration::from_secs(3_600)] {
        for blocking in [false, true] {
            let named = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&named);
            let config = topology.config.clone().read_from(ReadFrom::Replica);
            let config = config.topology_interval(interval).remap(move |host, port| {
                counter.fetch_add(1, Ordering::Relaxed);
                (host.into(), port)
            });
            let client = connect(runtime, &config, blocking).unwrap();
            // A blocking client asks before what it sends next.
            let ask = || {
                let _: Option<u32> = run(runtime, &client, client.get("key:1")).unwrap();
            };
            // At first there are reasons to ask.
            let settled = Instant::now() + Duration::from_millis(300);
            while Instant::now() < settled {
                ask();
            }
            // A cluster's map that has not changed names nobody anew.
            let asked_for = || match topology.kind.is_cluster() {
                true => usize::try_from(calls(&topology.servers(), "cluster|shards")).unwrap(),
                false => named.load(Ordering::Relaxed),
            };
            let before = asked_for();
            let (once, end) =
                (topology.servers().len(), Instant::now() + Duration::from_millis(700));
            while Instant::now() < end {
                ask();
            }
            let more = asked_for() - before;
            let once = if topology.kind.is_cluster() { 1 } else { once };
            let often = more >= 2 * once;
            let asked = interval < Duration::from_secs(1);
            assert!(
                often == asked && (asked || more <= once),
                "{:?}, blocking: {blocking}, every {interval:?}: {more}",
                topology.kind
            );
        }
    }
}

/// A key that is not there, of a slot that is moving: the node that had it names the one that gets it.
fn how_often_a_command_is_redirected(runtime: &Runtime, topology: &mut Topology) {
    let cluster = topology.cluster();
    let key = "{redirected}none";
    let slot = cluster.node(0).command(&["CLUSTER", "KEYSLOT", key]).unwrap();
    let from = cluster.primary_of(key).unwrap();
    let others = (0..20).map(|n| cluster.primary_of(&format!("key:{n}")).unwrap());
    let to = others.into_iter().find(|other| *other != from).unwrap();
    cluster.begin_move(slot.parse().unwrap(), from, to).unwrap();
    for most in [0, 1] {
        for client in clients(runtime, &topology.config.clone().max_redirects(most)) {
            let outcome = run(runtime, &client, client.get::<Option<u32>>(key));
            match most {
                0 => {
                    let error = outcome.unwrap_err().to_string();
                    assert!(error.contains("after 0 redirections"), "{error}");
                }
                _ => assert_eq!(outcome.unwrap(), None),
            }
        }
    }
    for node in [from, to] {
        cluster.node(node).command(&["CLUSTER", "SETSLOT", &slot, "STABLE"]).unwrap();
    }
}
