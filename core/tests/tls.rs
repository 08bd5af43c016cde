//! Encrypted connections to real servers, by both clients.
#![cfg(feature = "tls")]

use std::time::Duration;

use alizarin_core::commands::{get, incr, set};
use alizarin_core::{
    CacheConfig, Client, Command, Config, Delivery, Run as _, Streamed as _, Tls, TlsVersion,
};
use alizarin_testkit::{Server, Tls as Papers};

/// No test waits for longer.
const LONG: Duration = Duration::from_secs(30);

async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(LONG, future.into_future()).await.expect("hangs")
}

fn start() -> (Server, Config) {
    let papers = Papers::new().unwrap();
    let server = Server::builder().modules(false).tls(&papers).unwrap().start().unwrap();
    let config = Config::try_from(server.tls_url().unwrap()).unwrap();
    let config = config.tls(Tls::new().ca_pem(papers.ca_pem()));
    (server, config)
}

/// Values of many sizes, about the sizes of TLS records and of our own buffers.
fn sizes() -> impl Iterator<Item = usize> {
    let edges = [1, 4 << 10, 16 << 10, 64 << 10, 128 << 10, 1 << 20, 10 << 20];
    edges.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1])
}

fn value(size: usize) -> String {
    "0123456789abcdef".repeat(size / 16 + 1)[..size].to_owned()
}

#[tokio::test]
async fn values_of_every_size_there_and_back() {
    let (_server, config) = start();
    let client = Client::connect(&config).await.unwrap();
    for size in sizes() {
        let sent = value(size);
        within(client.set("k", &sent)).await.unwrap();
        let back: String = within(client.get("k")).await.unwrap();
        assert!(back == sent, "{size} bytes");
        let length: usize = client.command("STRLEN").key("k").await.unwrap();
        assert_eq!(length, size);
    }
}

#[test]
fn values_of_every_size_without_a_runtime() {
    let (_server, config) = start();
    let client = Client::connect_blocking(&config).unwrap();
    for size in sizes() {
        let sent = value(size);
        client.set("k", &sent).run().unwrap();
        assert!(client.get::<String>("k").run().unwrap() == sent, "{size} bytes");
    }
    let (name, count) = client.pipeline((get::<String>("k"), incr("n"))).run().unwrap();
    assert_eq!((name.len(), count), ((10 << 20) + 1, 1));
    // More is asked and answered than all buffers between the two hold.
    let batch: Vec<Command<String>> =
        (0..300).map(|_| Command::new("ECHO").arg(value(100_000))).collect();
    let replies = client.pipeline(batch).run().unwrap();
    assert!(replies.iter().all(|reply| reply.len() == 100_000));
    let mut messages = client.subscribe(["news"]).run().unwrap();
    client.publish("news", "one").run().unwrap();
    let Some(Ok(Delivery::Message(message))) = messages.iter().next() else {
        panic!("no message came")
    };
    assert_eq!(message.payload, "one");
}

#[tokio::test]
async fn many_share_one_connection() {
    let (_server, config) = start();
    let client = Client::connect(&config).await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                for n in 0..20 {
                    let text = format!("{task}:{n}:{}", "x".repeat(task * 50));
                    let back: String =
                        client.command("ECHO").arg(text.as_str()).into_future().await.unwrap();
                    assert_eq!(back, text);
                }
            })
        })
        .collect();
    for task in tasks {
        within(task).await.unwrap();
    }
    let batch: Vec<Command<String>> =
        (0..300).map(|_| Command::new("ECHO").arg(value(100_000))).collect();
    let replies = within(client.pipeline(batch)).await.unwrap();
    assert!(replies.iter().all(|reply| reply.len() == 100_000));
    let (_, count) = client.transaction((set("k", "w"), incr("n"))).await.unwrap();
    assert_eq!(count, 1);
}

#[tokio::test]
async fn channels_and_waiting_commands() {
    let (_server, config) = start();
    let client = Client::connect(&config).await.unwrap();
    let mut messages = client.subscribe(["news"]).await.unwrap();
    let large = value(300_000);
    client.publish("news", "one").await.unwrap();
    client.publish("news", &large).await.unwrap();
    for expected in ["one", large.as_str()] {
        let delivery = within(messages.next()).await.unwrap().unwrap();
        let Delivery::Message(message) = delivery else { panic!("{delivery:?}") };
        assert!(message.payload == expected.as_bytes());
    }
    let popper = client.clone();
    let popped = tokio::spawn(async move {
        popper.command::<(String, String)>("BLPOP").key("queue").arg(0).into_future().await
    });
    client.rpush("queue", "x").await.unwrap();
    assert_eq!(within(popped).await.unwrap().unwrap().1, "x");
}

#[tokio::test]
async fn a_lost_connection_comes_back_and_resumes_its_session() {
    let (mut server, config) = start();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let client = Client::connect(&config).await.unwrap();
        client.set("k", format!("{version:?}")).await.unwrap();
        server.restart().unwrap();
        let back: Option<String> = within(async {
            loop {
                match client.get("k").await {
                    Ok(back) => return back,
                    Err(error) => assert!(error.kind() != alizarin_core::ErrorKind::Tls, "{error}"),
                }
            }
        })
        .await;
        assert_eq!(back, None);
        server.command(&["CLIENT", "KILL", "TYPE", "NORMAL"]).unwrap();
        within(async { while client.set("k", 1).await.is_err() {} }).await;
    }
    // The server counts what it accepted; that those were resumed is looked at in the unit tests.
    let blocking = Client::connect_blocking(&config).unwrap();
    let lost = tokio::task::spawn_blocking(move || {
        blocking.set("k", 1).run().unwrap();
        server.restart().unwrap();
        let deadline = std::time::Instant::now() + LONG;
        while blocking.set("k", 2).run().is_err() {
            assert!(std::time::Instant::now() < deadline);
        }
    });
    lost.await.unwrap();
}

#[tokio::test]
async fn files_named_in_a_url() {
    let papers = Papers::new().unwrap().client_certificates();
    let builder = Server::builder().modules(false).password("hunter2").tls(&papers).unwrap();
    let server = builder.start().unwrap();
    let folder = server.tls_folder().unwrap().display().to_string();
    let url = format!(
        "{}?tls_ca_file={folder}/ca.pem&tls_cert_file={folder}/client.pem&\
         tls_key_file={folder}/client.key&tls_min_version=1.3&tls_server_name=localhost",
        server.tls_url().unwrap()
    );
    let client = Client::connect(url.as_str()).await.unwrap();
    client.set("k", "v").await.unwrap();
    let back: String = client.get("k").await.unwrap();
    assert_eq!(back, "v");
    let shown = format!("{:?}", client.config());
    assert!(shown.contains("client.key") && !shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn a_cache_is_told_of_changes() {
    let (_server, config) = start();
    let client = Client::connect(&config).await.unwrap();
    let cache = client.cache(CacheConfig::new()).await.unwrap();
    for n in 0..20_u32 {
        client.set("k", n).await.unwrap();
        within(async { while cache.get::<Option<u32>>("k").await.unwrap() != Some(n) {} }).await;
        cache.get::<u32>("k").await.unwrap();
    }
    assert!(cache.metrics().hits > 0);
}

#[test]
fn a_cache_without_a_runtime_is_told_of_changes() {
    let (_server, config) = start();
    let client = Client::connect_blocking(&config).unwrap();
    let cache = client.cache(CacheConfig::new()).run().unwrap();
    let end = std::time::Instant::now() + LONG;
    for n in 0..20_u32 {
        client.set("k", n).run().unwrap();
        while cache.get::<Option<u32>>("k").run().unwrap() != Some(n) {
            assert!(std::time::Instant::now() < end);
        }
        cache.get::<u32>("k").run().unwrap();
    }
    assert!(cache.metrics().hits > 0);
}
