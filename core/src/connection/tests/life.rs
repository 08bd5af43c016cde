//! The end of clients and of runtimes.

use super::*;
use crate::error::{ErrorKind, Sent};

#[tokio::test]
async fn the_last_clone_that_is_dropped_ends_the_task_and_the_connection() {
    let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
    let link = Arc::downgrade(client.link());
    let clone = client.clone();
    drop(client);
    let asking = tokio::spawn(async move { echo(&clone, "x").await.unwrap() });
    peer.answer().await.unwrap();
    assert_eq!(within(asking).await.unwrap(), "x");
    assert!(within(peer.request()).await.is_none());
    until(|| link.strong_count() == 0).await;
}

#[tokio::test]
async fn what_was_fired_is_sent_before_the_end() {
    let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
    client.fire(crate::commands::del("cursor"));
    drop(client);
    assert_eq!(within(peer.request()).await.unwrap(), ["DEL", "cursor"]);
    peer.send(":1\r\n").await;
    assert!(within(peer.request()).await.is_none());
}

#[tokio::test]
async fn closing_waits_for_answers_and_then_refuses() {
    let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
    let asking = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "x").await }
    });
    until(|| client.link().state().slots.fifo.len() == 1).await;
    let closing = tokio::spawn({
        let client = client.clone();
        async move { client.close().await }
    });
    until(|| client.link().state().closing).await;
    let refused = echo(&client, "y").await.unwrap_err();
    assert_eq!((refused.kind(), refused.sent()), (ErrorKind::Closed, Sent::No));
    peer.answer().await.unwrap();
    assert_eq!(within(asking).await.unwrap().unwrap(), "x");
    within(closing).await.unwrap();
    within(client.close()).await;
    assert!(peer.request().await.is_none());
}

#[test]
fn when_the_runtime_has_ended_every_call_says_so() {
    let first =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let second = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (client, peer, _peers) = first.block_on(super::client(Config::new(), 4096));
    second.block_on(async {
        let mut waiting = echo(&client, "x");
        assert!(poll_once(&mut waiting).is_pending());
        tokio::task::spawn_blocking(move || drop(first)).await.unwrap();
        for outcome in [within(waiting).await, within(echo(&client, "y")).await] {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Closed);
            assert!(error.to_string().contains("runtime"), "{error}");
        }
        within(client.close()).await;
    });
    drop(peer);
}
