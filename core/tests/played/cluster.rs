//! Clusters whose nodes are played: redirections of every sort, counted to the last request.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::server::{Act, play_on, say};
use alizarin_core::command::each;
use alizarin_core::commands::{get, set};
use alizarin_core::{Client, Config, ErrorKind, ReadFrom, Run, Sent, ServerCode};

/// The slot of the key `foo`.
pub(crate) const FOO: u16 = 12_182;

/// Which node was asked what, in order.
type Log = Arc<Mutex<Vec<(usize, Vec<String>)>>>;

/// Played nodes, and what they were asked.
pub(crate) struct Nodes {
    ports: Vec<u16>,
    log: Log,
}

impl Nodes {
    /// Starts so many nodes. Node `n` serves the `n`th part of the slots by `CLUSTER SLOTS`, until
    /// the script says otherwise: it is asked first, with the ports of all nodes.
    pub(crate) fn start(
        count: usize,
        script: impl Fn(&[u16], usize, &[&str]) -> Option<Act> + Send + Sync + 'static,
    ) -> Nodes {
        let listeners: Vec<TcpListener> =
            (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> =
            listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        let log = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(script);
        for (node, listener) in listeners.into_iter().enumerate() {
            let (log, script, ports) = (Arc::clone(&log), Arc::clone(&script), ports.clone());
            play_on(listener, move |_, command| {
                log.lock().unwrap().push((node, command.to_vec()));
                let words: Vec<&str> = command.iter().map(String::as_str).collect();
                script(&ports, node, &words).unwrap_or_else(|| everyday(&ports, node, &words))
            });
        }
        Nodes { ports, log }
    }

    pub(crate) fn config(&self) -> Config {
        Config::new().cluster([("127.0.0.1", self.ports[0])])
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.config()).await.unwrap()
    }

    /// What was asked so far, in order, and of which node.
    pub(crate) fn log(&self) -> Vec<(usize, Vec<String>)> {
        self.log.lock().unwrap().clone()
    }

    /// What was asked by this name, and of which node.
    pub(crate) fn asked(&self, name: &str) -> Vec<(usize, Vec<String>)> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|(_, command)| command[0] == name).cloned().collect()
    }

    /// Which nodes were asked this, in order.
    pub(crate) fn nodes_asked(&self, name: &str) -> Vec<usize> {
        self.asked(name).into_iter().map(|(node, _)| node).collect()
    }
}

/// What a node of a healthy cluster says.
fn everyday(ports: &[u16], node: usize, command: &[&str]) -> Act {
    match command {
        ["HELLO", ..] => say("%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n"),
        // As before Redis 7.
        ["CLUSTER", "SHARDS"] => say("-ERR unknown subcommand 'SHARDS'\r\n"),
        ["CLUSTER", "SLOTS"] => {
            say(&slots(ports, |port| format!("$9\r\n127.0.0.1\r\n:{port}\r\n")))
        }
        ["GET", ..] => say(&format!("$1\r\n{node}\r\n")),
        ["INCR", ..] => say(":1\r\n"),
        _ => say("+OK\r\n"),
    }
}

/// A view with a primary for each port.
pub(crate) fn slots(ports: &[u16], address: impl Fn(u16) -> String) -> String {
    let mut view = format!("*{}\r\n", ports.len());
    let part = 16_384 / ports.len();
    for (at, port) in ports.iter().enumerate() {
        let last = if at + 1 == ports.len() { 16_383 } else { (at + 1) * part - 1 };
        view += &format!("*3\r\n:{}\r\n:{last}\r\n*3\r\n{}$2\r\nid\r\n", at * part, address(*port));
    }
    view
}

pub(crate) fn moved(slot: u16, port: u16) -> Option<Act> {
    Some(say(&format!("-MOVED {slot} 127.0.0.1:{port}\r\n")))
}

pub(crate) async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future.into_future()).await.expect("hangs")
}

#[tokio::test]
async fn moved_is_followed_once_and_remembered() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        ["GET", "foo"] if node == 1 => moved(FOO, ports[0]),
        _ => None,
    });
    let client = nodes.client().await;
    assert_eq!(within(client.get::<u32>("foo")).await.unwrap(), 0);
    assert_eq!(nodes.nodes_asked("GET"), [1, 0]);
}

#[tokio::test]
async fn a_storm_of_redirections_has_an_end() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        ["GET" | "SET", ..] => moved(FOO, ports[1 - node]),
        _ => None,
    });
    for redirects in [0, 5] {
        let client = Client::connect(nodes.config().max_redirects(redirects)).await.unwrap();
        nodes.log.lock().unwrap().clear();
        let error = within(client.get::<u32>("foo")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server(ServerCode::Moved), "{error}");
        assert!(error.to_string().contains(&format!("after {redirects} redirections")), "{error}");
        let asked = nodes.nodes_asked("GET").len();
        // The first try found out what the second one counts.
        assert!((1..=redirects as usize + 2).contains(&asked), "{asked}");
        let error = within(client.set("foo", 1)).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Server(ServerCode::Moved), Sent::Yes));
    }
}

#[tokio::test]
async fn moved_to_a_dead_host_ends_in_time_with_the_reason() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nodes = Nodes::start(1, move |_, _, command| match command {
        ["SET", ..] => moved(FOO, dead),
        _ => None,
    });
    let config = nodes.config().total_timeout(Duration::from_millis(300));
    let client = Client::connect(config).await.unwrap();
    let start = Instant::now();
    let error = within(client.set("foo", 1)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Connect | ErrorKind::Server(_)), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_ne!(error.sent(), Sent::Unknown);
}

#[tokio::test]
async fn moved_to_a_node_that_nobody_named_is_followed() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        // The map knows the first node alone, at first.
        ["CLUSTER", "SLOTS"] => {
            Some(say(&slots(&ports[..1], |port| format!("$9\r\n127.0.0.1\r\n:{port}\r\n"))))
        }
        ["SET", ..] if node == 0 => moved(FOO, ports[1]),
        _ => None,
    });
    let client = nodes.client().await;
    within(client.set("foo", 1)).await.unwrap();
    assert_eq!(nodes.nodes_asked("SET").last(), Some(&1));
}

#[tokio::test]
async fn moved_without_a_host_means_the_node_that_says_it() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        ["CLUSTER", "SLOTS"] => Some(say(&slots(ports, |port| format!("$0\r\n\r\n:{port}\r\n")))),
        ["SET", ..] if node == 1 => Some(say(&format!("-MOVED {FOO} :{}\r\n", ports[0]))),
        _ => None,
    });
    let client = nodes.client().await;
    within(client.set("foo", 1)).await.unwrap();
    assert_eq!(nodes.nodes_asked("SET").last(), Some(&0));
}

#[tokio::test]
async fn a_node_that_points_at_itself_is_asked_again() {
    let times = Mutex::new(0);
    let nodes = Nodes::start(1, move |ports, _, command| match command {
        ["SET", ..]
            if {
                *times.lock().unwrap() += 1;
                *times.lock().unwrap()
            } < 3 =>
        {
            moved(FOO, ports[0])
        }
        _ => None,
    });
    within(nodes.client().await.set("foo", 1)).await.unwrap();
    assert_eq!(nodes.nodes_asked("SET"), [0, 0, 0]);
}

#[tokio::test]
async fn ask_is_followed_for_that_command_alone() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        ["GET", "foo"] if node == 1 => Some(say(&format!("-ASK {FOO} 127.0.0.1:{}\r\n", ports[0]))),
        _ => None,
    });
    let client = nodes.client().await;
    for _ in 0..2 {
        nodes.log.lock().unwrap().clear();
        assert_eq!(within(client.get::<u32>("foo")).await.unwrap(), 0);
        let log = nodes.log.lock().unwrap().clone();
        let at = log.iter().rposition(|(_, command)| command[0] == "GET").unwrap();
        assert_eq!((log[at].0, log[at - 1].0), (0, 0));
        assert_eq!(log[at - 1].1, ["ASKING"]);
        // The map stays: the old node is asked first again.
        let first = log.iter().find(|(_, command)| command[0] == "GET").unwrap();
        assert_eq!(first.0, 1);
    }
}

#[tokio::test]
async fn what_the_cluster_cannot_do_yet_is_waited_for() {
    for refusal in ["TRYAGAIN x", "CLUSTERDOWN x", "LOADING x", "MASTERDOWN x", "READONLY x"] {
        let times = Mutex::new(0);
        let nodes = Nodes::start(2, move |_, _, command| match command {
            ["INCR", ..] => {
                let mut times = times.lock().unwrap();
                *times += 1;
                (*times < 4).then(|| say(&format!("-{refusal}\r\n")))
            }
            _ => None,
        });
        let count: i64 = within(nodes.client().await.incr("foo")).await.unwrap();
        assert_eq!((count, nodes.asked("INCR").len()), (1, 4), "{refusal}");
    }
}

#[test]
fn whoever_waits_outside_of_the_runtime_waits_too() {
    let times = Mutex::new(0);
    let nodes = Nodes::start(2, move |_, _, command| match command {
        ["INCR", ..] => {
            let mut times = times.lock().unwrap();
            *times += 1;
            (*times < 4).then(|| say("-CLUSTERDOWN x\r\n"))
        }
        _ => None,
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(nodes.client());
    let count: i64 = client.incr("foo").run().unwrap();
    assert_eq!((count, nodes.asked("INCR").len()), (1, 4));
}

#[tokio::test]
async fn a_pipeline_is_split_and_each_command_redirected_by_itself() {
    let nodes = Nodes::start(3, |ports, node, command| match command {
        ["GET", key] if *key == "foo" && node == 2 => moved(FOO, ports[0]),
        ["GET", "bar"] if node != 1 => Some(say(&format!("-ASK 5061 127.0.0.1:{}\r\n", ports[1]))),
        ["GET", key] => Some(say(&format!("$5\r\n{node}-{key}\r\n"))),
        _ => None,
    });
    let client = nodes.client().await;
    let keys = ["foo", "bar", "{bc", "foo", "bar"];
    let values: Vec<String> = within(client.pipeline(each(keys.iter().map(get)))).await.unwrap();
    let named: Vec<&str> = values.iter().map(|value| &value[2..]).collect();
    assert_eq!(named[..2], ["foo", "bar"]);
    assert_eq!(named[3..], ["foo", "bar"]);
    assert_eq!((&values[0][..1], &values[1][..1]), ("0", "1"));
}

/// One primary with one replica.
fn a_pair() -> Nodes {
    Nodes::start(2, |ports, _, command| match command {
        ["CLUSTER", "SLOTS"] => Some(say(&format!(
            "*1\r\n*4\r\n:0\r\n:16383\r\n*3\r\n$9\r\n127.0.0.1\r\n:{}\r\n$1\r\na\r\n*3\r\n$9\r\n127.0.0.1\r\n:{}\r\n$1\r\nb\r\n",
            ports[0], ports[1]
        ))),
        _ => None,
    })
}

#[tokio::test]
async fn reads_of_blocking_clients_go_to_replicas_too() {
    let nodes = a_pair();
    let config = nodes.config().read_from(ReadFrom::Replica);
    let asked = tokio::task::spawn_blocking(move || {
        let client = Client::connect_blocking(config).unwrap();
        client.set("foo", 1).run().unwrap();
        client.get::<u32>("foo").run().unwrap()
    });
    assert_eq!(asked.await.unwrap(), 1);
    assert_eq!((nodes.nodes_asked("SET"), nodes.nodes_asked("GET")), (vec![0], vec![1]));
}

#[tokio::test]
async fn reads_go_to_replicas_and_writes_to_primaries() {
    let nodes = a_pair();
    let client = Client::connect(nodes.config().read_from(ReadFrom::Replica)).await.unwrap();
    within(async {
        // Until it is connected the primary stands in for it.
        while client.get::<u32>("foo").await.unwrap() != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within(client.set("foo", 1)).await.unwrap();
    assert_eq!(nodes.nodes_asked("SET"), [0]);
    assert!(nodes.nodes_asked("READONLY").contains(&1));
}

#[tokio::test]
async fn lost_reads_are_sent_again_as_often_as_is_set() {
    for retries in [0, 1, 3] {
        for blocking in [false, true] {
            let nodes = Nodes::start(1, |_, _, command| match command {
                ["GET", ..] | ["INCR", ..] => Some(Act::SayAndClose(Vec::new())),
                _ => None,
            });
            let config = nodes.config().retries(retries);
            let errors = if blocking {
                tokio::task::spawn_blocking(move || {
                    let client = Client::connect_blocking(config).unwrap();
                    [
                        client.get::<u32>("foo").run().unwrap_err(),
                        client.incr("foo").run().unwrap_err(),
                    ]
                })
                .await
                .unwrap()
            } else {
                let client = Client::connect(config).await.unwrap();
                [
                    within(client.get::<u32>("foo")).await.unwrap_err(),
                    within(client.incr("foo")).await.unwrap_err(),
                ]
            };
            for error in errors {
                assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown));
            }
            assert_eq!(nodes.asked("GET").len(), 1 + retries as usize, "blocking: {blocking}");
            assert_eq!(nodes.asked("INCR").len(), 1);
        }
    }
}

#[tokio::test]
async fn sixty_four_redirections_at_once_are_one_refresh_at_a_time() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        ["GET", ..] if node == 1 => moved(FOO, ports[0]),
        _ => None,
    });
    let client = nodes.client().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let client = client.clone();
        tasks.spawn(async move { client.get::<u32>("foo").await.unwrap() });
    }
    while let Some(value) = within(tasks.join_next()).await {
        assert_eq!(value.unwrap(), 0);
    }
    assert!(nodes.asked("CLUSTER").len() <= 4, "{:?}", nodes.asked("CLUSTER"));
}

#[tokio::test]
async fn a_write_whose_reply_is_lost_is_not_sent_again() {
    let nodes = Nodes::start(1, |_, _, command| match command {
        ["INCR" | "GET", ..] => Some(Act::SayAndClose(Vec::new())),
        _ => None,
    });
    let config = nodes.config().total_timeout(Duration::from_millis(300));
    let client = Client::connect(config).await.unwrap();
    let error = within(client.incr("foo")).await.unwrap_err();
    assert_eq!(error.sent(), Sent::Unknown, "{error}");
    assert_eq!(nodes.asked("INCR").len(), 1);
    // A read is.
    within(client.get::<u32>("foo")).await.unwrap_err();
    assert!(nodes.asked("GET").len() > 1);
}

#[tokio::test]
async fn addresses_behind_a_translation_are_remapped() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        ["CLUSTER", "SLOTS"] => {
            Some(say(&slots(ports, |port| format!("$8\r\n10.0.0.9\r\n:{port}\r\n"))))
        }
        ["GET", ..] if node == 1 => Some(say(&format!("-MOVED {FOO} 10.0.0.9:{}\r\n", ports[0]))),
        _ => None,
    });
    let config = nodes.config().remap(|_, port| ("127.0.0.1".into(), port));
    let client = Client::connect(config).await.unwrap();
    assert_eq!(within(client.get::<u32>("foo")).await.unwrap(), 0);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let nodes = Nodes::start(1, |_, _, command| match command {
        ["CLUSTER", ..] => Some(say("-ERR This instance has cluster support disabled\r\n")),
        _ => None,
    });
    let error = Client::connect(nodes.config()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    assert!(error.to_string().contains("no node of a cluster"), "{error}");
    let error = Client::connect(nodes.config().database(1)).await.unwrap_err();
    assert!(error.to_string().contains("`database`"), "{error}");
    let error = Client::connect("redis+cluster://h1:1,h2:x").await.unwrap_err();
    assert!(error.to_string().contains("port"), "{error}");
}

#[test]
fn a_blocking_client_follows_redirections_too() {
    let nodes = Nodes::start(2, |ports, node, command| match command {
        ["GET" | "SET", "foo", ..] if node == 1 => moved(FOO, ports[0]),
        _ => None,
    });
    let client = Client::connect_blocking(nodes.config()).unwrap();
    client.set("foo", 1).run().unwrap();
    let (_, value) = client.pipeline((set("{b", 1), get::<u32>("foo"))).run().unwrap();
    assert_eq!(value, 0);
}
