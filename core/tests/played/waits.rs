//! Commands that wait on the server, on a cluster whose nodes are played; and whatever a server
//! refuses for the moment.

use std::sync::Mutex;

use alizarin_core::commands::{get, set};
use alizarin_core::{ErrorKind, ReadFrom, Sent};
use tokio::runtime::Runtime;

use crate::cluster::{FOO, Nodes};
use crate::either::{clients, connect, run};
use crate::server::{Act, play, say};

type Popped = (String, String);

const POPPED: &str = "*2\r\n$3\r\nfoo\r\n$1\r\nx\r\n";

#[test]
fn a_command_that_waits_is_redirected_as_any_other() {
    let runtime = Runtime::new().unwrap();
    for redirection in ["MOVED", "ASK"] {
        let nodes = Nodes::start(2, move |ports, node, command| match command {
            ["BLPOP", ..] if node == 1 => {
                Some(say(&format!("-{redirection} {FOO} 127.0.0.1:{}\r\n", ports[0])))
            }
            ["BLPOP", ..] => Some(say(POPPED)),
            _ => None,
        });
        for client in clients(&runtime, &nodes.config()) {
            let before = nodes.log().len();
            let pop = client.command::<Popped>("BLPOP").key("foo").arg(1);
            let popped = run(&runtime, &client, pop).unwrap();
            assert_eq!(popped, ("foo".into(), "x".into()));
            let log = nodes.log().split_off(before);
            let pops: Vec<usize> = (0..log.len()).filter(|at| log[*at].1[0] == "BLPOP").collect();
            let asked: Vec<usize> = pops.iter().map(|at| log[*at].0).collect();
            // What the nodes say of the slots leads to the first one again and again.
            assert_eq!((asked.first(), asked.last()), (Some(&1), Some(&0)), "{redirection}");
            let last = pops.last().unwrap();
            let asking = log[last - 1].1[0] == "ASKING" && log[last - 1].0 == 0;
            assert_eq!(asking, redirection == "ASK");
        }
    }
}

#[test]
fn a_command_that_waits_waits_for_the_cluster_too() {
    let runtime = Runtime::new().unwrap();
    for refusal in [
        "TRYAGAIN x",
        "CLUSTERDOWN x",
        "LOADING x",
        "UNBLOCKED force unblock from blocking operation",
    ] {
        for blocking in [false, true] {
            let times = Mutex::new(0);
            let nodes = Nodes::start(2, move |_, _, command| match command {
                ["BLPOP", ..] => {
                    let mut times = times.lock().unwrap();
                    *times += 1;
                    Some(say(&if *times < 12 { format!("-{refusal}\r\n") } else { POPPED.into() }))
                }
                _ => None,
            });
            let config = nodes.config();
            let client = connect(&runtime, &config, blocking).unwrap();
            let pop = client.command::<Popped>("BLPOP").key("foo").arg(1);
            run(&runtime, &client, pop).unwrap();
            assert_eq!(nodes.asked("BLPOP").len(), 12, "{refusal}");
        }
    }
}

#[test]
fn a_command_that_waited_in_vain_is_not_sent_again() {
    let runtime = Runtime::new().unwrap();
    let nodes = Nodes::start(1, |_, _, command| match command {
        ["BLPOP" | "XREAD", ..] => Some(Act::SayAndClose(Vec::new())),
        _ => None,
    });
    let config = nodes.config().read_from(ReadFrom::Replica);
    for (at, client) in clients(&runtime, &config).enumerate() {
        let pop = client.command::<Popped>("BLPOP").key("foo").arg(1);
        let error = run(&runtime, &client, pop).unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown));
        let read = client.command::<()>("XREAD").arg(("BLOCK", 0, "STREAMS")).key("foo").arg("$");
        let error = run(&runtime, &client, read).unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown));
        assert_eq!((nodes.asked("BLPOP").len(), nodes.asked("XREAD").len()), (at + 1, at + 1));
    }
}

/// A server that refuses the first so many commands on data, since it loads.
fn loading(mut refusals: u32) -> impl FnMut(&[String]) -> Act + Send {
    let (mut queued, mut aborted) = (None, false);
    move |command| match command[0].as_str() {
        "HELLO" => say("%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n"),
        "MULTI" => {
            (queued, aborted) = (Some(0), false);
            say("+OK\r\n")
        }
        "EXEC" => {
            let count = queued.take().unwrap();
            match aborted {
                true => say("-EXECABORT Transaction discarded because of previous errors.\r\n"),
                false => say(&format!("*{count}\r\n{}", "+OK\r\n".repeat(count))),
            }
        }
        "GET" | "SET" | "BLPOP" if refusals > 0 => {
            (refusals, aborted) = (refusals - 1, true);
            say("-LOADING Redis is loading the dataset in memory\r\n")
        }
        "GET" | "SET" if queued.is_some() => {
            queued = queued.map(|count| count + 1);
            say("+QUEUED\r\n")
        }
        "BLPOP" => say(POPPED),
        _ => say("+OK\r\n"),
    }
}

#[test]
fn a_server_that_loads_is_asked_again_by_every_sort_of_request() {
    let runtime = Runtime::new().unwrap();
    for blocking in [false, true] {
        for sort in 0..4 {
            let server = Mutex::new(loading(6));
            let (url, _) = play(move |_, command| (server.lock().unwrap())(command)).unwrap();
            let client = connect(&runtime, &url.parse().unwrap(), blocking).unwrap();
            let both = || (set("a", 1), get::<String>("a"));
            match sort {
                0 => drop(run(&runtime, &client, client.get::<String>("a")).unwrap()),
                1 => drop(run(&runtime, &client, client.pipeline(both())).unwrap()),
                2 => drop(run(&runtime, &client, client.transaction(both())).unwrap()),
                _ => {
                    let pop = client.command::<Popped>("BLPOP").key("foo").arg(1);
                    drop(run(&runtime, &client, pop).unwrap());
                }
            }
        }
    }
}

#[test]
fn of_a_pipeline_that_ran_in_part_nothing_is_sent_again() {
    let runtime = Runtime::new().unwrap();
    // The first command alone is refused.
    for blocking in [false, true] {
        let server = Mutex::new(loading(1));
        let (url, _) = play(move |_, command| (server.lock().unwrap())(command)).unwrap();
        let client = connect(&runtime, &url.parse().unwrap(), blocking).unwrap();
        let batch = client.pipeline((set("a", 1), get::<String>("a")));
        let error = run(&runtime, &client, batch).unwrap_err();
        assert!(error.to_string().contains("LOADING"), "{error}");
    }
}
