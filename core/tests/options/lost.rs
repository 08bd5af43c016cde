//! Connections that are lost, and servers that stay away.

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alizarin_core::commands::{get, set};
use alizarin_core::{Backoff, Client, Config, ErrorKind, PoolConfig, Sent};
use alizarin_testkit::Server;
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::table::Row;
use crate::topology::{Kind, Topology, calls, shared};

pub(crate) const ROWS: &[Row] = &[
    Row::new(&["retries"], answers_that_are_lost),
    Row::new(&[], no_end),
    // Nothing runs any more after this.
    Row::new(&["total_timeout", "fail_fast", "backoff"], servers_that_stay_away),
];

/// A server cuts the connection of whoever does not take in its answers: here, of whoever asks for
/// too large a one. The command is executed.
fn answers_that_are_lost(runtime: &Runtime, topology: &mut Topology) {
    let client = shared(runtime, &topology.config);
    let large = "x".repeat(1 << 20);
    run(runtime, &client, client.set("{lost}large", &large)).unwrap();
    topology.set(&["client-output-buffer-limit", "normal 200000 0 0"]);
    for retries in [0, 3] {
        for client in clients(runtime, &topology.config.clone().retries(retries)) {
            let told = |error: alizarin_core::Error| {
                let facts = (error.kind(), error.sent());
                let lost = (ErrorKind::Disconnected, Sent::Unknown);
                assert_eq!(facts, lost, "{:?}: {error}", topology.kind);
            };
            topology.forget();
            let read = client.command::<()>("GETRANGE").key("{lost}large").arg((0, -1));
            told(run(runtime, &client, read).unwrap_err());
            let asked = calls(&topology.servers(), "getrange");
            assert_eq!(asked, u64::from(retries) + 1, "{:?}", topology.kind);
            // A write is never sent twice.
            let script = "redis.call('SET', KEYS[1], 1) return string.rep('x', 1000000)";
            let write = client.command::<()>("EVAL").arg(script).arg(1).key("{lost}small");
            told(run(runtime, &client, write).unwrap_err());
            assert_eq!(calls(&topology.servers(), "eval"), 1, "{:?}", topology.kind);
        }
    }
    topology.set(&["client-output-buffer-limit", "normal 0 0 0"]);
    run(runtime, &client, client.del(["{lost}large"])).unwrap();
}

/// Times without end are as good as none.
fn no_end(runtime: &Runtime, topology: &mut Topology) {
    let pool = PoolConfig::new().wait(Duration::MAX).lifetime(Some(Duration::MAX));
    let pool = pool.idle_timeout(Some(Duration::MAX)).check_after(Duration::MAX);
    let config = topology.config.clone().pool(pool).connect_timeout(Duration::MAX);
    let config = config.response_timeout(Duration::MAX).total_timeout(Duration::MAX);
    let config = config.relaxed_timeout(Duration::MAX).topology_interval(Duration::MAX);
    for client in clients(runtime, &config.heartbeat(Duration::MAX)) {
        run(runtime, &client, client.set("key", 1).confirmed_by(0, Duration::MAX)).unwrap();
        let both = (alizarin_core::commands::incr("key"), get::<u32>("key"));
        run(runtime, &client, client.pipeline(both)).unwrap();
        let changed = client.transaction_with("key", async |tx| {
            let value: u32 = tx.run(get("key")).await?;
            Ok((set("key", value + 1),))
        });
        run(runtime, &client, changed).unwrap();
        let list = client.command::<Option<(String, String)>>("BLPOP").key("list").arg(0.01);
        assert_eq!(run(runtime, &client, list).unwrap(), None);
    }
}

fn servers_that_stay_away(runtime: &Runtime, topology: &mut Topology) {
    let minute = Duration::from_secs(60);
    let config = topology.config.clone().connect_timeout(minute);
    let both = |config: Config| clients(runtime, &config).collect::<Vec<_>>();
    let short = both(config.clone().total_timeout(Duration::from_millis(300)));
    let hasty = both(config.clone().total_timeout(minute).fail_fast(true));
    let patient = |pause| {
        let config = config.clone().total_timeout(Duration::from_millis(800));
        both(config.backoff(Backoff::constant(pause)))
    };
    let (often, seldom) = (patient(Duration::from_millis(5)), patient(Duration::from_secs(3_600)));
    let target = topology.primaries().into_iter().map(|server| Place::of(topology, server));
    let target = target.collect::<Vec<_>>().remove(0);
    topology.stop();
    for (waits, client) in
        short.iter().map(|client| (true, client)).chain(hasty.iter().map(|client| (false, client)))
    {
        fails_in_time(runtime, topology.kind, client, waits);
    }
    drop((short, hasty));
    // Those who try often do so by themselves: as long as they are.
    let [often, seldom] = [often, seldom].map(|clients| {
        let count = |client| attempts(runtime, &target, client);
        clients.into_iter().map(count).collect::<Vec<_>>()
    });
    for (often, seldom) in often.iter().zip(&seldom) {
        println!("{:?}: {often} attempts, or {seldom}", topology.kind);
        assert!(*often >= 30 && *seldom < 30, "{:?}: {often}, or {seldom}", topology.kind);
    }
}

/// Nothing waits for a connection longer than all of a command may take, or at all: else it would for
/// a minute.
fn fails_in_time(runtime: &Runtime, kind: Kind, client: &Client, waits: bool) {
    // The first one may have been sent.
    for round in 0..3 {
        let start = Instant::now();
        let error = run(runtime, client, client.incr("key")).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Connect | ErrorKind::Disconnected),
            "{kind:?}: {error}"
        );
        let took = start.elapsed();
        let waited = took >= Duration::from_millis(200);
        let in_time = took < Duration::from_secs(4) && (round == 0 || waited || !waits);
        assert!(in_time, "{kind:?}: {took:?}");
    }
}

/// How often it is tried to connect to a server while a command waits for it.
fn attempts(runtime: &Runtime, target: &Place, client: Client) -> usize {
    let nobody = Nobody::listen(target);
    for _ in 0..2 {
        run(runtime, &client, client.incr("key")).unwrap_err();
    }
    drop(client);
    nobody.end()
}

/// Where a server was.
#[derive(Clone)]
enum Place {
    Port(u16),
    Socket(std::path::PathBuf),
}

impl Place {
    fn of(topology: &Topology, server: &Server) -> Place {
        match topology.kind {
            Kind::UnixSocket => Place::Socket(server.socket().unwrap().to_owned()),
            _ => Place::Port(topology.port(server)),
        }
    }
}

/// Somebody who takes the place of a server, hangs up on whoever comes, and counts them.
struct Nobody {
    ended: Arc<AtomicBool>,
    met: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Nobody {
    fn listen(place: &Place) -> Nobody {
        let (ended, met) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut accept = accepting(place);
        let (over, count) = (Arc::clone(&ended), Arc::clone(&met));
        let thread = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                match accept() {
                    Ok(()) => drop(count.fetch_add(1, Ordering::Relaxed)),
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        Nobody { ended, met, thread }
    }

    fn end(self) -> usize {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.met.load(Ordering::Relaxed)
    }
}

/// What takes in one at a time, and does not wait.
fn accepting(place: &Place) -> Box<dyn FnMut() -> io::Result<()> + Send> {
    match place {
        Place::Port(port) => {
            let listener = TcpListener::bind(("127.0.0.1", *port)).unwrap();
            listener.set_nonblocking(true).unwrap();
            Box::new(move || listener.accept().map(drop))
        }
        Place::Socket(path) => {
            let _ = std::fs::remove_file(path);
            let listener = UnixListener::bind(path).unwrap();
            listener.set_nonblocking(true).unwrap();
            Box::new(move || listener.accept().map(drop))
        }
    }
}
