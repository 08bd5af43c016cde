//! What is under way at once, and by how many connections.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use alizarin_core::Config;
use alizarin_core::commands::{get, incr};
use tokio::runtime::Runtime;

use crate::either::run;
use crate::login::close;
use crate::table::Row;
use crate::topology::{Topology, connections, shared};

/// Of a blocking client's connections each has one request under way, and all are those of its pool.
pub(crate) const ROWS: &[Row] = &[
    Row::new(&["connections"], several_connections),
    Row::new(&["max_in_flight"], commands_in_flight),
    Row::new(&["max_pending_bytes"], bytes_that_wait),
];

/// Commands go by all of them in turn, and all end with the client.
fn several_connections(runtime: &Runtime, topology: &mut Topology) {
    let config = topology.config.clone().connections(3).client_name("lane");
    let client = shared(runtime, &config);
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let client = client.clone();
            runtime.spawn(async move {
                for round in 0..20 {
                    let (key, value) = (format!("key:{n}"), format!("{n} {round}"));
                    client.set(&key, &value).await.unwrap();
                    assert_eq!(client.get::<String>(&key).await.unwrap(), value);
                    let both = (get::<String>(&key), incr("{lane}"));
                    assert_eq!(client.pipeline(both).await.unwrap().0, value);
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    let counted: u32 = run(runtime, &client, client.get("{lane}")).unwrap();
    assert_eq!(counted, 1_200);
    run(runtime, &client, client.del(["{lane}"])).map(drop).unwrap();
    // Each was used: the login is six commands at most.
    for server in topology.primaries() {
        let used = |line: &&String| {
            let commands = line.split(' ').find_map(|word| word.strip_prefix("tot-cmds="));
            commands.is_some_and(|count| count.parse::<u32>().unwrap() > 20)
        };
        let all = connections(server);
        assert_eq!(all.iter().filter(used).count(), 3, "{:?}: {all:?}", topology.kind);
    }
    close(runtime, topology, client);
}

/// Polls a future once.
fn begin(runtime: &Runtime, mut future: impl Future + Unpin) -> impl Future + Unpin {
    runtime.block_on(poll_fn(|cx| {
        assert!(Pin::new(&mut future).poll(cx).is_pending());
        Poll::Ready(())
    }));
    future
}

/// How many of some commands are executed that are begun while the servers hang, and then dropped:
/// what is under way cannot be taken back, what waits for its turn is never sent.
fn executed(
    runtime: &Runtime,
    topology: &mut Topology,
    config: &Config,
    first: Option<Vec<u8>>,
) -> u32 {
    let client = shared(runtime, config);
    run(runtime, &client, client.set("{turn}n", 0)).unwrap();
    topology.pause();
    let first = first.map(|value| begin(runtime, client.set("{turn}large", value).into_future()));
    let others: Vec<_> =
        (0..5).map(|_| begin(runtime, client.incr("{turn}n").into_future())).collect();
    drop((first, others));
    topology.resume();
    run(runtime, &client, client.get("{turn}n")).unwrap()
}

fn commands_in_flight(runtime: &Runtime, topology: &mut Topology) {
    for (most, expected) in [(2, 2), (1_000, 5)] {
        let config = topology.config.clone().max_in_flight(most);
        assert_eq!(executed(runtime, topology, &config, None), expected, "{:?}", topology.kind);
    }
}

/// Behind a value that is larger than what the system takes in for a server that does not read.
fn bytes_that_wait(runtime: &Runtime, topology: &mut Topology) {
    for (most, expected) in [(1, 0), (1 << 30, 5)] {
        let config = topology.config.clone().max_pending_bytes(most);
        let value = vec![b'x'; 24 << 20];
        let executed = executed(runtime, topology, &config, Some(value));
        assert_eq!(executed, expected, "{:?}", topology.kind);
    }
    let client = shared(runtime, &topology.config);
    run(runtime, &client, client.del(["{turn}large"])).unwrap();
}
