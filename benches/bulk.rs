//! `save_all` of 100,000 small models beside the same `HSET`s encoded beforehand and pipelined by hand.
//!
//! Rounds in turn on one server; the ratio of the medians is what counts. Then how much memory is held
//! at most for ten times as many documents.

use std::time::{Duration, Instant};

use alizarin::command::each;
use alizarin::prelude::*;
use alizarin::{Command, Result};
use alizarin_testkit::Server;
use tokio::runtime::Builder;

const MODELS: u32 = 100_000;
const ROUNDS: usize = 7;
const BATCH: usize = 500;

#[derive(Debug, Clone, RedisModel)]
#[redis(hash, prefix = "bulk")]
struct Item {
    #[redis(id)]
    id: u32,
    title: String,
    kind: String,
    size: u32,
}

fn item(id: u32) -> Item {
    Item { id, title: format!("item number {id}"), kind: format!("k{}", id % 7), size: id * 3 }
}

fn encoded(items: &Repository<Item>) -> Vec<Command<()>> {
    let command = |id: u32| {
        let Item { title, kind, size, .. } = item(id);
        let command = Command::new("HSET").key(items.key(&id));
        command.arg(("id", id, "title", title)).arg(("kind", kind, "size", size))
    };
    (0..MODELS).map(command).collect()
}

async fn by_hand(client: &Client, commands: &[Command<()>]) -> Result<Duration> {
    let start = Instant::now();
    for page in commands.chunks(BATCH) {
        client.pipeline(each(page.iter().cloned())).await?;
    }
    Ok(start.elapsed())
}

async fn by_save_all(items: &Repository<Item>, models: &[Item]) -> Result<Duration> {
    let start = Instant::now();
    items.save_all(models).await?;
    Ok(start.elapsed())
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let server = Server::builder().private().start().expect("a server");
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let items: Repository<Item> = runtime.block_on(async {
        Client::connect(server.url().as_str()).await.expect("a client").repository()
    });
    let client = items.client().clone();
    let (commands, models) = (encoded(&items), (0..MODELS).map(item).collect::<Vec<_>>());
    let (mut hand, mut save) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        hand.push(runtime.block_on(by_hand(&client, &commands)).expect("written"));
        save.push(runtime.block_on(by_save_all(&items, &models)).expect("saved"));
    }
    let (hand, save) = (median(&mut hand), median(&mut save));
    println!(
        "save_all of {MODELS} models: {:.2} of the throughput of pipelines made by hand",
        hand.as_secs_f64() / save.as_secs_f64()
    );
    for count in [MODELS / 10, MODELS] {
        let used = allocation_counter::measure(|| {
            let saved = runtime.block_on(items.save_all((0..count).map(item)).into_future());
            assert_eq!(saved.expect("saved"), count as usize);
        });
        println!(
            "save_all of {count} models made one by one: {} KiB at most",
            used.bytes_max / 1_024
        );
    }
}
