//! Nodes of a cluster that redirect for ever, or to where nobody is: each call ends, with a reason.

use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin::{Config, Sent};
use alizarin_core::Run as _;
use tokio::runtime::Runtime;

use crate::play::{HELLO, dead_port, play};
use crate::tier::{alone, report, rounds};

/// The slot of the key `foo`.
const SLOT: u16 = 12_182;

/// What a node says, by its own port, the other one's, and one that is dead.
type Say = fn(u16, u16, u16) -> String;

/// Each sort of storm, and whether redirections alone are counted: then their budget ends it, else
/// the time does.
const STORMS: [(&str, bool, Say); 8] = [
    ("MOVED to and fro", true, |_, other, _| format!("-MOVED {SLOT} 127.0.0.1:{other}\r\n")),
    ("MOVED to itself", true, |own, _, _| format!("-MOVED {SLOT} 127.0.0.1:{own}\r\n")),
    ("MOVED to a dead host", false, |_, _, dead| format!("-MOVED {SLOT} 127.0.0.1:{dead}\r\n")),
    ("ASK to and fro", true, |_, other, _| format!("-ASK {SLOT} 127.0.0.1:{other}\r\n")),
    ("ASK to a dead host", false, |_, _, dead| format!("-ASK {SLOT} 127.0.0.1:{dead}\r\n")),
    ("MOVED to nowhere", true, |_, _, _| format!("-MOVED {SLOT} nowhere\r\n")),
    ("TRYAGAIN for ever", false, |_, _, _| "-TRYAGAIN not yet\r\n".into()),
    ("CLUSTERDOWN for ever", false, |_, _, _| "-CLUSTERDOWN down\r\n".into()),
];

/// Two nodes that serve half of the slots each, and say this to whoever reads or writes; with the
/// number of those they said it to.
fn storm(say: Say) -> (u16, Arc<AtomicUsize>) {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = [0, 1].map(|at| listeners[at].local_addr().unwrap().port());
    let (dead, asked) = (dead_port(), Arc::new(AtomicUsize::new(0)));
    for (at, listener) in listeners.into_iter().enumerate() {
        let asked = Arc::clone(&asked);
        play(listener, move |words| match words {
            ["HELLO", ..] => HELLO.into(),
            ["CLUSTER", "SHARDS"] => "-ERR unknown subcommand\r\n".into(),
            ["CLUSTER", "SLOTS"] => {
                let part = |first: u16, last: u16, port: u16| {
                    format!("*3\r\n:{first}\r\n:{last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n$1\r\n{first}\r\n")
                        .replace("$1\r\n8192", "$4\r\n8192")
                };
                format!("*2\r\n{}{}", part(0, 8_191, ports[0]), part(8_192, 16_383, ports[1]))
            }
            ["GET" | "SET", ..] => {
                asked.fetch_add(1, Ordering::SeqCst);
                say(ports[at], ports[1 - at], dead)
            }
            _ => "+OK\r\n".into(),
        });
    }
    (ports[0], asked)
}

/// What became of the calls in one storm.
struct Calls {
    count: usize,
    /// The most requests that one of them made.
    most: usize,
    longest: Duration,
}

/// Reads and writes by both clients in a storm, of which each ends within so much time.
fn ended(runtime: &Runtime, total: Duration, (name, is_counted, say): (&str, bool, Say)) -> Calls {
    let (port, asked) = storm(say);
    let config = Config::new().cluster([("127.0.0.1", port)]).total_timeout(total);
    let shared = runtime.block_on(Client::connect(&config)).unwrap();
    let blocking = Client::connect_blocking(&config).unwrap();
    let mut calls = Calls { count: 4, most: 0, longest: Duration::ZERO };
    for at in 0..calls.count {
        asked.store(0, Ordering::SeqCst);
        let start = Instant::now();
        let patience = total + Duration::from_secs(10);
        let error = match at {
            0 | 1 => {
                let call = call(&shared, at == 1);
                let in_time = async { tokio::time::timeout(patience, call).await };
                runtime.block_on(in_time).expect(name)
            }
            _ => call(&blocking, at == 3).run(),
        };
        let (error, took) = (error.unwrap_err(), start.elapsed());
        // It is known that nothing was done.
        let known = matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Connect);
        assert!(known && error.sent() != Sent::Unknown, "{name}: {error:?}");
        let asked = asked.load(Ordering::SeqCst);
        if is_counted {
            // Five redirections, the first request, and that on the shared connection before.
            assert!(asked <= 7, "{name}: {asked} requests");
            calls.most = calls.most.max(asked);
        }
        assert!(took <= total + Duration::from_millis(500), "{name}: {took:?}");
        calls.longest = calls.longest.max(took);
    }
    calls
}

#[test]
fn redirections_without_end() {
    let (_turn, ()) = alone(|| ());
    let runtime = Runtime::new().unwrap();
    let total = Duration::from_millis(rounds(500, 3_000) as u64);
    // All at once: most of them only wait.
    let ended = std::thread::scope(|scope| {
        let runtime = &runtime;
        let storms = STORMS.map(|storm| scope.spawn(move || ended(runtime, total, storm)));
        storms.map(|storm| storm.join().unwrap())
    });
    report(
        "R10 redirect storms",
        &format!(
            "{} sorts, {} calls: at most {} requests for 5 redirections, each call ended within {:?} of \
             {total:?} allowed; floor 0",
            STORMS.len(),
            ended.iter().map(|calls| calls.count).sum::<usize>(),
            ended.iter().map(|calls| calls.most).max().unwrap_or_default(),
            ended.iter().map(|calls| calls.longest).max().unwrap_or_default(),
        ),
    );
}

/// A call of either sort.
type Call<'c> = Pin<Box<dyn Future<Output = Result<()>> + 'c>>;

fn call(client: &Client, writes: bool) -> Call<'_> {
    match writes {
        true => Box::pin(async { client.set("foo", 1).await.map(drop) }),
        false => Box::pin(async { client.get::<Option<String>>("foo").await.map(drop) }),
    }
}
