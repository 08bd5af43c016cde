//! Scans over a cluster whose nodes change meanwhile: every key that is there throughout comes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alizarin_core::{Client, ErrorKind, Run as _};

use crate::cluster::{Nodes, within};
use crate::server::{Act, say};

/// Which slots a node serves: first and last, and its number.
type Slots<'s> = &'s [(u16, u16, usize)];

fn slots(ports: &[u16], served: Slots<'_>) -> Act {
    let part = |(first, last, node): &(u16, u16, usize)| {
        format!(
            "*3\r\n:{first}\r\n:{last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:{}\r\n$1\r\n{node}\r\n",
            ports[*node]
        )
    };
    say(&format!("*{}\r\n{}", served.len(), served.iter().map(part).collect::<String>()))
}

/// A page of a node's own keys, `node:0` to `node:3`, of which there are two, and of more.
fn page(node: usize, cursor: &str, more: &[&str]) -> Act {
    let (next, own) = if cursor == "0" { ("1", [0, 1]) } else { ("0", [2, 3]) };
    let own = own.map(|key| format!("{node}:{key}"));
    let keys: Vec<&str> = own.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let text = |key: &&str| format!("${}\r\n{key}\r\n", key.len());
    let list: String = keys.iter().map(text).collect();
    say(&format!("*2\r\n$1\r\n{next}\r\n*{}\r\n{list}", keys.len()))
}

fn all_of(nodes: &[usize]) -> BTreeSet<String> {
    nodes.iter().flat_map(|node| (0..4).map(move |key| format!("{node}:{key}"))).collect()
}

/// Scans to the end; `after` is called with the number of pages so far.
async fn scan(client: &Client, mut after: impl AsyncFnMut(usize)) -> BTreeSet<String> {
    let (mut cursor, mut seen, mut pages) = (0, BTreeSet::new(), 0);
    loop {
        let page = client.scan(cursor, "*", 10).into_future();
        // That of a blocking client is there at once, without a clock.
        let page = if client.is_blocking() { page.await } else { within(page).await };
        let (next, keys): (u64, Vec<String>) = page.unwrap();
        seen.extend(keys);
        pages += 1;
        assert!(pages < 100, "a scan without end");
        cursor = next;
        if cursor == 0 {
            return seen;
        }
        after(pages).await;
    }
}

const EVEN: Slots<'_> = &[(0, 4_999, 0), (5_000, 9_999, 1), (10_000, 16_383, 2)];

#[tokio::test]
async fn a_cursor_goes_on_at_the_node_that_gave_it() {
    let phase = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&phase);
    let nodes = Nodes::start(3, move |ports, node, command| match command {
        // The last node gets the first slot: by their slots it is the first from now on.
        ["CLUSTER", "SLOTS"] if now.load(Ordering::SeqCst) == 1 => {
            let moved = [(0, 0, 2), (1, 4_999, 0), (5_000, 9_999, 1), (10_000, 16_383, 2)];
            Some(slots(ports, &moved))
        }
        ["CLUSTER", "SLOTS"] => Some(slots(ports, EVEN)),
        ["SCAN", cursor, ..] => Some(page(node, cursor, &[])),
        _ => None,
    });
    let config = nodes.config().topology_interval(Duration::from_millis(100));
    let client = Client::connect(config).await.unwrap();
    let seen = scan(&client, async |pages| {
        if pages == 1 {
            phase.store(1, Ordering::SeqCst);
            let before = nodes.asked("CLUSTER").len();
            let deadline = Instant::now() + Duration::from_secs(20);
            // The client knows of it.
            while nodes.asked("CLUSTER").len() < before + 2 {
                assert!(Instant::now() < deadline);
                tokio::task::yield_now().await;
            }
        }
    });
    assert_eq!(seen.await, all_of(&[0, 1, 2]));
}

#[test]
fn what_goes_to_a_node_that_was_looked_at_is_found_there() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for blocking in [false, true] {
        let phase = Arc::new(AtomicUsize::new(0));
        let now = Arc::clone(&phase);
        let nodes = Nodes::start(3, move |ports, node, command| {
            let moved = now.load(Ordering::SeqCst) == 1;
            match command {
                ["CLUSTER", "SLOTS"] if moved => {
                    let moved = [(0, 5_100, 0), (5_101, 9_999, 1), (10_000, 16_383, 2)];
                    Some(slots(ports, &moved))
                }
                ["CLUSTER", "SLOTS"] => Some(slots(ports, EVEN)),
                ["SCAN", cursor, ..] if node == usize::from(!moved) => {
                    Some(page(node, cursor, &["wanders"]))
                }
                ["SCAN", cursor, ..] => Some(page(node, cursor, &[])),
                _ => None,
            }
        });
        let client = match blocking {
            false => runtime.block_on(nodes.client()),
            true => Client::connect_blocking(nodes.config()).unwrap(),
        };
        // Nobody tells the client: it looks at the end.
        let scan = scan(&client, async |pages| {
            if pages == 2 {
                phase.store(1, Ordering::SeqCst);
            }
        });
        let seen = match blocking {
            false => runtime.block_on(scan),
            true => async { Ok(scan.await) }.run().unwrap(),
        };
        let mut all = all_of(&[0, 1, 2]);
        all.insert("wanders".into());
        assert_eq!(seen, all, "blocking: {blocking}");
        let client = runtime.block_on(nodes.client());
        let error = client.scan::<String>(1 << 60, "*", 1).into_future();
        let error = runtime.block_on(within(error)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
}

#[tokio::test]
async fn an_heir_is_looked_at_from_the_beginning() {
    let phase = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&phase);
    let nodes = Nodes::start(4, move |ports, node, command| {
        let lost = now.load(Ordering::SeqCst) == 1;
        match command {
            ["CLUSTER", ..] if lost && node == 1 => Some(Act::SayAndClose(Vec::new())),
            ["CLUSTER", "SLOTS"] if lost => {
                let heir = [(0, 4_999, 0), (5_000, 9_999, 3), (10_000, 16_383, 2)];
                Some(slots(ports, &heir))
            }
            ["CLUSTER", "SLOTS"] => Some(slots(ports, EVEN)),
            ["SCAN", ..] if lost && node == 1 => Some(Act::SayAndClose(Vec::new())),
            ["SCAN", cursor, ..] => Some(page(node, cursor, &[])),
            _ => None,
        }
    });
    let client = nodes.client().await;
    let seen = scan(&client, async |pages| {
        if pages == 3 {
            phase.store(1, Ordering::SeqCst);
        }
    });
    let seen = seen.await;
    assert!(seen.is_superset(&all_of(&[0, 2, 3])), "{seen:?}");
}
