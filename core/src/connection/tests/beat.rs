//! Signs of life: asked for on an idle connection, missed on a silent one.

use super::*;
use crate::error::{ErrorKind, Sent};
use tokio::time::Instant;

fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn an_idle_server_is_asked_every_five_seconds() {
    let (client, mut peer, mut peers) = super::client(Config::new(), 4096).await;
    for _ in 0..10 {
        let since = Instant::now();
        assert_eq!(within(peer.request()).await.unwrap(), ["PING"]);
        assert!((4.7..=5.5).contains(&seconds(since)), "{}", seconds(since));
        peer.send("+PONG\r\n").await;
        until(|| client.link().state().slots.fifo.is_empty()).await;
    }
    // A refusal is a sign of life as good as any.
    assert_eq!(within(peer.request()).await.unwrap(), ["PING"]);
    peer.send("-NOPERM this user has no permissions to run the 'ping' command\r\n").await;
    let (text, _) = tokio::join!(echo(&client, "x"), peer.answer());
    assert_eq!(text.unwrap(), "x");
    assert!(peers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_replaced_before_anybody_needs_it() {
    let (client, _silent, mut peers) = super::client(Config::new(), 4096).await;
    let since = Instant::now();
    let mut next = peers.next().await;
    assert!((6.2..=7.5).contains(&seconds(since)), "{}", seconds(since));
    until(|| client.link().state().counters.connections == 2).await;
    let (text, _) = tokio::join!(echo(&client, "x"), next.answer());
    assert_eq!(text.unwrap(), "x");
}

#[tokio::test(start_paused = true)]
async fn a_hung_server_is_noticed_within_two_seconds() {
    let (client, mut peer, mut peers) = super::client(Config::new(), 4096).await;
    for wait in [0, 100, 3_033] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let since = Instant::now();
        let hung = client.command::<i64>("INCR").key("n");
        let (outcome, request) = tokio::join!(hung.into_future(), peer.request());
        let error = outcome.unwrap_err();
        assert_eq!(request.unwrap()[0], "INCR");
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Unknown));
        assert!((1.5..=2.0).contains(&seconds(since)), "{}", seconds(since));
        peer = peers.next().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_where_it_is_off_or_others_talk() {
    let (client, mut peer, _peers) = super::client(Config::new().heartbeat(None), 4096).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    let (text, request) = tokio::join!(echo(&client, "x"), async {
        let request = peer.request().await.unwrap();
        peer.send("$1\r\nx\r\n").await;
        request
    });
    assert_eq!((text.unwrap().as_str(), request[0].as_str()), ("x", "ECHO"));

    let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(4)).await;
        let (text, answered) = tokio::join!(echo(&client, "x"), peer.answer());
        assert_eq!(text.unwrap(), "x");
        answered.unwrap();
    }
    client.close().await;
    assert!(peer.request().await.is_none());
}

#[tokio::test]
async fn a_port_that_answers_with_an_alert_wants_tls() {
    let (connector, mut peers) = connector(4096);
    let server = async {
        let mut peer = peers.raw().await;
        peer.request().await.unwrap();
        peer.send(b"\x15\x03\x01\x00\x02\x02\x46").await;
        peer
    };
    let (client, _peer) = tokio::join!(Client::open(Config::new(), connector), server);
    let error = client.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains("rediss://"), "{error}");
}
