//! Whatever is sent again is so until the time for all of it is over, and no longer: by every sort of
//! request, for every reason, wherever it is sent.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alizarin_core::commands::{get, set};
use alizarin_core::{Backoff, Client, Config, Error, ErrorKind, Result, Sent, ServerCode};
use tokio::runtime::Runtime;

use crate::cluster::Nodes;
use crate::either::{clients, run};
use crate::server::{Act, play_on, say};

/// The time for all attempts.
const TOTAL: Duration = Duration::from_millis(400);

/// How coarsely a shared connection counts it: by ticks, of which one is shorter.
const TICK: Duration = Duration::from_millis(110);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    /// Each answer is lost.
    Lost,
    /// Each is a refusal.
    Refused,
    /// Now the one, now the other.
    InTurns,
    /// There is a refusal, and then no answer at all.
    Silent,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    Command,
    Pipeline,
    Transaction,
    Watched,
    Waiting,
}

use Sort::{Command, Pipeline, Transaction, Waiting, Watched};
use Trouble::{InTurns, Lost, Refused, Silent};

/// What is sent again, and why.
const REPEATED: [(Sort, Trouble); 14] = [
    (Command, Lost),
    (Command, Refused),
    (Command, InTurns),
    (Command, Silent),
    (Pipeline, Lost),
    (Pipeline, Refused),
    (Pipeline, InTurns),
    (Pipeline, Silent),
    (Transaction, Lost),
    (Transaction, Refused),
    (Transaction, InTurns),
    (Transaction, Silent),
    (Watched, Lost),
    (Waiting, Refused),
];

/// What a server in this trouble does; `None` with what is not about data.
fn troubled(trouble: Trouble, times: &AtomicUsize, command: &[&str]) -> Option<Act> {
    let loading = || say("-LOADING Redis is loading the dataset in memory\r\n");
    match command {
        ["EXEC"] => Some(say("-EXECABORT Transaction discarded because of previous errors.\r\n")),
        ["GET" | "WATCH" | "BLPOP", ..] => {
            let at = times.fetch_add(1, Ordering::SeqCst);
            Some(match trouble {
                Lost => Act::SayAndClose(Vec::new()),
                Refused => loading(),
                InTurns if at % 4 < 2 => loading(),
                InTurns => Act::SayAndClose(Vec::new()),
                // Two are refused, so that a pipeline is.
                Silent if at < 2 => loading(),
                Silent => Act::Say(Vec::new()),
            })
        }
        _ => None,
    }
}

/// A server, and a sentinel that names itself as the primary.
fn alone(port: u16, command: &[&str]) -> Act {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    let address = format!("*2\r\n{}{}", bulk("127.0.0.1"), bulk(&port.to_string()));
    match command {
        ["HELLO", ..] => say("%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n"),
        ["ROLE"] => say("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"),
        ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", _] => say(&address),
        ["SENTINEL", "MASTER", _] => {
            let facts = ["ip", "127.0.0.1", "port", &port.to_string(), "flags", "master"];
            say(&format!("*6\r\n{}", facts.map(bulk).concat()))
        }
        ["SENTINEL", ..] => say("*0\r\n"),
        _ => say("+OK\r\n"),
    }
}

/// A deployment of each sort in this trouble; its configuration, and how often it was asked.
fn deployments(trouble: Trouble) -> Vec<(&'static str, Config, Arc<AtomicUsize>, Option<Nodes>)> {
    let times = || Arc::new(AtomicUsize::new(0));
    let own = |times: &Arc<AtomicUsize>| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, times) = (listener.local_addr().unwrap().port(), Arc::clone(times));
        play_on(listener, move |_, command| {
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            troubled(trouble, &times, &words).unwrap_or_else(|| alone(port, &words))
        });
        port
    };
    let (single, cluster, sentinel) = (times(), times(), times());
    let asked = Arc::clone(&cluster);
    let nodes = Nodes::start(1, move |_, _, command| troubled(trouble, &asked, command));
    let url = format!("redis+sentinel://127.0.0.1:{}/main", own(&sentinel));
    vec![
        ("single", Config::new().tcp("127.0.0.1", own(&single)), single, None),
        ("cluster", nodes.config(), cluster, Some(nodes)),
        ("sentinel", url.parse().unwrap(), sentinel, None),
    ]
}

fn send(runtime: &Runtime, client: &Client, sort: Sort) -> Error {
    let both = || (get::<String>("foo"), get::<String>("foo"));
    let outcome: Result<()> = match sort {
        Command => run(runtime, client, client.get::<String>("foo")).map(drop),
        Pipeline => run(runtime, client, client.pipeline(both())).map(drop),
        Transaction => run(runtime, client, client.transaction(both())).map(drop),
        Watched => {
            let watched = client.transaction_with("foo", async |_| Ok((set("foo", 1),)));
            run(runtime, client, watched).map(drop)
        }
        Waiting => {
            let pop = client.command::<(String, String)>("BLPOP").key("foo").arg(1);
            run(runtime, client, pop).map(drop)
        }
    };
    outcome.unwrap_err()
}

#[test]
fn everything_has_an_end_when_the_time_is_over() {
    let runtime = Runtime::new().unwrap();
    std::thread::scope(|scope| {
        for (sort, trouble) in REPEATED {
            let runtime = &runtime;
            scope.spawn(move || has_an_end(runtime, sort, trouble));
        }
    });
}

fn has_an_end(runtime: &Runtime, sort: Sort, trouble: Trouble) {
    for (name, config, asked, _nodes) in deployments(trouble) {
        let config = config
            .retries(u32::MAX)
            .total_timeout(TOTAL)
            .response_timeout(Duration::from_secs(15))
            .backoff(Backoff::constant(Duration::from_millis(1)));
        for client in clients(runtime, &config) {
            asked.store(0, Ordering::SeqCst);
            let start = Instant::now();
            let error = send(runtime, &client, sort);
            let took = start.elapsed();
            let what = format!(
                "{sort:?}, {trouble:?}, {name}, blocking: {}: {error:?} in {took:?}",
                client.is_blocking()
            );
            assert!(took > TOTAL - TICK && took < TOTAL + Duration::from_secs(8), "{what}");
            assert!(asked.load(Ordering::SeqCst) > 1, "{what}");
            let loading = matches!(
                error.kind(),
                ErrorKind::Server(ServerCode::Loading | ServerCode::ExecAbort)
            );
            let lost = error.kind() == ErrorKind::Disconnected;
            let (kind, sent) = match trouble {
                Lost => (lost, Sent::Unknown),
                Refused => (loading, Sent::Yes),
                InTurns => (loading || lost, Sent::Unknown),
                Silent => (loading, Sent::Unknown),
            };
            assert!(kind && error.sent() == sent, "{what}");
        }
    }
}

#[test]
fn an_exclusive_connection_repeats_nothing() {
    let runtime = Runtime::new().unwrap();
    for (name, config, asked, _nodes) in deployments(Lost) {
        for client in clients(&runtime, &config.retries(u32::MAX).total_timeout(TOTAL)) {
            asked.store(0, Ordering::SeqCst);
            let read = async {
                let mut own = client.exclusive_for("foo").await?;
                own.run(get::<String>("foo")).await
            };
            let error = run(&runtime, &client, read).unwrap_err();
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown));
            assert_eq!(asked.load(Ordering::SeqCst), 1, "{name}");
        }
    }
}

#[test]
fn a_transaction_that_always_comes_late_has_its_time() {
    let runtime = Runtime::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    play_on(listener, move |_, command| match command[0].as_str() {
        "EXEC" => say("_\r\n"),
        "SET" => say("+QUEUED\r\n"),
        _ => alone(port, &[&command[0]]),
    });
    let config = Config::new().tcp("127.0.0.1", port).total_timeout(TOTAL / 4);
    for client in clients(&runtime, &config) {
        let start = Instant::now();
        let watched = client.transaction_with("foo", async |_| {
            std::thread::sleep(TOTAL / 8);
            Ok((set("foo", 1),))
        });
        let error = run(&runtime, &client, watched).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert!(error.to_string().contains("each of the 2 times"), "{error}");
        assert!(start.elapsed() < TOTAL * 4, "{:?}", start.elapsed());
    }
}
