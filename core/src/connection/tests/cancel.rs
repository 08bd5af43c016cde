//! Futures dropped at any point shift nobody's reply.

use super::*;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Many tasks, half of whose futures are dropped after a random number of polls.
async fn storm(client: Client) {
    let tasks: Vec<_> = (0..16u64)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut random = Random(task * 7919 + 1);
                for n in 0..300 {
                    let text = format!("{task}:{n}:{}", "x".repeat(random.below(300) as usize));
                    let mut future = echo(&client, &text);
                    if random.below(2) == 0 {
                        for _ in 0..random.below(4) {
                            if poll_once(&mut future).is_ready() {
                                break;
                            }
                            tokio::task::yield_now().await;
                        }
                        drop(future);
                    } else {
                        assert_eq!(within(future).await.unwrap(), text);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(echo(&client, "last").await.unwrap(), "last");
    until(|| client.link().state().slots.fifo.is_empty()).await;
}

#[tokio::test]
async fn at_random_on_one_thread() {
    storm(echo_client(Config::new(), 4096).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_random_on_two_threads() {
    storm(echo_client(Config::new(), 4096).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_random_with_few_turns_and_little_room() {
    let config = Config::new().max_in_flight(3).max_pending_bytes(200);
    storm(echo_client(config, 64).await).await;
}

#[tokio::test]
async fn a_turn_that_is_not_taken_stalls_nobody() {
    let client = echo_client(Config::new().max_in_flight(2), 4096).await;
    let mut left_alone: Vec<_> = (0..3).map(|n| echo(&client, &format!("left {n}"))).collect();
    for future in &mut left_alone {
        assert!(poll_once(future).is_pending());
    }
    let more = (0..20).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { echo(&client, &n.to_string()).await.unwrap() })
    });
    for (n, task) in more.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(within(task).await.unwrap(), n.to_string());
    }
    for (n, future) in left_alone.into_iter().enumerate() {
        assert_eq!(within(future).await.unwrap(), format!("left {n}"));
    }
}

#[tokio::test]
async fn nothing_grows_while_the_peer_stalls() {
    let config = Config::new().max_in_flight(10);
    let (client, _stalled, _peers) = super::client(config, 64).await;
    for _ in 0..1000 {
        let mut future = echo(&client, &"x".repeat(100));
        let _ = poll_once(&mut future);
    }
    let state = client.link().state();
    assert!(state.slots.fifo.len() <= 10);
    assert!(state.pending.len() < 10_000, "{}", state.pending.len());
}
