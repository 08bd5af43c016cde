//! Whoever waits alone reads for itself, and stalls nobody by it.

use super::*;

#[tokio::test]
async fn alone_no_other_task_is_woken() {
    let client = echo_client(Config::new(), 4096).await;
    echo(&client, "warm").await.unwrap();
    let before = client.link().state().counters.driver_polls;
    for n in 0..200 {
        assert_eq!(echo(&client, &n.to_string()).await.unwrap(), n.to_string());
    }
    let polls = client.link().state().counters.driver_polls - before;
    // The clock may tick in between.
    assert!(polls <= 5, "{polls} polls of the driver for 200 commands");
}

#[tokio::test]
async fn polled_once_and_left_alone_it_stalls_nobody() {
    let client = echo_client(Config::new(), 4096).await;
    let mut left_alone = echo(&client, "first");
    assert!(poll_once(&mut left_alone).is_pending());
    for n in 0..20 {
        assert_eq!(within(echo(&client, &n.to_string())).await.unwrap(), n.to_string());
    }
    assert_eq!(within(left_alone).await.unwrap(), "first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_left_alone_stall_nobody() {
    let client = echo_client(Config::new(), 4096).await;
    let mut left_alone: Vec<_> = (0..50).map(|n| echo(&client, &format!("left {n}"))).collect();
    let early: Vec<_> = left_alone.iter_mut().map(poll_once).collect();
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                for n in 0..50 {
                    let text = format!("{task}:{n}");
                    assert_eq!(within(echo(&client, &text)).await.unwrap(), text);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for (n, (future, early)) in left_alone.into_iter().zip(early).enumerate() {
        let outcome = match early {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => within(future).await,
        };
        assert_eq!(outcome.unwrap(), format!("left {n}"));
    }
}

#[tokio::test]
async fn dropped_while_reading_it_leaves_the_connection_to_the_driver() {
    let (client, mut peer, _peers) = super::client(Config::new(), 4096).await;
    for n in 0..10 {
        let mut dropped = echo(&client, "dropped");
        assert!(poll_once(&mut dropped).is_pending());
        drop(dropped);
        let next = tokio::spawn({
            let client = client.clone();
            async move { echo(&client, "next").await.unwrap() }
        });
        assert_eq!(peer.request().await.unwrap()[1], "dropped");
        peer.send(format!("$1\r\n{n}\r\n")).await;
        peer.answer().await.unwrap();
        assert_eq!(within(next).await.unwrap(), "next");
    }
}
