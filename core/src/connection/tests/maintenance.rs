//! Servers that say beforehand that they move, or are busy.

use super::*;

const MOVING: &str = ">4\r\n+MOVING\r\n:1\r\n:30\r\n+there:6380\r\n";

#[tokio::test]
async fn a_move_happens_between_two_requests() {
    let (client, mut old, mut peers) = super::client(Config::new(), 4096).await;
    let mut first = echo(&client, "first");
    assert!(poll_once(&mut first).is_pending());
    assert_eq!(old.request().await.unwrap()[1], "first");
    old.send(MOVING).await;
    let mut new = tokio::select! {
        peer = peers.next() => peer,
        _ = &mut first => panic!("nobody has answered"),
    };
    // The new connection is there; the old one's answer is waited for.
    let second = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "second").await }
    });
    until(|| client.link().state().slots.fifo.len() == 2).await;
    old.send("$5\r\nfirst\r\n").await;
    assert_eq!(within(first).await.unwrap(), "first");
    assert_eq!(new.request().await.unwrap()[1], "second");
    new.send("$6\r\nsecond\r\n").await;
    assert_eq!(within(second).await.unwrap().unwrap(), "second");
    // The old one is closed, and nothing else was written to it.
    assert!(old.request().await.is_none());
    let third = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "third").await }
    });
    assert_eq!(new.request().await.unwrap()[1], "third");
    new.send("$5\r\nthird\r\n").await;
    assert_eq!(within(third).await.unwrap().unwrap(), "third");
}

#[tokio::test]
async fn an_idle_connection_moves_at_once_and_once() {
    let (client, mut old, mut peers) = super::client(Config::new(), 4096).await;
    old.send(&format!("{MOVING}{MOVING}")).await;
    let mut new = peers.next().await;
    assert!(within(old.request()).await.is_none());
    let third = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "x").await }
    });
    assert_eq!(new.request().await.unwrap()[1], "x");
    new.send("$1\r\nx\r\n").await;
    assert_eq!(within(third).await.unwrap().unwrap(), "x");
    assert!(peers.is_empty());
}

#[tokio::test]
async fn where_the_new_place_cannot_be_reached_the_old_one_is_used() {
    let (client, mut old, peers) = super::client(Config::new(), 4096).await;
    drop(peers);
    old.send(MOVING).await;
    tokio::spawn(async move { while old.answer().await.is_some() {} });
    for text in ["a", "b", "c"] {
        assert_eq!(within(echo(&client, text)).await.unwrap(), text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_server_gets_more_time() {
    let config = Config::new().response_timeout(Duration::from_secs(1));
    let (client, mut peer, _peers) = super::client(config, 4096).await;
    peer.send(">3\r\n+MIGRATING\r\n:1\r\n:5\r\n").await;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "slow").await }
    });
    assert_eq!(peer.request().await.unwrap()[1], "slow");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!slow.is_finished());
    peer.send("$4\r\nslow\r\n>2\r\n+MIGRATED\r\n:1\r\n").await;
    assert_eq!(within(slow).await.unwrap().unwrap(), "slow");
    // And no longer.
    let late = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "late").await }
    });
    assert_eq!(peer.request().await.unwrap()[1], "late");
    let error = within(late).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), crate::error::ErrorKind::Timeout);
}

#[tokio::test]
async fn the_newest_notice_counts_also_where_it_names_no_server() {
    let (client, mut old, mut peers) = super::client(Config::new(), 4096).await;
    let link = client.link();
    old.send(MOVING).await;
    let mut new = peers.next().await;
    // It is in use before the next notice comes.
    assert!(within(old.request()).await.is_none());
    assert_eq!(link.destination().address(), "there:6380");
    // The next one has no name for it: the old name leads there.
    new.send(">4\r\n+MOVING\r\n:2\r\n:0\r\n_\r\n").await;
    let mut newest = peers.next().await;
    assert_eq!(link.destination().address(), Config::new().address());
    let last = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "x").await }
    });
    assert_eq!(newest.request().await.unwrap()[1], "x");
    newest.send("$1\r\nx\r\n").await;
    assert_eq!(within(last).await.unwrap().unwrap(), "x");
}

#[tokio::test]
async fn a_notice_that_comes_with_the_end_of_the_login_counts() {
    let (client, mut old, mut peers) = super::client(Config::new(), 4096).await;
    old.send(MOVING).await;
    let mut new = peers.next().await;
    // Nobody has looked at the last answer yet.
    new.send(">4\r\n+MOVING\r\n:2\r\n:30\r\n+beyond:6380\r\n").await;
    let mut newest = peers.next().await;
    assert_eq!(client.link().destination().address(), "beyond:6380");
    let last = tokio::spawn(async move { echo(&client, "x").await });
    assert_eq!(newest.request().await.unwrap()[1], "x");
    newest.send("$1\r\nx\r\n").await;
    assert_eq!(within(last).await.unwrap().unwrap(), "x");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_will_be_cut_gets_more_time() {
    let config = Config::new().response_timeout(Duration::from_secs(1));
    let (client, mut peer, peers) = super::client(config, 4096).await;
    // Where it should go cannot be reached.
    drop(peers);
    let slow = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, "slow").await }
    });
    assert_eq!(peer.request().await.unwrap()[1], "slow");
    peer.send(MOVING).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!slow.is_finished());
    peer.send("$4\r\nslow\r\n").await;
    assert_eq!(within(slow).await.unwrap().unwrap(), "slow");
}
