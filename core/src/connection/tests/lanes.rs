//! Several connections to one server: what is large goes by the last, and small requests pass it.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::command::Command;

const LARGE: usize = 100_000;

/// A client of two connections, and their far ends.
async fn two() -> (Client, Peer, Peer) {
    let (connector, mut peers) = connector(1 << 20);
    let open = Client::open(Config::new().connections(2), connector);
    let both = async {
        let first = peers.next().await;
        (first, peers.next().await)
    };
    let (client, (first, last)) = tokio::join!(open, both);
    (client.unwrap(), first, last)
}

/// Every one of these is answered while the other connection stands still.
async fn small_ones_pass(client: &Client) {
    for n in 0..20 {
        let text = n.to_string();
        assert_eq!(within(echo(client, &text)).await.unwrap(), text);
    }
}

#[tokio::test]
async fn small_requests_pass_large_ones_and_long_pipelines() {
    let (client, first, mut last) = two().await;
    tokio::spawn(first.answers());
    let large = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, &"x".repeat(LARGE)).await.unwrap().len() }
    });
    assert_eq!(last.request().await.unwrap()[1].len(), LARGE);
    small_ones_pass(&client).await;
    last.send(format!("${LARGE}\r\n{}\r\n", "x".repeat(LARGE))).await;
    assert_eq!(within(large).await.unwrap(), LARGE);

    let many = tokio::spawn({
        let client = client.clone();
        let batch: Vec<Command<String>> = (0..100).map(|_| Command::new("ECHO").arg("x")).collect();
        async move { client.pipeline(batch).await.unwrap().len() }
    });
    last.request().await.unwrap();
    small_ones_pass(&client).await;
    last.send("+x\r\n").await;
    tokio::spawn(last.answers());
    assert_eq!(within(many).await.unwrap(), 100);
    until(|| !client.link().others().any(|other| other.loaded.load(Ordering::Relaxed))).await;
}

/// Answers `GET` with much, unless it is to hold its answers back, and `ECHO` always.
async fn serve(mut peer: Peer, hold: Arc<AtomicBool>) {
    while let Some(request) = peer.request().await {
        let text = match request[0].as_str() {
            "GET" => {
                until(|| !hold.load(Ordering::Relaxed)).await;
                "y".repeat(LARGE)
            }
            _ => request[1].clone(),
        };
        peer.send(format!("${}\r\n{text}\r\n", text.len())).await;
    }
}

#[tokio::test]
async fn a_key_with_a_large_value_is_known_the_next_time() {
    let (client, first, last) = two().await;
    let hold = Arc::new(AtomicBool::new(false));
    tokio::spawn(serve(first, Arc::clone(&hold)));
    tokio::spawn(serve(last, Arc::clone(&hold)));
    // In turn, since nothing is known of it.
    assert_eq!(within(client.get::<String>("large").into_future()).await.unwrap().len(), LARGE);
    hold.store(true, Ordering::Relaxed);
    for _ in 0..3 {
        let large = tokio::spawn({
            let client = client.clone();
            async move { client.get::<String>("large").await.unwrap().len() }
        });
        until(|| client.link().others().all(|other| other.loaded.load(Ordering::Relaxed))).await;
        small_ones_pass(&client).await;
        hold.store(false, Ordering::Relaxed);
        assert_eq!(within(large).await.unwrap(), LARGE);
        hold.store(true, Ordering::Relaxed);
    }
}
