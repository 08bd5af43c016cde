//! Servers that hang, replies that are lost, a cluster that is gone and comes back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin::{Backoff, Config, Sent};
use alizarin_testkit::Server;

use crate::floor::{addresses, first_ok};
use crate::tier::{Bar, Times, alone, cluster, connect, report, rounds, server, together};

/// Between two attempts to connect, where calls lose their connections on purpose.
pub(crate) const PAUSE: Duration = Duration::from_millis(1);

/// Passes bytes to a server and back, but cuts a connection instead of passing on the reply to a
/// request that has `word` in it. Gives its port.
pub(crate) fn lose_replies(server: &Server, word: &'static str, lost: Arc<AtomicU64>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, target) = (listener.local_addr().unwrap().port(), server.port().unwrap());
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let lost = Arc::clone(&lost);
            std::thread::spawn(move || pass(client, target, word, &lost));
        }
    });
    port
}

fn pass(mut client: TcpStream, target: u16, word: &str, lost: &AtomicU64) -> Option<()> {
    let mut server = TcpStream::connect(("127.0.0.1", target)).ok()?;
    let mut bytes = [0; 4_096];
    loop {
        // One request, one reply: the client sends no second one before.
        let read = client.read(&mut bytes).ok().filter(|read| *read > 0)?;
        let request = bytes.get(..read)?;
        let fatal = request.windows(word.len()).any(|window| window == word.as_bytes());
        server.write_all(request).ok()?;
        let requests = request.split(|byte| *byte == b'*').count();
        let read = server.read(&mut bytes).ok().filter(|read| *read > 0)?;
        if fatal && requests > 1 {
            lost.fetch_add(1, Ordering::SeqCst);
            client.shutdown(Shutdown::Both).ok()?;
            return None;
        }
        client.write_all(bytes.get(..read)?).ok()?;
    }
}

#[test]
fn a_lost_reply_is_told_and_the_write_not_repeated() {
    let (_turn, server) = together(server);
    let lost = Arc::new(AtomicU64::new(0));
    let port = lose_replies(&server, "lost:", Arc::clone(&lost));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let count = rounds(300, 10_000);
    let unknown = runtime.block_on(async {
        // Each call loses its connection: the pauses that spare a server would be all that is measured.
        let config = Config::new().tcp("127.0.0.1", port);
        let client = Client::connect(config.backoff(Backoff::constant(PAUSE))).await.unwrap();
        let mut unknown = 0;
        for at in 0..count {
            let error = match at % 3 {
                0 => client.incr("lost:n").await.map(drop),
                1 => {
                    let entry = client.command::<String>("XADD").key("lost:stream");
                    entry.arg(("*", "at", at)).await.map(drop)
                }
                _ => {
                    let script = "return redis.call('INCR', KEYS[1])";
                    let script = client.command::<u64>("EVAL").arg((script, 1));
                    script.key("lost:script").await.map(drop)
                }
            };
            unknown += usize::from(error.unwrap_err().sent() == Sent::Unknown);
        }
        unknown
    });
    let number = |words: &[&str]| server.command(words).unwrap().parse::<usize>().unwrap();
    let stored = [
        number(&["GET", "lost:n"]),
        number(&["XLEN", "lost:stream"]),
        number(&["GET", "lost:script"]),
    ];
    report(
        "R22 lost replies",
        &format!(
            "{count} of INCR, XADD and EVAL in turn: {unknown} told as unknown, {stored:?} executed; \
             floor 0"
        ),
    );
    let each = |at: usize| (count + 2 - at) / 3;
    assert_eq!((unknown, stored), (count, [each(0), each(1), each(2)]));
    assert_eq!(lost.load(Ordering::SeqCst) as usize, count);
}

#[test]
fn a_server_that_hangs() {
    let (_turn, mut server) = alone(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(server.url().as_str())).unwrap();
    let mut noticed = Times::default();
    let mut stale = 0;
    let bar = Bar { median: 2_000, worst: 2_000 };
    for round in 0.. {
        if !noticed.want_more(2, 10, bar) {
            break;
        }
        runtime.block_on(async {
            for n in 0..50 {
                client.set(format!("{n}"), format!("{n} of {round}")).await.unwrap();
            }
        });
        server.pause().unwrap();
        let start = Instant::now();
        let errors: Vec<_> = (0..50)
            .map(|n| {
                let client = client.clone();
                runtime.spawn(async move {
                    let outcome = client.set(format!("{n}"), "late").await;
                    (outcome.is_err(), Instant::now())
                })
            })
            .collect();
        let mut last = start;
        for one in errors {
            let (failed, at) = runtime.block_on(one).unwrap();
            assert!(failed);
            last = last.max(at);
        }
        noticed.push(last - start);
        server.resume().unwrap();
        runtime.block_on(async {
            for n in 0..200 {
                let (key, value) = (format!("after:{n}"), format!("{n} after {round}"));
                let set = client.set(&key, &value).await;
                let got: Result<String> = client.get(&key).await;
                if set.is_ok() && got.is_ok_and(|got| got != value) {
                    stale += 1;
                }
            }
        });
    }
    report(
        "R2 hung server",
        &format!("noticed after {:?} at most, {stale} stale replies; floor 0", noticed.worst()),
    );
    assert_eq!(stale, 0);
    assert!(noticed.meet(2, bar), "{noticed:?}");
}

#[test]
fn a_cluster_that_is_gone_and_comes_back() {
    let (_turn, mut cluster) = alone(cluster);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let (mut late, mut floors) = (Times::default(), Times::default());
    let bar = Bar { median: 500, worst: 500 };
    while late.want_more(1, 3, bar) {
        runtime.block_on(async { client.set("{b}", "x").await.unwrap() });
        for node in 0..cluster.len() {
            cluster.node_mut(node).stop().unwrap();
        }
        std::thread::park_timeout(Duration::from_secs(rounds(3, 15) as u64));
        let get = client.get::<Option<String>>("{b}");
        let got = runtime.block_on(async { tokio::time::timeout(Duration::ZERO, get).await });
        assert!(!matches!(got, Ok(Ok(_))), "there is no server");
        let floor = first_ok(addresses(&cluster), &["SET", "{b}", "1"]);
        let begun = Instant::now();
        for node in 0..cluster.len() {
            cluster.node_mut(node).restart().unwrap();
        }
        let back = runtime.block_on(async {
            loop {
                if client.set("{b}", "y").await.is_ok() {
                    return Instant::now();
                }
            }
        });
        let floor = floor.join().unwrap();
        floors.push(floor.saturating_duration_since(begun));
        late.push(back.saturating_duration_since(floor));
        cluster.wait_whole().unwrap();
    }
    report(
        "R11 all nodes gone and back",
        &format!(
            "first OK after the servers' floor: {:?} at most; floor {:?}",
            late.worst(),
            floors.median()
        ),
    );
    assert!(late.meet(1, bar), "{late:?}");
}
