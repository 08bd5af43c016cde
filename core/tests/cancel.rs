//! Futures dropped at random, against a real server: whoever is left gets his own value.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use alizarin_core::commands::set;
use alizarin_core::{Client, Config};
use alizarin_testkit::Server;

const TASKS: u64 = 20;
const EACH: u64 = 1_000;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What is stored at a key: some fit into a reply slot, others do not.
fn value(key: u64) -> String {
    format!("{key}:").repeat(1 + key as usize % 40)
}

async fn ask(client: Client, task: u64) -> u64 {
    let mut random = Random(task * 7_919 + 1);
    let mut completed = 0;
    for n in 0..EACH {
        let key = task * EACH + n;
        let mut future = client.get::<String>(key).into_future();
        let polls = match random.below(3) {
            0 => u64::MAX,
            _ => random.below(4),
        };
        for _ in 0..polls {
            // Polled and left to others, as in a `select!`.
            let polled = poll_fn(|cx| Poll::Ready(Pin::new(&mut future).poll(cx))).await;
            if let Poll::Ready(outcome) = polled {
                assert_eq!(outcome.unwrap(), value(key), "key {key}");
                completed += 1;
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    completed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_futures_dropped_at_random_mix_up_no_values() {
    let server = Server::builder().private().modules(false).start().unwrap();
    let plain: Config = server.url().parse().unwrap();
    let filler = Client::connect(&plain).await.unwrap();
    for task in 0..TASKS {
        let keys = task * EACH..(task + 1) * EACH;
        filler.pipeline(keys.map(|key| set(key, value(key))).collect::<Vec<_>>()).await.unwrap();
    }
    for config in [&plain, &plain.clone().max_in_flight(4).max_pending_bytes(150)] {
        let client = Client::connect(config).await.unwrap();
        let tasks: Vec<_> = (0..TASKS).map(|n| tokio::spawn(ask(client.clone(), n))).collect();
        let mut completed = 0;
        for task in tasks {
            completed += task.await.unwrap();
        }
        assert!(completed >= TASKS * EACH / 4, "{completed}");
        assert_eq!(client.get::<String>(7u64).await.unwrap(), value(7));
    }
}
