//! Bytes in both directions: tiny buffers, pushes, chunks.

use super::*;
use crate::command::Command;
use crate::error::ErrorKind;

#[tokio::test]
async fn a_pipe_of_one_byte_does_not_deadlock() {
    let client = echo_client(Config::new(), 1).await;
    let batch: Vec<Command<String>> =
        (0..1500).map(|n| Command::new("ECHO").arg(format!("{n}-{n}-{n}"))).collect();
    let replies = within(async { client.pipeline(batch).await }).await.unwrap();
    assert!(replies.iter().enumerate().all(|(n, text)| *text == format!("{n}-{n}-{n}")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_replies_while_large_requests_are_written() {
    let client = echo_client(Config::new(), 300).await;
    let tasks: Vec<_> = (0..8)
        .map(|task: usize| {
            let client = client.clone();
            tokio::spawn(async move {
                let text = task.to_string().repeat(100_000);
                assert_eq!(within(echo(&client, &text)).await.unwrap(), text);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn pushes_count_as_no_replies_however_the_bytes_are_cut() {
    let wire = ">2\r\n+a\r\n:1\r\n$1\r\n1\r\n>1\r\n+b\r\n$1\r\n2\r\n>1\r\n+c\r\n>1\r\n+d\r\n$1\r\n3\r\n>1\r\n+e\r\n";
    for chunk in [1, 2, 5, 1000] {
        let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
        let server = tokio::spawn(async move {
            for _ in 0..2 {
                for _ in 0..3 {
                    peer.request().await.unwrap();
                }
                for bytes in wire.as_bytes().chunks(chunk) {
                    peer.send(bytes).await;
                    tokio::task::yield_now().await;
                }
            }
            peer.answer().await;
            peer
        });
        let batch: Vec<Command<String>> = (0..3).map(|_| Command::new("ECHO").arg("x")).collect();
        let replies = within(client.pipeline(batch)).await.unwrap();
        assert_eq!(replies, ["1", "2", "3"], "chunks of {chunk}");
        let (a, b, c) = tokio::join!(echo(&client, "x"), echo(&client, "x"), echo(&client, "x"));
        assert_eq!([a, b, c].map(Result::unwrap), ["1", "2", "3"]);
        assert_eq!(within(echo(&client, "end")).await.unwrap(), "end");
        server.await.unwrap();
    }
}

#[derive(Default)]
struct Sink(std::sync::Mutex<Vec<bytes::Bytes>>);

impl crate::connection::link::PushSink for Sink {
    fn push(&self, frame: bytes::Bytes) {
        self.0.lock().unwrap().push(frame);
    }

    fn lost(&self) {}

    fn source(&self) -> u64 {
        0
    }
}

#[tokio::test]
async fn whoever_takes_pushes_gets_them_at_once_even_when_idle() {
    let (connector, mut peers) = connector(4096);
    let config = Config::new();
    let dedicated = crate::connection::Dedicated::connect(&config, &connector);
    let (dedicated, mut peer) = tokio::join!(dedicated, peers.next());
    let sink = Arc::new(Sink::default());
    let link = crate::connection::Link::new(config.clone(), connector.clone(), dedicated.unwrap());
    let client = Client::from_link(link.with_pushes(Arc::clone(&sink) as Arc<_>));
    for n in 1..=3 {
        peer.send(">1\r\n:7\r\n").await;
        until(|| sink.0.lock().unwrap().len() == n).await;
        let (text, _) = tokio::join!(echo(&client, "x"), peer.answer());
        assert_eq!(text.unwrap(), "x");
    }
}

#[tokio::test]
async fn streamed_replies_are_put_together() {
    let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
    tokio::spawn(async move {
        peer.request().await;
        peer.send("$?\r\n;3\r\nabc\r\n;2\r\nde\r\n;0\r\n").await;
        while peer.answer().await.is_some() {}
    });
    assert_eq!(within(echo(&client, "x")).await.unwrap(), "abcde");
    assert_eq!(within(echo(&client, "next")).await.unwrap(), "next");
}

#[tokio::test]
async fn a_wrong_type_disturbs_nobody() {
    let client = echo_client(Config::new(), 4096).await;
    let wrong = client.command::<u64>("ECHO").arg("no number");
    let (wrong, right) = tokio::join!(wrong.into_future(), echo(&client, "right"));
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Decode);
    assert_eq!(right.unwrap(), "right");
}

#[tokio::test]
async fn what_is_no_resp_ends_the_connection_and_the_next_one_works() {
    let (client, mut peer, mut peers) = super::client(Config::new(), 4096).await;
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.command("INCR").arg("x").exec().await }
    });
    peer.request().await;
    peer.send("HTTP/1.1 400 Bad Request\r\n").await;
    assert_eq!(within(first).await.unwrap().unwrap_err().kind(), ErrorKind::Protocol);
    tokio::spawn(async move { peers.raw().await.echo().await });
    assert_eq!(within(echo(&client, "next")).await.unwrap(), "next");
}

#[tokio::test]
async fn many_together_take_few_writes() {
    let client = echo_client(Config::new(), 1 << 16).await;
    let tasks: Vec<_> = (0..64)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                for n in 0..100 {
                    let text = format!("{task}:{n}");
                    assert_eq!(echo(&client, &text).await.unwrap(), text);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let polls = client.link().state().counters.driver_polls;
    assert!(polls < 3200, "{polls} polls of the driver for 6400 commands");
}
