//! Values that travel without being copied: whole, in order, counted, and sent again when they
//! may be.

use bytes::Bytes;

use super::*;
use crate::command::Command;
use crate::error::Sent;

fn text(n: usize, size: usize) -> String {
    format!("{n}-").repeat(size / 2 + 1)[..size].to_owned()
}

fn command(n: usize, size: usize) -> Command<String> {
    let value = text(n, size);
    // A write, which is never repeated by itself; the peer answers with its last word.
    let command = Command::new("APPEND");
    match n % 3 {
        0 => command.arg(value),
        1 => command.arg(Bytes::from(value)),
        _ => command.arg(value.as_str()),
    }
}

fn size(n: usize) -> usize {
    [40_000, 7, 100_000, 32_768, 32_767][n % 5]
}

#[tokio::test]
async fn they_arrive_whole_among_small_ones_however_they_are_cut() {
    for capacity in [7, 300, 33_000, 1 << 20] {
        let client = echo_client(Config::new(), capacity).await;
        let batch: Vec<_> = (0..7).map(|n| command(n, size(n))).collect();
        let replies = within(client.pipeline(batch)).await.unwrap();
        let expected: Vec<_> = (0..7).map(|n| text(n, size(n))).collect();
        assert!(replies == expected, "a pipe of {capacity}");
        let tasks: Vec<_> = (0..7)
            .map(|n| {
                let client = client.clone();
                tokio::spawn(async move { client.run(command(n, size(n))).await.unwrap() })
            })
            .collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert!(within(task).await.unwrap() == expected[n], "a pipe of {capacity}");
        }
    }
}

#[tokio::test]
async fn one_that_nobody_waits_for_any_more_disturbs_nobody() {
    let client = echo_client(Config::new(), 300).await;
    for polls in 0..20 {
        let mut dropped = client.run(command(polls, 50_000)).into_future();
        for _ in 0..polls {
            if poll_once(&mut dropped).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(dropped);
        assert_eq!(within(echo(&client, "next")).await.unwrap(), "next");
    }
}

#[tokio::test]
async fn what_was_not_begun_is_sent_again_whole() {
    let (client, peer, mut peers) = super::client(Config::new(), 300).await;
    let begun = tokio::spawn({
        let client = client.clone();
        async move { client.run(command(1, 50_000)).await }
    });
    until(|| client.link().state().unwritten > 0).await;
    let waiting: Vec<_> = [(2, 60_000), (3, 5), (4, 70_000)]
        .map(|(n, size)| {
            let client = client.clone();
            tokio::spawn(
                async move { client.run(command(n, size)).await.unwrap() == text(n, size) },
            )
        })
        .into();
    until(|| client.link().state().pending.requests() == 3).await;
    drop(peer);
    let error = within(begun).await.unwrap().unwrap_err();
    assert_eq!(error.sent(), Sent::Unknown);
    let next = peers.raw().await;
    tokio::spawn(next.echo());
    for task in waiting {
        assert!(within(task).await.unwrap());
    }
}

#[tokio::test]
async fn they_count_for_what_may_be_pending() {
    let config = Config::new().max_pending_bytes(100_000);
    let (client, peer, _peers) = super::client(config, 300).await;
    let mut all: Vec<_> = (0..3).map(|n| client.run(command(n, 60_000)).into_future()).collect();
    for future in &mut all {
        assert!(poll_once(future).is_pending());
    }
    {
        let state = client.link().state();
        let held = state.pending.len() + state.unwritten;
        assert!((59_000..100_000).contains(&held) && state.slots.has_queue(), "{held}");
    }
    tokio::spawn(peer.answers());
    for (n, future) in all.into_iter().enumerate() {
        assert!(within(future).await.unwrap() == text(n, 60_000));
    }
}

/// What is dropped may be the user's own, whose end may do anything.
struct Owner(Client, Vec<u8>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.1
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Under a lock this would never come back.
        let _ = poll_once(&mut echo(&self.0, "from a destructor"));
    }
}

#[tokio::test]
async fn their_destructors_run_under_no_lock() {
    let (client, peer, _peers) = super::client(Config::new(), 300).await;
    let value = || Bytes::from_owner(Owner(client.clone(), vec![b'x'; 50_000]));
    // Written to its end, and never begun.
    for _ in 0..2 {
        let mut future = client.command::<String>("ECHO").arg(value()).into_future();
        assert!(poll_once(&mut future).is_pending());
    }
    let echoing = tokio::spawn(peer.answers());
    assert_eq!(within(echo(&client, "next")).await.unwrap(), "next");
    echoing.abort();
    let _ = echoing.await;
    let mut lost: Vec<_> =
        (0..3).map(|_| client.command::<String>("ECHO").arg(value()).into_future()).collect();
    for future in &mut lost {
        assert!(poll_once(future).is_pending());
    }
    drop(lost);
    client.close().await;
}
