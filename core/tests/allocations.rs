//! What a warm connection allocates.

use std::time::Duration;

use alizarin_core::Client;
use alizarin_core::command::each as each_of;
use alizarin_core::commands::set;
use alizarin_testkit::Server;
use bytes::Bytes;

#[test]
fn a_small_get_allocates_nothing_but_its_value() {
    let server = Server::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(Client::connect(server.url())).unwrap();
    let ask = async |times: usize| {
        for _ in 0..times {
            let value: String = client.get("k").await.unwrap();
            assert_eq!(value, "0123456789abcdef");
        }
    };
    runtime.block_on(async {
        client.set("k", "0123456789abcdef").await.unwrap();
        ask(100).await;
    });
    let info = allocation_counter::measure(|| runtime.block_on(ask(1_000)));
    // A tick of the clock in between may allocate once or twice.
    assert!(info.count_total <= 1_020, "{} allocations for 1000 GET", info.count_total);
    assert!(info.bytes_total <= 40_000, "{} bytes for 1000 GET", info.bytes_total);
}

#[test]
fn a_subscription_keeps_no_large_buffer() {
    let server = Server::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = runtime.block_on(Client::connect(server.url())).unwrap();
    let channel = format!("{}large", server.namespace());
    let mut news = runtime.block_on(client.subscribe([&channel])).unwrap();
    let info = allocation_counter::measure(|| {
        runtime.block_on(async {
            client.publish(&channel, "x".repeat(16 << 20)).await.unwrap();
            let message = news.next_message().await.unwrap().unwrap();
            assert_eq!(message.payload.len(), 16 << 20);
        });
    });
    assert!(info.bytes_max > 16 << 20);
    assert!(info.bytes_current < 2 << 20, "{} bytes are kept", info.bytes_current);
}

#[test]
fn an_idle_connection_keeps_little() {
    const CLIENTS: i64 = 8;
    const FRESH: i64 = 6 << 10;
    const IDLE: i64 = 6 << 10;
    let server = Server::start().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // A first one, for what all share.
    let _first = runtime.block_on(Client::connect(server.url())).unwrap();
    let mut clients = Vec::with_capacity(CLIENTS as usize);
    let fresh = allocation_counter::measure(|| {
        runtime.block_on(async {
            for _ in 0..CLIENTS {
                clients.push(Client::connect(server.url()).await.unwrap());
            }
        });
    });
    let each = fresh.bytes_current / CLIENTS;
    assert!(each < FRESH, "{each} bytes for a connection that was just made");

    let key = format!("{}idle", server.namespace());
    let value = Bytes::from(vec![b'x'; 10 << 20]);
    let used = allocation_counter::measure(|| {
        runtime.block_on(async {
            for client in &clients {
                client.set(&key, &value).await.unwrap();
                assert_eq!(client.get::<Bytes>(&key).await.unwrap(), value);
                let small = value.slice(..100);
                let batch = (0..2_000).map(|_| set(&key, &small));
                client.pipeline(each_of(batch)).await.unwrap();
                let tasks: Vec<_> = (0..500)
                    .map(|_| {
                        let (client, key) = (client.clone(), key.clone());
                        tokio::spawn(async move { client.get::<String>(&key).await.unwrap().len() })
                    })
                    .collect();
                for task in tasks {
                    assert_eq!(task.await.unwrap(), 100);
                }
            }
            // Time passes, without anything to do.
            tokio::time::pause();
            for _ in 0..4 {
                tokio::time::advance(Duration::from_millis(300)).await;
                tokio::task::yield_now().await;
            }
        });
    });
    let each = (fresh.bytes_current + used.bytes_current) / CLIENTS;
    assert!(used.bytes_max > 10 << 20);
    assert!(each < IDLE, "{each} bytes for a connection that is idle again");
}
