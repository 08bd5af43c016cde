//! Deployments under Redis Sentinel: finding the primary, and following it.

use std::time::{Duration, Instant};

use alizarin_core::{Client, Config, Delivery, ErrorKind, Run};
use alizarin_testkit::Sentinel;

async fn within<T>(future: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), future.into_future()).await.expect("hangs")
}

#[tokio::test]
async fn the_primary_is_found_though_a_sentinel_is_down() {
    let mut deployment = Sentinel::start().unwrap();
    for _ in 0..2 {
        let client = within(Client::connect(deployment.url().as_str())).await.unwrap();
        within(client.set("k", 1)).await.unwrap();
        let role: Vec<alizarin_core::Value> = within(client.command("ROLE")).await.unwrap();
        assert_eq!(role[0].as_str(), Some("master"));
        deployment.sentinel_mut(0).stop().unwrap();
    }
}

#[tokio::test]
async fn passwords_of_servers_and_sentinels_are_told_apart() {
    let deployment =
        Sentinel::builder().password("hunter2").sentinel_password("hunter3").start().unwrap();
    let url = deployment.url();
    let client = within(Client::connect(url.as_str())).await.unwrap();
    within(client.set("k", 1)).await.unwrap();
    let wrong = url.replace("hunter3", "wrong");
    let error = within(Client::connect(wrong.as_str())).await.unwrap_err();
    assert!(error.to_string().contains("sentinel"), "{error}");
    assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
    assert!(!format!("{client:?} {:?}", client.config()).contains("hunter"));
}

#[tokio::test]
async fn what_each_sentinel_said_is_told() {
    let deployment = Sentinel::start().unwrap();
    let url = deployment.url().replace("/mymaster", "/other");
    let error = within(Client::connect(url.as_str())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("knows no primary named `other`"), "{error}");
    let url = format!("{}?min_other_sentinels=7", deployment.url());
    let error = within(Client::connect(url.as_str())).await.unwrap_err();
    assert!(error.to_string().contains("too few other sentinels"), "{error}");
    for (url, part) in [
        ("redis+sentinel://127.0.0.1:1", "name"),
        ("redis+sentinel://127.0.0.1:x/mymaster", "port"),
        ("redis+sentinel://127.0.0.1/mymaster/x", "database"),
        ("redis+sentinel://127.0.0.1/mymaster?min_other_sentinels=x", "min_other_sentinels"),
    ] {
        let error = url.parse::<Config>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_planned_failover_loses_nothing() {
    let deployment = Sentinel::start().unwrap();
    let client = within(Client::connect(deployment.url().as_str())).await.unwrap();
    let mut news = within(client.subscribe(["news"])).await.unwrap();
    within(client.set("counter", 0)).await.unwrap();
    let writer = tokio::spawn({
        let client = client.clone();
        async move {
            let (mut acknowledged, mut unknown) = (0u64, 0u64);
            let until = Instant::now() + Duration::from_secs(6);
            while Instant::now() < until {
                match client.incr("counter").await {
                    Ok(_) => acknowledged += 1,
                    Err(_) => unknown += 1,
                }
            }
            (acknowledged, unknown)
        }
    });
    tokio::task::spawn_blocking(move || {
        deployment.failover().unwrap();
        deployment
    })
    .await
    .map(Box::new)
    .map(Box::leak)
    .unwrap();
    let (acknowledged, unknown) = within(writer).await.unwrap();
    let stored: u64 = within(client.get("counter")).await.unwrap();
    assert!(acknowledged > 100);
    // What Redis itself loses when a primary is deposed under load is bounded by what it had not
    // replicated; nothing is counted twice.
    assert!(stored <= acknowledged + unknown, "{stored} of {acknowledged} and {unknown}");
    // The subscription was on the old primary or has gone over; it works either way.
    within(async {
        loop {
            let _: u64 = client.publish("news", "hello").await.unwrap();
            match tokio::time::timeout(Duration::from_millis(100), news.next()).await {
                Ok(Some(Ok(Delivery::Message(message)))) => {
                    assert_eq!(&message.payload[..], b"hello");
                    break;
                }
                Ok(Some(_)) | Err(_) => {}
                Ok(None) => panic!("a stream without end"),
            }
        }
    })
    .await;
}

#[test]
fn a_blocking_client_follows_too() {
    let mut deployment = Sentinel::start().unwrap();
    let client = Client::connect_blocking(deployment.url().as_str()).unwrap();
    client.set("k", 1).run().unwrap();
    let before = deployment.primary().unwrap();
    deployment.server_mut(before).stop().unwrap();
    deployment.wait_for_primary(|primary| primary != before).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while client.set("k", 2).run().is_err() {
        assert!(Instant::now() < deadline);
    }
    let value: u32 = client.get("k").run().unwrap();
    assert_eq!(value, 2);
}
