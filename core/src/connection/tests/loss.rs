//! Connections that are lost, refused, silent.

use super::*;
use crate::error::{ErrorKind, Sent};
use crate::resp::FromReply;
use crate::{Command, Error};

/// Runs a write in a task of its own.
fn write(client: &Client, text: &str) -> tokio::task::JoinHandle<Result<i64>> {
    let command = Command::new("APPEND").arg("log").arg(text).on(client.clone());
    tokio::spawn(command.into_future())
}

fn outcome<T: FromReply>(result: &Result<T>) -> (ErrorKind, Sent) {
    let error = result.as_ref().err().unwrap();
    (error.kind(), error.sent())
}

#[tokio::test]
async fn a_cut_in_the_middle_of_a_reply_leaves_the_outcome_unknown() {
    let (client, mut peer, mut peers) = super::client(Config::new(), 4096).await;
    let lost = write(&client, "x");
    peer.request().await.unwrap();
    peer.send("$10\r\nabc").await;
    drop(peer);
    let lost = within(lost).await.unwrap();
    assert_eq!(outcome(&lost), (ErrorKind::Disconnected, Sent::Unknown));
    assert_eq!(lost.unwrap_err().command(), Some("APPEND"));
    tokio::spawn(async move { peers.raw().await.echo().await });
    assert_eq!(within(echo(&client, "next")).await.unwrap(), "next");
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_by_itself() {
    let (client, mut peer, mut peers) = super::client(Config::new(), 4096).await;
    let read =
        tokio::spawn(Command::<String>::new("ECHO").arg("again").on(client.clone()).into_future());
    peer.request().await.unwrap();
    drop(peer);
    let mut peer = peers.next().await;
    peer.answer().await.unwrap();
    assert_eq!(within(read).await.unwrap().unwrap(), "again");
}

#[tokio::test]
async fn what_was_not_written_survives() {
    let (client, mut peer, mut peers) = super::client(Config::new(), 100).await;
    let large = write(&client, &"x".repeat(1000));
    until(|| client.link().state().unwritten > 0).await;
    let second = write(&client, "second");
    let third = write(&client, "third");
    until(|| client.link().state().slots.fifo.len() == 3).await;
    let mut some = [0; 50];
    peer.stream.read_exact(&mut some).await.unwrap();
    drop(peer);
    assert_eq!(outcome(&within(large).await.unwrap()), (ErrorKind::Disconnected, Sent::Unknown));
    let mut peer = peers.next().await;
    for (n, text) in [(1, "second"), (2, "third")] {
        assert_eq!(peer.request().await.unwrap()[2], text);
        peer.send(format!(":{n}\r\n")).await;
    }
    assert_eq!(within(second).await.unwrap().unwrap(), 1);
    assert_eq!(within(third).await.unwrap().unwrap(), 2);
}

#[tokio::test]
async fn an_idle_loss_is_mended_before_the_next_command() {
    let (client, peer, mut peers) = super::client(Config::new(), 4096).await;
    drop(peer);
    let mut peer = peers.next().await;
    until(|| client.link().state().counters.connections == 2).await;
    let next = write(&client, "x");
    peer.request().await.unwrap();
    peer.send(":1\r\n").await;
    assert_eq!(within(next).await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let config = Config::new().response_timeout(Duration::from_millis(60));
    let (client, mut peer, mut peers) = super::client(config, 4096).await;
    let first = write(&client, "x");
    let second = write(&client, "y");
    peer.request().await.unwrap();
    assert_eq!(outcome(&within(first).await.unwrap()), (ErrorKind::Timeout, Sent::Unknown));
    assert_eq!(outcome(&within(second).await.unwrap()), (ErrorKind::Timeout, Sent::Unknown));
    tokio::spawn(async move { peers.raw().await.echo().await });
    assert_eq!(within(echo(&client, "next")).await.unwrap(), "next");
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn a_slow_server_that_answers_is_not_given_up() {
    let config = Config::new().response_timeout(Duration::from_millis(200));
    let (client, mut peer, _peers) = super::client(config, 4096).await;
    let writes: Vec<_> = (0..6).map(|_| write(&client, "x")).collect();
    for n in 0..6 {
        peer.request().await.unwrap();
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.send(format!(":{n}\r\n")).await;
    }
    for (n, write) in writes.into_iter().enumerate() {
        assert_eq!(within(write).await.unwrap().unwrap(), n as i64);
    }
}

#[tokio::test]
async fn without_a_connection_requests_wait_and_then_fail_unsent() {
    let config = Config::new().connect_timeout(Duration::from_millis(80));
    let (client, peer, peers) = super::client(config, 4096).await;
    drop(peers);
    drop(peer);
    until(|| matches!(client.link().state().phase, super::super::state::Phase::Down)).await;
    let mut cancelled = echo(&client, "cancelled");
    assert!(poll_once(&mut cancelled).is_pending());
    drop(cancelled);
    assert_eq!(
        outcome(&within(write(&client, "x")).await.unwrap()),
        (ErrorKind::Connect, Sent::No)
    );
    until(|| client.link().state().pending.is_empty()).await;
}

#[tokio::test]
async fn a_wrong_password_fails_at_once_and_is_not_tried_again_unasked() {
    let (client, peer, mut peers) = super::client(Config::new(), 4096).await;
    drop(peer);
    for _ in 0..2 {
        let mut peer = peers.raw().await;
        let waiting = write(&client, "x");
        peer.request().await.unwrap();
        peer.send("-WRONGPASS invalid username-password pair\r\n").await;
        let error: Error = within(waiting).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Auth, Sent::No));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(peers.is_empty());
        // Somebody asks again: that starts the next round.
        let mut asked = echo(&client, "x");
        assert!(poll_once(&mut asked).is_pending());
        let mut peer = peers.raw().await;
        drop(asked);
        peer.request().await.unwrap();
        peer.send("-WRONGPASS again\r\n").await;
        let mut asked = echo(&client, "y");
        until(|| client.link().state().slots.fifo.is_empty()).await;
        assert!(poll_once(&mut asked).is_pending());
    }
}

#[tokio::test]
async fn a_peer_that_hangs_up_at_hello_is_spoken_to_in_resp2() {
    let (connector, mut peers) = connector(4096);
    let server = async {
        let mut peer = peers.raw().await;
        assert_eq!(peer.request().await.unwrap()[0], "HELLO");
        drop(peer);
        let mut peer = peers.raw().await;
        for _ in 0..3 {
            assert_ne!(peer.request().await.unwrap()[0], "HELLO");
            peer.send("+OK\r\n").await;
        }
        peer
    };
    let (client, mut peer) = tokio::join!(Client::open(Config::new(), connector), server);
    let client = client.unwrap();
    assert_eq!(client.server().protocol(), crate::Protocol::Resp2);
    tokio::spawn(async move { while peer.answer().await.is_some() {} });
    assert_eq!(within(echo(&client, "x")).await.unwrap(), "x");
}
