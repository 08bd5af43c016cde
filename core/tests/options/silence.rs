//! Servers that are silent: how long they are waited for.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use alizarin_core::{Client, Config, ErrorKind, Sent, Tls};
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::table::Row;
use crate::topology::{Topology, connections, refusals, shared, until};

pub(crate) const ROWS: &[Row] = &[
    Row::new(&["connect_timeout"], nobody_who_answers),
    Row::new(&["response_timeout"], a_server_that_hangs),
    Row::new(&["heartbeat"], |runtime, topology| {
        signs_of_life(runtime, topology);
        signs_of_life_while_a_command_waits(runtime, topology);
    }),
    Row::new(&["relaxed_timeout"], a_server_that_keeps_its_answer_back),
];

const HOUR: Duration = Duration::from_secs(3_600);

/// The servers accept, and say nothing.
fn nobody_who_answers(runtime: &Runtime, topology: &mut Topology) {
    let config = topology.config.clone().response_timeout(HOUR).total_timeout(HOUR);
    let config = config.connect_timeout(Duration::from_millis(150));
    topology.pause();
    let begun = Instant::now();
    let errors = refusals(runtime, &config);
    let took = begun.elapsed();
    topology.resume();
    for error in errors {
        let known = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Connect);
        assert!(known, "{:?}: {error:?}", topology.kind);
    }
    // One after the other is asked. Unless set, one alone is for five seconds.
    assert!(took < Duration::from_secs(5), "{:?}: {took:?}", topology.kind);
}

fn a_server_that_hangs(runtime: &Runtime, topology: &mut Topology) {
    let config = topology.config.clone().response_timeout(Duration::from_millis(210));
    for client in clients(runtime, &config) {
        run(runtime, &client, client.set("key", 1)).unwrap();
        topology.pause();
        let error = run(runtime, &client, client.incr("key")).unwrap_err();
        topology.resume();
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::Timeout, Sent::Unknown),
            "{:?}: {error}",
            topology.kind
        );
        assert!(error.to_string().contains("210ms"), "{:?}: {error}", topology.kind);
    }
}

/// The heartbeat of idle connections; a blocking client reads nothing while nobody calls.
fn signs_of_life(runtime: &Runtime, topology: &Topology) {
    let config = topology.config.clone().heartbeat(Duration::from_millis(100));
    let client = shared(runtime, &config);
    for n in 0..20 {
        run(runtime, &client, client.set(format!("key:{n}"), n)).unwrap();
    }
    let primaries = topology.primaries();
    until("every idle connection is asked", || {
        let is_ping = |line: &String| line.contains("cmd=ping");
        primaries.iter().all(|server| connections(server).iter().any(is_ping))
    });
    runtime.block_on(client.close());
}

/// A command that waits on the server has no other limit.
fn signs_of_life_while_a_command_waits(runtime: &Runtime, topology: &mut Topology) {
    let config = topology.config.clone().response_timeout(Duration::from_millis(210));
    for client in clients(runtime, &config.heartbeat(Duration::from_millis(100))) {
        let error = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let pop = client.command::<(String, String)>("BLPOP").key("{none}list").arg(0);
                run(runtime, &client, pop).unwrap_err()
            });
            until("it waits", || {
                let is_pop = |line: &String| line.contains("cmd=blpop");
                topology.servers().iter().any(|server| connections(server).iter().any(is_pop))
            });
            topology.pause();
            let begun = Instant::now();
            let error = waiting.join().unwrap();
            let took = begun.elapsed();
            topology.resume();
            // Unless set, it is five seconds before the server is asked.
            assert!(took < Duration::from_secs(4), "{:?}: {took:?}", topology.kind);
            error
        });
        assert_eq!(
            (error.kind(), error.sent()),
            (ErrorKind::Timeout, Sent::Unknown),
            "{:?}: {error}",
            topology.kind
        );
    }
}

/// The primaries hold writes up, as they do before they hand over to a replica.
fn a_server_that_keeps_its_answer_back(runtime: &Runtime, topology: &mut Topology) {
    let response = Duration::from_millis(600);
    let config = topology.config.clone().response_timeout(response);
    for (config, time, outlasts) in
        [(config.clone(), "1300", true), (config.relaxed_timeout(response), "60000", false)]
    {
        let clients: Vec<_> = clients(runtime, &config).collect();
        for server in topology.primaries() {
            server.command(&["CLIENT", "PAUSE", time, "WRITE"]).unwrap();
        }
        let write = |client: &Client| {
            let begun = Instant::now();
            let outcome = run(runtime, client, client.set("key", 1));
            let facts = outcome.map_err(|error| (error.kind(), error.sent()));
            (facts, begun.elapsed())
        };
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let both: Vec<_> = clients.iter().map(|one| scope.spawn(|| write(one))).collect();
            both.into_iter().map(|one| one.join().unwrap()).collect()
        });
        for server in topology.primaries() {
            server.command(&["CLIENT", "UNPAUSE"]).unwrap();
        }
        for (outcome, took) in outcomes {
            let late = Err((ErrorKind::Timeout, Sent::Unknown));
            assert_eq!(outcome, if outlasts { Ok(true) } else { late }, "{:?}", topology.kind);
            let least = if outlasts { response * 2 } else { response };
            let in_time = took >= least && took < Duration::from_secs(5);
            assert!(in_time, "{:?}: {took:?}", topology.kind);
        }
    }
}

/// Whoever accepts and says nothing may be no server at all; the sentinels may be silent too.
#[test]
fn the_time_to_connect_is_bounded_everywhere() {
    let runtime = Runtime::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let folder = std::env::temp_dir().join(format!("alizarin-options-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("silent.sock");
    let _silent = UnixListener::bind(&socket).unwrap();
    let tls = || Tls::new().webpki_roots();
    let seeds = [("127.0.0.1", port)];
    for config in [
        Config::new().tcp("127.0.0.1", port),
        Config::new().tcp("127.0.0.1", port).tls(tls()),
        Config::new().unix(&socket),
        Config::new().cluster(seeds),
        Config::new().cluster(seeds).tls(tls()),
        Config::new().sentinels(seeds, "mymaster"),
        Config::new().sentinels(seeds, "mymaster").tls(tls()),
    ] {
        let config = config.response_timeout(HOUR).total_timeout(HOUR);
        let config = config.connect_timeout(Duration::from_millis(250));
        for error in refusals(&runtime, &config) {
            let known = matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Connect);
            assert!(known, "{config:?}: {error:?}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}
