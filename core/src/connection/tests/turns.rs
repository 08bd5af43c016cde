//! Requests over the limits wait for their turn; who does not take it keeps nobody waiting.

use super::*;
use crate::commands::incr;
use crate::error::{ErrorKind, Sent};

#[tokio::test]
async fn turns_that_nobody_takes_pass() {
    for config in [Config::new().max_in_flight(2), Config::new().max_pending_bytes(60)] {
        let client = echo_client(config, 64).await;
        let mut left_alone: Vec<_> = (0..9).map(|n| echo(&client, &format!("left {n}"))).collect();
        for future in &mut left_alone {
            assert!(poll_once(future).is_pending());
        }
        let more = (0..20).map(|n| {
            let client = client.clone();
            tokio::spawn(async move { echo(&client, &n.to_string()).await.unwrap() })
        });
        for (n, task) in more.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(within(task).await.unwrap(), n.to_string());
        }
        for (n, future) in left_alone.into_iter().enumerate() {
            assert_eq!(within(future).await.unwrap(), format!("left {n}"));
        }
        let state = client.link().state();
        assert_eq!((state.slots.in_flight(), state.slots.granted_bytes()), (0, 0));
    }
}

#[tokio::test]
async fn a_late_turn_that_is_dropped_leaves_nothing() {
    let client = echo_client(Config::new().max_in_flight(1), 4096).await;
    let mut left_alone: Vec<_> = (0..5).map(|n| echo(&client, &format!("left {n}"))).collect();
    for future in &mut left_alone {
        assert!(poll_once(future).is_pending());
    }
    assert_eq!(within(echo(&client, "next")).await.unwrap(), "next");
    drop(left_alone);
    assert_eq!(within(echo(&client, "last")).await.unwrap(), "last");
    let state = client.link().state();
    assert_eq!((state.slots.in_flight(), state.slots.granted_bytes()), (0, 0));
    assert!(!state.slots.has_queue());
}

#[tokio::test]
async fn without_a_connection_those_in_the_queue_wait_no_longer_than_the_others() {
    let config = Config::new().max_in_flight(1).connect_timeout(Duration::from_millis(200));
    let (client, peer, peers) = super::client(config, 4096).await;
    drop(peers);
    drop(peer);
    until(|| matches!(client.link().state().phase, super::super::state::Phase::Down)).await;
    let since = tokio::time::Instant::now();
    let tasks: Vec<_> = (0..30)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.run(incr("n")).await })
        })
        .collect();
    for task in tasks {
        let error = within(task).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Connect, Sent::No));
    }
    assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_large_request_on_a_slow_line_is_no_silence() {
    let config = Config::new().response_timeout(Duration::from_millis(150));
    let (client, mut peer, _peers) = super::client(config, 64).await;
    let upload = tokio::spawn({
        let client = client.clone();
        async move { echo(&client, &"x".repeat(600)).await }
    });
    let mut some = [0; 60];
    let mut came = Vec::new();
    while came.len() < 600 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let count = peer.stream.read(&mut some).await.unwrap();
        assert_ne!(count, 0, "cut off after {} bytes", came.len());
        came.extend_from_slice(&some[..count]);
    }
    peer.send("$2\r\nok\r\n").await;
    assert_eq!(within(upload).await.unwrap().unwrap(), "ok");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_however_much_is_sent_to_it() {
    let config = Config::new().response_timeout(Duration::from_millis(150));
    let (client, _peer, _peers) = super::client(config, 1 << 20).await;
    let mut first = client.run(incr("n"));
    assert!(poll_once(&mut first).is_pending());
    within(async {
        loop {
            client.fire(incr("m"));
            if let Poll::Ready(outcome) = poll_once(&mut first) {
                let error = outcome.unwrap_err();
                assert_eq!((error.kind(), error.sent()), (ErrorKind::Timeout, Sent::Unknown));
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_queue_that_is_given_up_at_once_costs_no_time() {
    let (client, _stalled, _peers) = super::client(Config::new().max_in_flight(1), 64).await;
    let many = 50_000;
    let mut futures: Vec<_> = (0..many).map(|_| client.run(incr("n"))).collect();
    for future in &mut futures {
        assert!(poll_once(future).is_pending());
    }
    // The last first, then the first first: neither order may search the queue each time.
    let since = std::time::Instant::now();
    futures.drain(many / 2..).rev().for_each(drop);
    futures.drain(1..).for_each(drop);
    assert!(since.elapsed() < Duration::from_secs(9), "{:?}", since.elapsed());
    let state = client.link().state();
    assert!(!state.slots.has_queue());
    assert_eq!(state.slots.in_flight(), 1);
}

#[tokio::test]
async fn who_waits_for_the_end_again_and_again_waits_once() {
    let (client, _silent, _peers) = super::client(Config::new(), 4096).await;
    let mut asking = echo(&client, "x");
    assert!(poll_once(&mut asking).is_pending());
    let mut closing = Box::pin(client.close());
    let waker = Waker::from(Arc::new(Asking(std::sync::Weak::new())));
    for _ in 0..100 {
        assert!(closing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(client.link().state().closers.len(), 1);
}

/// A waker that asks for the lock of the link when it is dropped, as the waker of an executor
/// does whose task holds another request.
struct Asking(std::sync::Weak<crate::connection::Link>);

impl std::task::Wake for Asking {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Asking {
    fn drop(&mut self) {
        let link = self.0.upgrade();
        let _tick = link.map(|link| link.state().tick);
    }
}

#[tokio::test]
async fn no_waker_is_dropped_under_the_lock() {
    let (client, _silent, _peers) = super::client(Config::new().max_in_flight(1), 4096).await;
    let (done, outcome) = std::sync::mpsc::channel();
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let _entered = runtime.enter();
        let mut closing = Box::pin(client.close());
        let (mut joined, mut queued) = (echo(&client, "x"), echo(&client, "y"));
        for _ in 0..3 {
            let waker = Waker::from(Arc::new(Asking(Arc::downgrade(client.link()))));
            let mut context = Context::from_waker(&waker);
            assert!(Pin::new(&mut joined).poll(&mut context).is_pending());
            assert!(Pin::new(&mut queued).poll(&mut context).is_pending());
        }
        let waker = Waker::from(Arc::new(Asking(Arc::downgrade(client.link()))));
        assert!(closing.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop((joined, queued));
        done.send(()).unwrap();
    });
    let outcome = tokio::task::spawn_blocking(move || outcome.recv_timeout(LONG));
    outcome.await.unwrap().expect("a deadlock, or a wrong outcome");
}
