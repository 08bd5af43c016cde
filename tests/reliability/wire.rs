//! Connections on which nothing arrives any more, and readers that are slow.

use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin::{Config, Delivery};
use alizarin_testkit::{Proxy, Server};

use crate::tier::{Bar, Times, alone, report, rounds, server};

#[test]
fn a_connection_that_is_half_open() {
    let (_turn, server) = alone(server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bar = Bar { median: 2_000, worst: 2_000 };
    let (mut noticed, mut stale) = (Times::default(), 0);
    for round in 0.. {
        if !noticed.want_more(2, 10, bar) {
            break;
        }
        let proxy = Proxy::before(&server).unwrap();
        let client = runtime.block_on(Client::connect(proxy.url().as_str())).unwrap();
        let key = format!("half-open:{round}");
        runtime.block_on(async { client.set(&key, "before").await }).unwrap();
        proxy.blackhole();
        let start = Instant::now();
        let outcome = runtime.block_on(async { client.set(&key, "swallowed").await });
        noticed.push(start.elapsed());
        assert!(outcome.is_err());
        proxy.heal();
        // The old connection's replies, were there any, would come now.
        runtime.block_on(async {
            for n in 0..200 {
                let (key, value) = (format!("after:{n}"), format!("{n} after {round}"));
                let set = client.set(&key, &value).await;
                let got: Result<String> = client.get(&key).await;
                stale += u32::from(set.is_ok() && got.is_ok_and(|got| got != value));
            }
        });
    }
    report(
        "R3 half-open connection",
        &format!("noticed after {:?} at most, {stale} stale replies; floor 0", noticed.worst()),
    );
    assert_eq!(stale, 0);
    assert!(noticed.meet(2, bar), "{noticed:?}");
}

/// The most memory that this process ever had, in KiB.
pub(crate) fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Forgets what the peak was.
pub(crate) fn forget_peak() {
    // Where that is not allowed the old peak stays, and nothing can be said.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[test]
fn a_reader_that_is_slow() {
    let limit = ["--client-output-buffer-limit", "pubsub", "4mb", "0", "0"];
    let one = Server::builder().private().modules(false).args(limit);
    let (_turn, mut server) = alone(|| one.start().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(Client::connect(server.url().as_str())).unwrap();
    let mut slow = runtime.block_on(client.subscribe(["flood"])).unwrap();
    forget_peak();
    let before = peak();
    let count = rounds(40_000, 400_000);
    let payload = "x".repeat(1_000);
    runtime.block_on(async {
        for _ in 0..count / 100 {
            let batch = (0..100).map(|_| alizarin::commands::publish("flood", &payload));
            let _: Vec<u64> = client.pipeline(batch.collect::<Vec<_>>()).await.unwrap();
        }
    });
    let grown = peak().saturating_sub(before);
    // What the server threw away is told.
    let (mut read, mut gaps) = (0, 0);
    runtime.block_on(async {
        while gaps == 0 {
            match slow.next().await.unwrap() {
                Ok(Delivery::Message(_)) => read += 1,
                Ok(_) => gaps += 1,
                Err(_) => {}
            }
        }
    });
    // Calls while there is no server, beyond what may wait.
    let config = server.url().parse::<Config>().unwrap().fail_fast(true);
    let hasty = runtime.block_on(Client::connect(config)).unwrap();
    server.stop().unwrap();
    let _ = runtime.block_on(async { hasty.set("k", 1).await });
    let calls = rounds(100_000, 1_000_000);
    let start = Instant::now();
    let failed = runtime.block_on(async {
        let mut failed = 0;
        for _ in 0..calls {
            failed += usize::from(hasty.set("k", 1).await.is_err());
        }
        failed
    });
    let each = start.elapsed() / u32::try_from(calls).unwrap();
    report(
        "R18 slow reader",
        &format!(
            "{count} messages of 1 KB: memory grew by {grown} KiB, {read} read, {gaps} gap told; \
             {calls} calls without a server: {failed} failed, after {each:?} each; floor 0"
        ),
    );
    assert!(grown <= 16 * 1_024, "{grown} KiB");
    assert!(read < count);
    assert_eq!(failed, calls);
    assert!(each <= Duration::from_millis(1), "{each:?}");
}
