//! Subscriptions whose server is killed, or whose slot moves: made anew at once, told what may be
//! missing, and nothing comes twice.

use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin::{Delivery, Subscription};
use alizarin_testkit::Cluster;
use tokio::runtime::Runtime;

use crate::failover::APART;
use crate::floor::{addresses, first_ok};
use crate::tier::{Bar, Times, alone, cluster, connect, report, rounds};
use crate::writers::TAGS;

const BAR: Bar = Bar { median: 100, worst: 300 };

/// Waits until it is told that messages may be missing.
pub(crate) async fn gap(subscription: &mut Subscription) -> Instant {
    let told = async {
        loop {
            match subscription.next().await.unwrap() {
                Ok(Delivery::Gap) => return Instant::now(),
                Ok(other) => panic!("{other:?}"),
                Err(_) => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("no gap was told")
}

/// Publishes some texts by this command, and reads them; gives how many were others.
async fn duplicates(
    client: &Client,
    by: &str,
    channel: &str,
    subscription: &mut Subscription,
    round: usize,
) -> u32 {
    let mut others = 0;
    for n in 0..20 {
        let text = format!("{round}:{n}");
        loop {
            let command = client.command::<u64>(by);
            let command = match by {
                "SPUBLISH" => command.key(channel).arg(&text),
                _ => command.arg((channel, &text)),
            };
            match command.await {
                Ok(heard) => {
                    assert!(by == "PUBLISH" || heard == 1, "{heard} hear it");
                    break;
                }
                Err(error) => assert!(error.is_retryable(), "{error}"),
            }
        }
        let message = subscription.next_message();
        let message = tokio::time::timeout(Duration::from_secs(30), message).await;
        let message = message.expect("a message is missing").unwrap().unwrap();
        others += u32::from(message.payload != text.as_bytes());
    }
    others
}

#[test]
fn subscriptions_whose_server_is_killed() {
    let (_turn, mut cluster) = alone(cluster);
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let (mut late, mut floors) = (Times::default(), Times::default());
    let (mut kills, mut gaps, mut others) = (0, 0, 0);
    let mut sharded = runtime.block_on(client.ssubscribe(["{b}news"])).unwrap();
    while late.want_more(2, 24, BAR) {
        kills += 1;
        let victim = cluster.primary_of("{b}").unwrap();
        cluster.node_mut(victim).stop().unwrap();
        let killed = Instant::now();
        let floor = first_ok(addresses(&cluster), &["SET", "{b}", "1"]).join().unwrap();
        let back = runtime.block_on(gap(&mut sharded));
        gaps += 1;
        late.push(back.saturating_duration_since(floor));
        floors.push(floor - killed);
        let read = duplicates(&client, "SPUBLISH", "{b}news", &mut sharded, kills);
        others += runtime.block_on(read);
        cluster.node_mut(victim).restart().unwrap();
        cluster.wait_whole().unwrap();
    }
    report(
        "R20 sharded subscription",
        &format!(
            "{kills} kills: {gaps} gaps told, {others} duplicates, back after the servers' floor: median {:?}, worst {:?}; floor {:?}",
            late.median(),
            late.worst(),
            floors.median()
        ),
    );
    assert_eq!((gaps, others), (kills, 0));
    assert!(late.meet(2, BAR), "{late:?}");
}

/// Which node's connection it is that hears the channel.
fn host(cluster: &Cluster, channel: &str) -> Option<usize> {
    (0..cluster.len()).find(|at| {
        let heard = cluster.node(*at).command(&["PUBSUB", "NUMSUB", channel]).unwrap_or_default();
        heard.contains(&format!("{channel}\n1")) || heard.ends_with('1')
    })
}

#[test]
fn a_channel_whose_node_is_killed() {
    let (_turn, mut cluster) = alone(cluster);
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let mut news = runtime.block_on(client.subscribe(["news"])).unwrap();
    let (mut kills, mut others, mut late) = (0, 0, Times::default());
    while late.want_more(2, 12, BAR) {
        kills += 1;
        let victim = host(&cluster, "news").expect("nobody hears the channel");
        cluster.node_mut(victim).stop().unwrap();
        // Any other node will do: nobody has to be elected.
        let killed = Instant::now();
        let back = runtime.block_on(gap(&mut news));
        late.push(back.saturating_duration_since(killed));
        others += runtime.block_on(duplicates(&client, "PUBLISH", "news", &mut news, kills));
        cluster.node_mut(victim).restart().unwrap();
        cluster.wait_whole().unwrap();
    }
    report(
        "R20 subscription to any node",
        &format!(
            "{kills} kills: {kills} gaps told, {others} duplicates, back after median {:?}, worst {:?}; \
             floor 0",
            late.median(),
            late.worst()
        ),
    );
    assert_eq!(others, 0);
    assert!(late.meet(2, BAR), "{late:?}");
}

#[test]
fn notifications_whose_primary_steps_down() {
    let (_turn, cluster) = alone(|| {
        let notify = ("--notify-keyspace-events", "KEA");
        Cluster::builder().arg(notify.0, notify.1).start().unwrap()
    });
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let changes = client.psubscribe_primaries(["__keyspace@0__:*"]);
    let mut changes = runtime.block_on(changes).unwrap();
    let (mut others, mut late, mut failovers) = (0, Times::default(), 0);
    while late.want_more(3, 20, BAR) {
        let tag = TAGS[failovers % 3];
        failovers += 1;
        let next = Instant::now() + APART;
        // Nobody sends a command, so nobody is redirected.
        let heir = cluster.failover(tag).unwrap();
        let done = Instant::now();
        let back = runtime.block_on(gap(&mut changes));
        late.push(back.saturating_duration_since(done));
        for n in 0..20 {
            let key = format!("{tag}{failovers}:{n}");
            cluster.node(heir).command(&["SET", &key, "1"]).unwrap();
            let message = changes.next_message();
            let message = async { tokio::time::timeout(Duration::from_secs(30), message).await };
            let message = runtime.block_on(message).expect("a message is missing");
            others += u32::from(!message.unwrap().unwrap().channel.ends_with(&key));
        }
        std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
    report(
        "R20 notifications of a primary that steps down",
        &format!(
            "{failovers} planned failovers: {failovers} gaps told, {others} duplicates, at the heir after \
             median {:?}, worst {:?}; floor 0",
            late.median(),
            late.worst()
        ),
    );
    assert_eq!(others, 0);
    assert!(late.meet(3, BAR), "{late:?}");
}

#[test]
fn a_channel_whose_slot_moves() {
    let (_turn, cluster) = alone(cluster);
    let runtime = Runtime::new().unwrap();
    let client = runtime.block_on(connect(&cluster));
    let mut news = runtime.block_on(client.ssubscribe(["{b}news"])).unwrap();
    let slot = cluster.node(0).command(&["CLUSTER", "KEYSLOT", "{b}"]).unwrap();
    let slot: u16 = slot.trim().parse().unwrap();
    let home = cluster.primary_of("{b}").unwrap();
    let away = cluster.primary_of("{c}").unwrap();
    let (mut others, mut late) = (0, Times::default());
    let moves = rounds(4, 24);
    for round in 0..moves {
        let (from, to) = if round % 2 == 0 { (home, away) } else { (away, home) };
        cluster.move_slot(slot, from, to).unwrap();
        let moved = Instant::now();
        let back = runtime.block_on(gap(&mut news));
        late.push(back.saturating_duration_since(moved));
        others += runtime.block_on(duplicates(&client, "SPUBLISH", "{b}news", &mut news, round));
    }
    report(
        "R20 subscription whose slot moves",
        &format!(
            "{moves} moves: {moves} gaps told, {others} duplicates, back after median {:?}, worst {:?}; \
             floor 0",
            late.median(),
            late.worst()
        ),
    );
    assert_eq!(others, 0);
    assert!(late.meet(moves, BAR), "{late:?}");
}
