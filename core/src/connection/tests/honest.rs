//! What an error says of the request: whether it left, whether the server may have acted on it.

use super::*;
use crate::command::{Command, Flags};
use crate::commands::{incr, set};
use crate::error::{ErrorKind, Sent};

/// Answers every request with what `reply` gives.
async fn play(mut peer: Peer, reply: impl Fn(&[String]) -> &'static str) {
    while let Some(request) = peer.request().await {
        peer.send(reply(&request)).await;
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_was_an_answer() {
    let (client, peer, _peers) = super::client(Config::new(), 4096).await;
    tokio::spawn(play(peer, |request| match request[1].as_str() {
        "number" => ":12x\r\n",
        "tuple" => "*3\r\n:1\r\n:2\r\n:3\r\n",
        _ => "$1\r\nx\r\n",
    }));
    let number = client.command::<u64>("INCR").key("number").await.unwrap_err();
    assert_eq!((number.kind(), number.sent()), (ErrorKind::Protocol, Sent::Yes));
    let tuple = client.command::<(u64, u64)>("SPOP").key("tuple").await.unwrap_err();
    assert_eq!((tuple.kind(), tuple.sent()), (ErrorKind::Decode, Sent::Yes));
    let text = client.command::<u64>("GETDEL").key("text").await.unwrap_err();
    assert_eq!((text.kind(), text.sent()), (ErrorKind::Decode, Sent::Yes));
}

#[tokio::test]
async fn a_command_of_its_own_connection_may_have_run_when_the_answer_is_no_resp() {
    for garbage in ["HTTP/1.1 400\r\n", "$-2\r\n"] {
        let (client, _peer, mut peers) = super::client(Config::new(), 4096).await;
        let server = async {
            let peer = peers.next().await;
            play(peer, move |_| garbage).await;
        };
        let popped = client.command::<Vec<String>>("BLPOP").key("queue").arg(0);
        let popped = within(async { tokio::join!(popped.into_future(), server) }).await.0;
        let error = popped.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Protocol, Sent::Unknown));
    }
}

#[tokio::test]
async fn when_multi_is_refused_what_followed_it_may_have_run() {
    let (client, peer, _peers) = super::client(Config::new(), 4096).await;
    tokio::spawn(play(peer, |request| match request[0].as_str() {
        "MULTI" => "-NOPERM this user has no permissions to run the 'multi' command\r\n",
        "EXEC" => "-ERR EXEC without MULTI\r\n",
        "SET" => "+OK\r\n",
        _ => "-NOPERM nor this one\r\n",
    }));
    let error = client.transaction((set("k", "v"), incr("n"))).await.unwrap_err();
    assert_eq!((error.command(), error.sent()), (Some("MULTI"), Sent::Unknown), "{error}");
    assert!(error.to_string().contains("NOPERM"), "{error}");
    let error = client.transaction((incr("n"), incr("m"))).await.unwrap_err();
    assert_eq!((error.command(), error.sent()), (Some("MULTI"), Sent::Yes), "{error}");
    assert_eq!(error.server_code(), Some(crate::ServerCode::NoPerm));
}

#[tokio::test]
async fn what_has_no_reply_or_many_is_never_sent_on_the_shared_connection() {
    let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
    for refused in ["SUBSCRIBE", "monitor", "MULTI", "BLPOP", "WAIT"] {
        client.fire(Command::<()>::new(refused).arg("x"));
    }
    client.fire(Command::<()>::new("CLIENT").arg(("REPLY", "OFF")));
    for disguised in ["SUBSCRIBE", "MONITOR", "wait"] {
        let command = Command::<()>::new(disguised).arg("x").flags(Flags::READ);
        let error = client.run(command).await.unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Usage, Sent::No), "{disguised}");
    }
    let (text, request) = tokio::join!(echo(&client, "mine"), async {
        let request = peer.request().await.unwrap();
        peer.send("$4\r\nmine\r\n").await;
        request
    });
    assert_eq!((text.unwrap().as_str(), request[0].as_str()), ("mine", "ECHO"));
}

#[tokio::test]
async fn what_is_known_to_be_broken_gets_no_further_request() {
    let (client, mut peer, mut peers) = super::client(Config::new(), 4096).await;
    let mut first = client.incr("n").into_future();
    assert!(poll_once(&mut first).is_pending());
    peer.request().await.unwrap();
    // The answer, garbage behind it, and at once somebody else's request.
    peer.send(":1\r\n?\r\n").await;
    let Poll::Ready(first) = poll_once(&mut first) else { panic!("the answer is there") };
    assert_eq!(first.unwrap(), 1);
    let mut second = client.incr("n").into_future();
    assert!(poll_once(&mut second).is_pending());
    let (second, ()) = tokio::join!(within(second), async {
        let mut next = peers.next().await;
        assert_eq!(next.request().await.unwrap()[0], "INCR");
        next.send(":2\r\n").await;
    });
    assert_eq!(second.unwrap(), 2);
    assert!(within(peer.request()).await.is_none());
}

#[tokio::test]
async fn an_answer_that_arrived_before_the_peer_hung_up_counts() {
    let (client, mut peer, _peers) = super::client(Config::new(), 100).await;
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.incr("n").await }
    });
    peer.request().await.unwrap();
    // More than the pipe takes: the driver finds the loss by writing.
    let second = tokio::spawn({
        let client = client.clone();
        async move { client.command::<i64>("APPEND").arg("x".repeat(1000)).await }
    });
    until(|| client.link().state().unwritten > 0).await;
    peer.send(":1\r\n").await;
    drop(peer);
    assert_eq!(within(first).await.unwrap().unwrap(), 1);
    let error = within(second).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown));
}

#[tokio::test]
async fn replies_behind_the_handshake_answer_nothing() {
    let (connector, mut peers) = connector(4096);
    let server = async {
        let mut peer = peers.raw().await;
        peer.request().await.unwrap();
        peer.send("%1\r\n$7\r\nversion\r\n$5\r\n8.0.0\r\n").await;
        for _ in 0..3 {
            peer.request().await.unwrap();
        }
        peer.send("+OK\r\n+OK\r\n+OK\r\n$5\r\nwrong\r\n").await;
        peer
    };
    let (client, _peer) = tokio::join!(Client::open(Config::new(), connector), server);
    assert_eq!(client.unwrap_err().kind(), ErrorKind::Protocol);
}
