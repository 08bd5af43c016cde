//! The cache on clusters whose nodes are played: what is kept belongs to the node that tells of its
//! changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cluster::{FOO, Nodes, moved, slots, within};
use crate::server::{Act, play, say};
use alizarin_core::commands::mget;
use alizarin_core::{Cache, CacheConfig, Client, Run};

/// Two nodes, of which the second serves `foo` until the switch is set, and the cache.
async fn start(switch: &Arc<AtomicBool>) -> (Nodes, Cache) {
    let switch = Arc::clone(switch);
    let closed = AtomicBool::new(false);
    let nodes = Nodes::start(2, move |ports, node, command| match command {
        ["CLUSTER", "SLOTS"] if switch.load(Ordering::SeqCst) => {
            Some(say(&slots(&ports[..1], |port| format!("$9\r\n127.0.0.1\r\n:{port}\r\n"))))
        }
        ["GET", ..] if node == 1 && switch.load(Ordering::SeqCst) => moved(FOO, ports[0]),
        ["GET", "{foo}end"] if !closed.swap(true, Ordering::SeqCst) => {
            Some(Act::SayAndClose(Vec::new()))
        }
        _ => None,
    });
    let cache = nodes.client().await.cache(CacheConfig::new()).await.unwrap();
    (nodes, cache)
}

/// What the cache says: the number of the node that answered.
async fn read(cache: &Cache, key: &str) -> u32 {
    within(cache.get(key)).await.unwrap()
}

#[tokio::test]
async fn every_node_is_asked_to_tell_of_changes_and_then_once_for_each_key() {
    let (nodes, cache) = start(&Arc::default()).await;
    for _ in 0..3 {
        assert_eq!((read(&cache, "foo").await, read(&cache, "bar").await), (1, 0));
    }
    assert_eq!(nodes.nodes_asked("GET"), [1, 0]);
    let tracked = nodes.asked("CLIENT").into_iter().filter(|(_, words)| words[1] == "TRACKING");
    let tracked: Vec<usize> = tracked.map(|(node, _)| node).collect();
    assert!(tracked.contains(&0) && tracked.contains(&1), "{tracked:?}");
}

#[tokio::test]
async fn a_redirected_answer_is_given_and_not_kept() {
    let switch = Arc::default();
    let (nodes, cache) = start(&switch).await;
    switch.store(true, Ordering::SeqCst);
    assert_eq!(read(&cache, "foo").await, 0);
    assert_eq!(cache.metrics().entries, 0);
    // A new map may come at any moment, and with it nothing is kept that was being asked.
    within(async {
        while cache.metrics().entries == 0 {
            assert_eq!(read(&cache, "foo").await, 0);
        }
    })
    .await;
    let asked = nodes.nodes_asked("GET");
    assert_eq!((asked[0], asked[1..].iter().sum::<usize>()), (1, 0));
    assert_eq!(read(&cache, "foo").await, 0);
    assert_eq!(nodes.nodes_asked("GET"), asked);
}

#[tokio::test]
async fn what_was_read_from_a_node_that_no_longer_serves_the_slot_is_asked_for_anew() {
    let switch = Arc::default();
    let (_nodes, cache) = start(&switch).await;
    assert_eq!((read(&cache, "foo").await, read(&cache, "bar").await), (1, 0));
    switch.store(true, Ordering::SeqCst);
    // The node has told of nothing.
    assert_eq!(read(&cache, "foo").await, 1);
    // Another key of the slot shows that it has moved.
    assert_eq!(read(&cache, "{foo}other").await, 0);
    let before = cache.metrics();
    assert_eq!((read(&cache, "foo").await, read(&cache, "bar").await), (0, 0));
    let after = cache.metrics();
    assert_eq!((after.hits - before.hits, after.misses - before.misses), (1, 1));
}

#[tokio::test]
async fn a_lost_node_takes_its_own_entries_along() {
    let (_nodes, cache) = start(&Arc::default()).await;
    assert_eq!((read(&cache, "foo").await, read(&cache, "bar").await), (1, 0));
    assert_eq!(read(&cache, "{foo}end").await, 1);
    assert_eq!(cache.metrics().entries, 1);
    let misses = cache.metrics().misses;
    assert_eq!((read(&cache, "bar").await, cache.metrics().misses), (0, misses));
    assert_eq!((read(&cache, "foo").await, cache.metrics().misses), (1, misses + 1));
}

#[tokio::test]
async fn commands_over_several_slots_are_answered_and_not_kept() {
    let nodes = Nodes::start(2, |_, node, command| match command {
        ["MGET", _] => Some(say(&format!("*1\r\n:{node}\r\n"))),
        _ => None,
    });
    let cache = nodes.client().await.cache(CacheConfig::new()).await.unwrap();
    for _ in 0..2 {
        let values = within(cache.run(mget::<u32>(["foo", "bar"]))).await.unwrap();
        assert_eq!(values, [1, 0]);
        // One key is in one slot.
        assert_eq!(within(cache.run(mget::<u32>("foo"))).await.unwrap(), [1]);
    }
    assert_eq!((nodes.asked("MGET").len(), cache.metrics().entries), (5, 1));
}

#[test]
fn a_blocking_cache_takes_in_what_came_behind_the_last_reply() {
    let asked = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let script = move |_: usize, words: &[String]| match words[0].as_str() {
        "HELLO" => say("%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n"),
        "GET" => match count.fetch_add(1, Ordering::SeqCst) {
            // Somebody wrote right after it was read: both come at once.
            0 => say("$3\r\nold\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n"),
            _ => say("$3\r\nnew\r\n"),
        },
        _ => say("+OK\r\n"),
    };
    let (url, _) = play(script).unwrap();
    let client = Client::connect_blocking(url.as_str()).unwrap();
    let cache = client.cache(CacheConfig::new().key_expiry(false)).run().unwrap();
    let read = || cache.get::<String>("k").run().unwrap();
    assert_eq!((read(), read(), read()), ("old".into(), "new".into(), "new".into()));
    assert_eq!((asked.load(Ordering::SeqCst), cache.metrics().hits), (2, 1));
}
