//! Channels on real servers, in both protocols.

use std::time::Duration;

use alizarin_core::{Client, Config, Delivery, ErrorKind, Message, Protocol, ServerCode};
use alizarin_testkit::{Cluster, Server};

/// No test waits for longer.
const LONG: Duration = Duration::from_secs(20);

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("hangs")
}

/// A private server, and what connects to it in each protocol.
fn server() -> (Server, [Config; 2]) {
    let server = Server::builder().private().start().unwrap();
    let config: Config = server.url().parse().unwrap();
    let both = [Protocol::Resp2, Protocol::Resp3].map(|level| config.clone().protocol(level));
    (server, both)
}

/// Waits until the server counts so many subscribed connections.
async fn until_subscribed(client: &Client, count: usize) {
    within(async {
        loop {
            let list: String =
                client.command("CLIENT").arg(("LIST", "TYPE", "PUBSUB")).await.unwrap();
            if list.lines().filter(|line| !line.is_empty()).count() == count {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn parts(message: &Message) -> (&str, Option<&str>, &[u8]) {
    (&message.channel, message.pattern.as_deref(), &message.payload)
}

#[tokio::test]
async fn channels_and_patterns() {
    let (_server, configs) = server();
    for (config, protocol) in configs.iter().zip([Protocol::Resp2, Protocol::Resp3]) {
        let client = Client::connect(config).await.unwrap();
        assert_eq!(client.server().protocol(), protocol);
        let mut named = client.subscribe(["a", "b", "a"]).await.unwrap();
        let mut matched = client.psubscribe(["a*", "?"]).await.unwrap();
        assert_eq!(client.publish("a", "one").await.unwrap(), 3);
        assert_eq!(client.publish("ab", &b"\0\xff"[..]).await.unwrap(), 1);
        assert_eq!(client.publish("b", "").await.unwrap(), 2);
        for expected in [("a", None, &b"one"[..]), ("b", None, b"")] {
            let message = within(named.next_message()).await.unwrap().unwrap();
            assert_eq!(parts(&message), expected);
        }
        let mut came = Vec::new();
        for _ in 0..4 {
            came.push(within(matched.next_message()).await.unwrap().unwrap());
        }
        let mut came: Vec<_> = came.iter().map(parts).collect();
        came.sort_unstable();
        let expected = [
            ("a", Some("?"), &b"one"[..]),
            ("a", Some("a*"), b"one"),
            ("ab", Some("a*"), b"\0\xff"),
            ("b", Some("?"), b""),
        ];
        assert_eq!(came, expected);
    }
}

#[tokio::test]
async fn messages_come_in_order_small_and_large() {
    let (_server, configs) = server();
    for config in configs {
        let client = Client::connect(config).await.unwrap();
        let mut news = client.subscribe(["news"]).await.unwrap();
        let size = |n: usize| if n.is_multiple_of(50) { 3_000_000 } else { n };
        let publisher = tokio::spawn(async move {
            for n in 0..200 {
                let text = n.to_string().repeat(size(n));
                assert_eq!(client.publish("news", text).await.unwrap(), 1);
            }
        });
        for n in 0..200 {
            let message = within(news.next_message()).await.unwrap().unwrap();
            assert!(message.payload == n.to_string().repeat(size(n)), "message {n}");
        }
        publisher.await.unwrap();
    }
}

#[tokio::test]
async fn a_cut_connection_is_a_gap_and_comes_back() {
    let (_server, configs) = server();
    for config in configs {
        let client = Client::connect(config).await.unwrap();
        let mut named = client.subscribe(["a", "b"]).await.unwrap();
        let mut matched = client.psubscribe(["*"]).await.unwrap();
        for round in 0..3 {
            client.publish("a", "before").await.unwrap();
            let killed: u64 =
                client.command("CLIENT").arg(("KILL", "TYPE", "pubsub")).await.unwrap();
            assert_eq!(killed, 2);
            assert_eq!(client.publish("a", "lost").await.unwrap(), 0);
            for subscription in [&mut named, &mut matched] {
                let Delivery::Message(first) = within(subscription.next()).await.unwrap().unwrap()
                else {
                    panic!("what came before the cut is delivered, round {round}")
                };
                assert_eq!(&first.payload[..], b"before");
                assert_eq!(within(subscription.next()).await.unwrap().unwrap(), Delivery::Gap);
            }
            assert_eq!(client.publish("b", "after").await.unwrap(), 2);
            for subscription in [&mut named, &mut matched] {
                let message = within(subscription.next_message()).await.unwrap().unwrap();
                assert_eq!((&*message.channel, &message.payload[..]), ("b", &b"after"[..]));
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_an_error_then_a_gap() {
    let mut server = Server::builder().private().start().unwrap();
    let client = Client::connect(server.url()).await.unwrap();
    let mut news = client.subscribe(["news"]).await.unwrap();
    server.stop().unwrap();
    let error = within(news.next()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    server.restart().unwrap();
    within(async { while !matches!(news.next().await, Some(Ok(Delivery::Gap))) {} }).await;
    let publisher = Client::connect(server.url()).await.unwrap();
    assert_eq!(publisher.publish("news", "back").await.unwrap(), 1);
    assert_eq!(&within(news.next_message()).await.unwrap().unwrap().payload[..], b"back");
}

#[tokio::test]
async fn a_refused_channel_is_an_error_and_leaves_no_connection() {
    let (server, configs) = server();
    let admin = Client::connect(server.url()).await.unwrap();
    let rules = ("SETUSER", "reader", "on", ">word", "~*", "resetchannels", "&mine", "+@all");
    admin.command("ACL").arg(rules).exec().await.unwrap();
    for config in configs {
        let client = Client::connect(config.login("reader", "word")).await.unwrap();
        let refused = client.subscribe(["mine", "theirs"]).await.err().unwrap();
        assert_eq!(refused.server_code(), Some(ServerCode::NoPerm), "{refused}");
        let refused = client.psubscribe(["*"]).await.err().unwrap();
        assert_eq!(refused.server_code(), Some(ServerCode::NoPerm), "{refused}");
        until_subscribed(&admin, 0).await;
        let mut mine = client.subscribe(["mine"]).await.unwrap();
        assert_eq!(admin.publish("mine", "hi").await.unwrap(), 1);
        assert_eq!(&within(mine.next_message()).await.unwrap().unwrap().payload[..], b"hi");
        let none: [&str; 0] = [];
        assert_eq!(client.subscribe(none).await.err().unwrap().kind(), ErrorKind::Usage);
    }
}

#[tokio::test]
async fn a_dropped_subscription_closes_its_connection() {
    let (_server, configs) = server();
    for config in configs {
        let client = Client::connect(config).await.unwrap();
        let first = client.subscribe(["a"]).await.unwrap();
        let second = client.psubscribe(["a"]).await.unwrap();
        until_subscribed(&client, 2).await;
        drop(first);
        until_subscribed(&client, 1).await;
        assert_eq!(client.publish("a", "x").await.unwrap(), 1);
        // One that lives on does not need the client.
        drop(second);
        until_subscribed(&client, 0).await;
    }
}

#[tokio::test]
async fn a_dropped_wait_for_a_message_loses_none() {
    let (_server, configs) = server();
    for config in configs {
        let client = Client::connect(config).await.unwrap();
        let mut news = client.subscribe(["news"]).await.unwrap();
        for n in 0..300u32 {
            client.publish("news", n).await.unwrap();
            if n % 3 == 0 {
                // Polled once, with nothing or a part of it there, and dropped.
                let mut waiting = Box::pin(news.next_message());
                let polled =
                    std::future::poll_fn(|cx| std::task::Poll::Ready(waiting.as_mut().poll(cx)))
                        .await;
                if let std::task::Poll::Ready(message) = polled {
                    assert_eq!(message.unwrap().unwrap().payload, n.to_string());
                    continue;
                }
            }
            let message = within(news.next_message()).await.unwrap().unwrap();
            assert_eq!(message.payload, n.to_string());
        }
    }
}

#[tokio::test]
async fn the_futures_are_small() {
    let (_server, [_, config]) = server();
    let client = Client::connect(config).await.unwrap();
    let mut news = client.subscribe(["news"]).await.unwrap();
    let next = size_of_val(&news.next());
    let sizes = [
        ("next", next),
        ("subscribe", size_of_val(&client.subscribe(["news"]))),
        ("psubscribe", size_of_val(&client.psubscribe(["news.*"]))),
        ("ssubscribe", size_of_val(&client.ssubscribe(["news"]))),
        ("psubscribe_primaries", size_of_val(&client.psubscribe_primaries(["news.*"]))),
        ("next_message", size_of_val(&news.next_message())),
        ("exclusive", size_of_val(&client.exclusive())),
    ];
    println!("{sizes:?}");
    for (name, size) in sizes {
        let most = if name == "exclusive" { 2_048 } else { 256 };
        assert!(size <= most, "{name}: {size} bytes");
    }
}

#[test]
fn primaries_that_step_down_are_left_at_once() {
    let cluster = Cluster::builder().arg("--notify-keyspace-events", "KEA").start().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(within(Client::connect(cluster.url().as_str()))).unwrap();
    let (mut changes, mut news) = runtime.block_on(within(async {
        let changes = client.psubscribe_primaries(["__keyspace@0__:*"]).await.unwrap();
        (changes, client.ssubscribe(["{b}news"]).await.unwrap())
    }));
    // Nobody sends a command, so nobody is redirected.
    let before = cluster.primary_of("{b}").unwrap();
    let heir = cluster.failover("{b}").unwrap();
    for subscription in [&mut changes, &mut news] {
        let gap = runtime.block_on(within(subscription.next())).unwrap().unwrap();
        assert_eq!(gap, Delivery::Gap);
    }
    let patterns = |at: usize| cluster.node(at).command(&["PUBSUB", "NUMPAT"]).unwrap();
    assert_eq!((patterns(heir).as_str(), patterns(before).as_str()), ("1", "0"));
    // Each is told once, by the primary alone.
    for n in 0..3 {
        let key = format!("{{b}}{n}");
        cluster.node(heir).command(&["SET", &key, "1"]).unwrap();
        let message = runtime.block_on(within(changes.next_message())).unwrap().unwrap();
        assert_eq!(message.channel, format!("__keyspace@0__:{key}"));
        cluster.node(heir).command(&["SPUBLISH", "{b}news", &key]).unwrap();
        let message = runtime.block_on(within(news.next_message())).unwrap().unwrap();
        assert_eq!(message.payload, key.as_bytes());
    }
}
