//! What a warm connection allocates.

use alizarin_core::Client;
use alizarin_testkit::Server;

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
