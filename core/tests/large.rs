//! Large values on real servers: what they cost in memory, and that they arrive whole by every
//! way there is to send them.
#![cfg(feature = "tls")]

mod either;

use alizarin_core::command::each;
use alizarin_core::commands::{get, set};
use alizarin_core::{Config, Tls};
use alizarin_testkit::{Cluster, Server, Tls as Papers};
use bytes::Bytes;
use either::{clients, run};
use tokio::runtime::Runtime;

const MIB: usize = 1 << 20;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn value(n: usize, size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + at / 255 + n) as u8).collect()
}

#[test]
fn they_arrive_whole_by_every_way() {
    let papers = Papers::new().unwrap();
    let server = Server::builder().private().modules(false).tls(&papers).unwrap();
    let server = server.start().unwrap();
    let cluster = Cluster::start().unwrap();
    let tls = Tls::new().ca_pem(papers.ca_pem());
    let parse = |url: String| url.parse::<Config>().unwrap();
    let configs = [
        ("TCP", parse(server.url())),
        ("two connections", parse(server.url()).connections(2)),
        ("Unix socket", parse(server.unix_url().unwrap())),
        ("TLS", parse(server.tls_url().unwrap()).tls(tls)),
        ("cluster", parse(cluster.url())),
    ];
    let runtime = runtime();
    for (name, config) in configs {
        for client in clients(&runtime, &config) {
            let name = format!("{name}, blocking: {}", client.is_blocking());
            for size in [32 * 1024 - 1, 32 * 1024, MIB, 10 * MIB + 1] {
                let owned = value(1, size);
                run(&runtime, &client, client.set("{l}owned", owned.clone())).unwrap();
                run(&runtime, &client, client.set("{l}borrowed", &*owned)).unwrap();
                let bytes = Bytes::from(owned.clone());
                let together = client.pipeline((
                    set("{l}shared", bytes.clone()),
                    set("{l}small", "s"),
                    get::<Bytes>("{l}owned"),
                    get::<Bytes>("{l}borrowed"),
                    get::<Bytes>("{l}shared"),
                ));
                let (_, _, one, two, three) = run(&runtime, &client, together).unwrap();
                assert!([one, two, three].iter().all(|found| *found == owned), "{name}, {size}");
                let atomic = client.transaction((
                    set("{l}owned", value(2, size)),
                    get::<Bytes>("{l}owned"),
                    set("{l}small", "t"),
                    get::<String>("{l}small"),
                ));
                let (_, large, _, small) = run(&runtime, &client, atomic).unwrap();
                assert!(large == value(2, size) && small == "t", "{name}, {size}");
            }
            // Over all nodes, one command and many.
            let keys: Vec<String> = (0..9).map(|n| format!("l{n}")).collect();
            let pairs = |size| keys.iter().enumerate().map(move |(n, key)| (key, value(n, size)));
            let many = each(pairs(70_000).map(|(key, value)| set(key, value)));
            run(&runtime, &client, client.pipeline(many)).unwrap();
            let found = run(&runtime, &client, client.mget::<Bytes>(&keys)).unwrap();
            assert!(found.into_iter().eq(pairs(70_000).map(|(_, value)| value)), "{name}");
            let mset = client.command::<()>("MSET").key(&keys[0]).arg(value(0, 50_000));
            let mset =
                pairs(50_000).skip(1).fold(mset, |mset, (key, value)| mset.key(key).arg(value));
            run(&runtime, &client, mset).unwrap();
            let found = run(&runtime, &client, client.mget::<Bytes>(&keys)).unwrap();
            assert!(found.into_iter().eq(pairs(50_000).map(|(_, value)| value)), "{name}");
        }
    }
}

#[test]
fn they_are_not_copied_on_their_way_out() {
    let server = Server::start().unwrap();
    let cluster = Cluster::start().unwrap();
    let size = 10 * MIB;
    let runtime = runtime();
    for url in [server.url(), cluster.url()] {
        for client in clients(&runtime, &url.parse().unwrap()) {
            let key = format!("{}large", server.namespace());
            let (text, bytes) = ("x".repeat(size), Bytes::from(vec![b'x'; size]));
            run(&runtime, &client, client.set(&key, &bytes)).unwrap();
            let spent = |copies: u64, work: &mut dyn FnMut()| {
                let info = allocation_counter::measure(work);
                let (blocking, most) = (client.is_blocking(), copies * size as u64 + 100_000);
                assert!(
                    info.bytes_total <= most,
                    "{} bytes; blocking: {blocking}",
                    info.bytes_total
                );
                assert!(info.bytes_current <= 100_000, "{} are kept", info.bytes_current);
            };
            let mut given = (Some(text.clone()), Some(text.clone().into_bytes()));
            spent(0, &mut || {
                run(&runtime, &client, client.set(&key, given.0.take().unwrap())).unwrap();
                run(&runtime, &client, client.set(&key, given.1.take().unwrap())).unwrap();
                run(&runtime, &client, client.set(&key, &bytes)).unwrap();
                run(&runtime, &client, client.set(&key, bytes.clone())).unwrap();
            });
            spent(1, &mut || {
                run(&runtime, &client, client.set(&key, &text)).unwrap();
            });
            spent(0, &mut || {
                let batch = (set(&key, &bytes), set(&key, bytes.clone()));
                run(&runtime, &client, client.pipeline(batch)).unwrap();
                let batch = (set(&key, &bytes), set(&key, bytes.clone()));
                run(&runtime, &client, client.transaction(batch)).unwrap();
            });
        }
    }
}

#[test]
fn a_value_of_10_mib_is_allocated_once_when_it_comes() {
    let server = Server::start().unwrap();
    let size = 10 * MIB;
    let runtime = runtime();
    for client in clients(&runtime, &server.url().parse().unwrap()) {
        let key = format!("{}large", server.namespace());
        run(&runtime, &client, client.set(&key, vec![b'x'; size])).unwrap();
        let info = allocation_counter::measure(|| {
            let found: Bytes = run(&runtime, &client, client.get(&key)).unwrap();
            assert_eq!(found.len(), size);
        });
        let most = size as u64 / 10 * 11;
        let blocking = client.is_blocking();
        assert!(info.bytes_total <= most, "{} bytes; blocking: {blocking}", info.bytes_total);
    }
}
