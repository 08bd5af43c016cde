//! Futures that are dropped at any moment: no reply reaches another caller, nothing is lost that was
//! not dropped, and no turn, lock, connection or task is left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alizarin::commands::{get, set};
use alizarin::prelude::*;
use alizarin_core::commands::incr;
use alizarin_testkit::{Proxy, Server};

use crate::tier::{Dice, cluster, connect, give_up, report, rounds, server, together, until};

/// A document to be locked.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "note")]
struct Note {
    #[redis(id)]
    id: u32,
    text: String,
}

/// How many keys there are; each has its own name as its value.
const KEYS: u64 = 200;

/// How many documents there are.
const NOTES: u64 = 16;

fn key(n: u64) -> String {
    format!("value:{n}")
}

/// What the calls go to.
struct Places {
    single: Client,
    cluster: Client,
    /// The same server, behind proxies that hold everything up.
    slow: Vec<Client>,
    notes: Repository<Note>,
}

/// What became of a task's calls.
#[derive(Default)]
struct Tally {
    dropped: AtomicU64,
    checked: AtomicU64,
}

impl Tally {
    /// Notes the outcome of a call that should give this.
    fn note<T: PartialEq + std::fmt::Debug>(&self, outcome: Option<Result<T>>, expected: &T) {
        match outcome {
            None => self.dropped.fetch_add(1, Ordering::Relaxed),
            Some(value) => {
                assert_eq!(&value.unwrap(), expected, "the reply of another call");
                self.checked.fetch_add(1, Ordering::Relaxed)
            }
        };
    }
}

/// One call of any sort, polled so often and then dropped.
async fn call(places: &Places, dice: &mut Dice, tally: &Tally) {
    let (one, other) = (key(dice.roll(KEYS)), key(dice.roll(KEYS)));
    let polls = dice.roll(6);
    let client = match dice.roll(2) {
        0 => &places.single,
        _ => &places.cluster,
    };
    match dice.roll(100) {
        0..40 => {
            let got = give_up(client.get::<String>(&one).into_future(), polls);
            tally.note(got.await, &one);
        }
        40..70 => {
            let both = client.pipeline((get::<String>(&one), get::<String>(&other)));
            tally.note(give_up(both.into_future(), polls).await, &(one.clone(), other.clone()));
        }
        70..85 => {
            let own = client.transaction((get::<String>(&one), set(&one, &one)));
            let own = give_up(own.into_future(), polls).await;
            tally.note(own.map(|own| own.map(|(value, _)| value)), &one);
        }
        85..93 => {
            let at = dice.roll(places.slow.len() as u64) as usize;
            let slow = &places.slow[at];
            let got = give_up(slow.get::<String>(&one).into_future(), polls).await;
            tally.note(got, &one);
        }
        93..95 => {
            let pause = polls * 200;
            let apart = give_up(on_a_connection(client, &one), pause).await;
            tally.note(apart, &one);
        }
        95..97 => {
            let pause = polls * 200;
            let watched = client.transaction_with(&one, async |tx| {
                let value: String = tx.run(get(&one)).await?;
                Ok((set(&one, value), get::<String>(&one)))
            });
            match give_up(watched.into_future(), pause).await {
                // Others write it too.
                Some(Err(error)) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                outcome => tally.note(outcome.map(|own| own.map(|(_, value)| value)), &one),
            }
        }
        97 => {
            let id = dice.roll(NOTES) as u32;
            let pause = polls * 100;
            let lock = places.notes.lock(&id).wait(Duration::ZERO);
            match give_up(lock.into_future(), pause).await {
                Some(Err(error)) => assert_eq!(error.kind(), ErrorKind::Locked, "{error}"),
                Some(Ok(lock)) => {
                    tally.note(give_up(lock.release(), dice.roll(100)).await.map(|_| Ok(())), &());
                }
                None => tally.note(None::<Result<()>>, &()),
            }
        }
        98 => {
            let id = dice.roll(NOTES) as u32;
            let text = id.to_string();
            let loaded = give_up(places.notes.get(&id).into_future(), dice.roll(60)).await;
            tally.note(loaded, &Some(Note { id, text: text.clone() }));
            let note = Note { id, text };
            let saved = give_up(places.notes.save(&note).into_future(), dice.roll(60)).await;
            tally.note(saved.map(|saved| saved.map(drop)), &());
        }
        _ => {
            let pause = polls * 200;
            let news = give_up(client.subscribe([&one]), pause).await;
            tally.note(news.map(|news| news.map(drop)), &());
        }
    }
}

/// Reads on a connection of the pool.
async fn on_a_connection(client: &Client, key: &str) -> Result<String> {
    let mut held = client.exclusive_for(key).await?;
    held.run(get(key)).await
}

#[test]
fn futures_dropped_at_any_moment() {
    const TASKS: u64 = 16;
    let (_turn, (cluster, server)) = together(|| (cluster(), server()));
    let delays = [1, 50, 500].map(Duration::from_millis);
    let proxies = delays.map(|delay| {
        let proxy = Proxy::before(&server).unwrap();
        proxy.delay(delay);
        proxy
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cancels = rounds(100_000, 1_000_000) as u64;
    let places = runtime.block_on(async {
        let single = Client::connect(server.url().as_str()).await.unwrap();
        let cluster = connect(&cluster).await;
        let mut slow = Vec::new();
        for proxy in &proxies {
            slow.push(Client::connect(proxy.url().as_str()).await.unwrap());
        }
        for client in [&single, &cluster] {
            for n in 0..KEYS {
                client.set(key(n), key(n)).await.unwrap();
            }
        }
        let notes = cluster.repository();
        for id in 0..NOTES as u32 {
            notes.save(&Note { id, text: id.to_string() }).await.unwrap();
        }
        Arc::new(Places { single, cluster, slow, notes })
    });
    let tally = Arc::new(Tally::default());
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (places, tally) = (Arc::clone(&places), Arc::clone(&tally));
            runtime.spawn(async move {
                let mut dice = Dice::new(task);
                // Enough must have been answered, too, for a wrong reply to be seen.
                while tally.dropped.load(Ordering::Relaxed) < cancels
                    || tally.checked.load(Ordering::Relaxed) < cancels / 10
                {
                    call(&places, &mut dice, &tally).await;
                }
            })
        })
        .collect();
    tasks.into_iter().for_each(|task| runtime.block_on(task).unwrap());
    let (dropped, checked) =
        (tally.dropped.load(Ordering::Relaxed), tally.checked.load(Ordering::Relaxed));
    // Every connection still answers what it is asked.
    runtime.block_on(async {
        for client in [&places.single, &places.cluster].into_iter().chain(&places.slow) {
            for n in 0..KEYS.min(20) {
                assert_eq!(client.get::<String>(key(n)).await.unwrap(), key(n));
            }
        }
        // And every lock was given back.
        for id in 0..NOTES as u32 {
            let lock = places.notes.lock(&id).wait(Duration::from_secs(5)).await.unwrap();
            lock.release().await.unwrap();
        }
    });
    for client in [&places.single, &places.cluster] {
        until("every turn is given back", || {
            let metrics = client.pool_metrics();
            (metrics.in_use, metrics.waiting) == (0, 0)
        });
    }
    let servers: Vec<&Server> =
        (0..cluster.len()).map(|at| cluster.node(at)).chain([&server]).collect();
    until("no subscription is left", || {
        let none = |server: &&Server| {
            let list = server.command(&["CLIENT", "LIST", "TYPE", "pubsub"]).unwrap();
            list.trim().is_empty()
        };
        servers.iter().all(none)
    });
    runtime.block_on(async {
        for client in [&places.single, &places.cluster].into_iter().chain(&places.slow) {
            client.close().await;
        }
    });
    drop(places);
    until("no task is left", || runtime.metrics().num_alive_tasks() == 0);
    report(
        "R14 dropped futures",
        &format!(
            "{dropped} given up (single server and cluster, delays of 0, 1, 50 and 500 ms; commands, \
             pipelines, MULTI, WATCH, pool, locks, documents, subscriptions), {checked} replies checked: \
             all their own; no turn, lock, subscription or task left; floor 0"
        ),
    );
}

#[test]
fn waits_for_messages_dropped_at_any_moment() {
    let (_turn, server) = together(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let count = rounds(2_000, 100_000) as u64;
    let dropped = runtime.block_on(async {
        let client = Client::connect(server.url().as_str()).await.unwrap();
        let mut news = client.subscribe(["news"]).await.unwrap();
        let publisher = tokio::spawn({
            let client = client.clone();
            async move {
                for n in 0..count {
                    client.publish("news", n.to_string()).await.unwrap();
                    client.run(incr("published")).await.unwrap();
                }
            }
        });
        let (mut dice, mut dropped, mut next) = (Dice::new(1), 0_u64, 0_u64);
        while next < count {
            match give_up(Box::pin(news.next_message()), dice.roll(4)).await {
                None => {
                    dropped += 1;
                    tokio::task::yield_now().await;
                }
                Some(message) => {
                    let message = message.unwrap().unwrap();
                    assert_eq!(message.payload, next.to_string().as_bytes());
                    next += 1;
                }
            }
        }
        publisher.await.unwrap();
        dropped
    });
    report(
        "R14 dropped waits for messages",
        &format!("{dropped} given up, {count} messages in order, none lost, none twice; floor 0"),
    );
    assert!(dropped > count / 10);
}
