//! Who answers what only reads, by each policy, in a shard that `CLUSTER SHARDS` describes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::cluster::{Nodes, within};
use crate::server::say;
use alizarin_core::{Client, ReadFrom, Run as _};

/// A node as RESP3 tells of it.
fn node(port: u16, role: &str, health: &str) -> String {
    format!(
        "%4\r\n$4\r\nport\r\n:{port}\r\n$8\r\nendpoint\r\n$9\r\n127.0.0.1\r\n$4\r\nrole\r\n+{role}\r\n$6\r\nhealth\r\n+{health}\r\n"
    )
}

/// One primary, two replicas, and one that has failed; node 1 is in the zone `here`, and node 2 is
/// slow.
fn shard() -> Nodes {
    Nodes::start(4, |ports, at, command| match command {
        ["CLUSTER", "SHARDS"] => {
            let nodes = [
                node(ports[3], "replica", "fail"),
                node(ports[1], "replica", "online"),
                node(ports[0], "master", "online"),
                node(ports[2], "replica", "online"),
            ];
            Some(say(&format!(
                "*1\r\n%2\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*4\r\n{}",
                nodes.concat()
            )))
        }
        ["INFO", "server"] => {
            let zone = if at == 1 { "here" } else { "there" };
            let text = format!("redis_version:8.6.3\r\navailability_zone:{zone}\r\n");
            Some(say(&format!("${}\r\n{text}\r\n", text.len())))
        }
        ["PING" | "GET", ..] if at != 1 => {
            std::thread::sleep(Duration::from_millis(3));
            (command[0] == "PING").then(|| say("+PONG\r\n"))
        }
        _ => None,
    })
}

/// Which nodes answer so many reads, once all that may are connected.
async fn readers(nodes: &Nodes, client: &Client, expected: &[usize], count: usize) -> Vec<usize> {
    within(async {
        let mut seen = Vec::new();
        while !expected.iter().all(|node| seen.contains(node)) {
            seen.push(client.get::<usize>("foo").await.unwrap());
        }
    })
    .await;
    let before = nodes.nodes_asked("GET").len();
    for _ in 0..count {
        within(client.get::<usize>("foo")).await.unwrap();
    }
    nodes.nodes_asked("GET").split_off(before)
}

fn times(all: &[usize], node: usize) -> usize {
    all.iter().filter(|one| **one == node).count()
}

#[tokio::test]
async fn each_policy_reads_where_it_says() {
    let nodes = shard();
    for (from, expected) in [
        (ReadFrom::Primary, &[0][..]),
        (ReadFrom::Replica, &[1, 2]),
        (ReadFrom::Any, &[0, 1, 2]),
        (ReadFrom::Random, &[1, 2]),
        (ReadFrom::Zone("here".into()), &[1]),
        (ReadFrom::Zone("nowhere".into()), &[1, 2]),
    ] {
        let config = nodes.config().read_from(from.clone());
        let interval = Duration::from_millis(100);
        let client = Client::connect(config.topology_interval(interval)).await.unwrap();
        // A zone is asked for after the first map.
        let settled = async {
            loop {
                let read = readers(&nodes, &client, expected, 60).await;
                if read.iter().all(|node| expected.contains(node)) {
                    break read;
                }
            }
        };
        let read = within(settled).await;
        match from {
            ReadFrom::Random => {
                assert!(times(&read, 1) > 10 && times(&read, 2) > 10, "{read:?}");
                let turns = read.windows(2).filter(|pair| pair[0] != pair[1]).count();
                assert!((10..50).contains(&turns), "they take turns: {read:?}");
            }
            _ => {
                for node in expected {
                    // With a new map the turns begin anew.
                    let share = times(&read, *node).abs_diff(60 / expected.len());
                    assert!(share <= 6, "{from:?}: {read:?}");
                }
            }
        }
    }
    let by = |command: &[String]| command[1] == "SHARDS";
    assert!(nodes.asked("CLUSTER").iter().all(|(_, command)| by(command)));
}

#[tokio::test]
async fn the_nearest_is_the_one_that_answers_soonest() {
    let nodes = shard();
    let config = nodes.config().read_from(ReadFrom::Nearest);
    let client = Client::connect(config.topology_interval(Duration::from_millis(100)));
    let client = within(client).await.unwrap();
    let settled = async {
        loop {
            let read = readers(&nodes, &client, &[1], 30).await;
            if times(&read, 1) == 30 {
                break;
            }
        }
    };
    within(settled).await;
}

#[tokio::test]
async fn what_shards_cannot_say_slots_does() {
    // Two primaries of a shard are well, as for a moment during each failover.
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let nodes = Nodes::start(2, move |ports, _, command| match command {
        ["CLUSTER", "SHARDS"] => {
            counted.fetch_add(1, Ordering::SeqCst);
            let both = [node(ports[0], "master", "online"), node(ports[1], "master", "online")];
            Some(say(&format!(
                "*1\r\n%2\r\n$5\r\nslots\r\n*2\r\n:0\r\n:16383\r\n$5\r\nnodes\r\n*2\r\n{}",
                both.concat()
            )))
        }
        _ => None,
    });
    let client = nodes.client().await;
    // By CLUSTER SLOTS the second half of the slots is the second node's.
    assert_eq!(within(client.get::<usize>("foo")).await.unwrap(), 1);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let config = nodes.config();
    let blocking = tokio::task::spawn_blocking(move || {
        Client::connect_blocking(config).unwrap().get::<usize>("foo").run().unwrap()
    });
    assert_eq!(blocking.await.unwrap(), 1);
}
