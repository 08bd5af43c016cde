//! Connections on which nothing arrives any more, peers that lie, and readers that are slow.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin::{Config, Delivery};
use alizarin_testkit::{Proxy, Server};

use crate::tier::{Bar, Times, alone, report, rounds};

#[test]
fn a_connection_that_is_half_open() {
    let _turn = alone();
    let server = Server::builder().private().modules(false).start().unwrap();
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
        &format!("noticed after {:?} at most, {stale} stale replies", noticed.worst()),
    );
    assert_eq!(stale, 0);
    assert!(noticed.meet(2, bar), "{noticed:?}");
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Forgets what the peak was.
fn forget_peak() {
    // Where that is not allowed the old peak stays, and nothing can be said.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// A server that answers each login as it should, and then says this, over and over if so.
fn liar(words: Vec<u8>, endless: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut room = [0; 4_096];
        // The login, in one piece or several; then the request.
        loop {
            let read = stream.read(&mut room).unwrap_or(0);
            let words = String::from_utf8_lossy(&room[..read]).into_owned();
            if read == 0 || words.contains("\r\nGET\r\n") {
                break;
            }
            let count = words.split("\r\n").filter(|line| line.starts_with('*')).count();
            let hellos = words.matches("HELLO").count();
            let hello = "%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n";
            let reply = hello.repeat(hellos) + &"+OK\r\n".repeat(count - hellos);
            let _ = stream.write_all(reply.as_bytes());
        }
        while stream.write_all(&words).is_ok() && endless {}
        let _ = stream.read(&mut room);
    });
    port
}

#[test]
fn a_server_that_lies_about_lengths() {
    let _turn = alone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let lengths = ["-5", "-9223372036854775808", "9223372036854775807", "99999999999999999999"];
    let mut lies: Vec<(String, bool)> = Vec::new();
    for kind in ["$", "*", "%", "~", ">", "!", "=", "|"] {
        lies.extend(lengths.map(|length| (format!("{kind}{length}\r\n"), false)));
    }
    // Lengths that may be true, of which nothing comes.
    lies.extend(
        ["$500000000\r\n", "*60000000\r\n", "%30000000\r\n"].map(|lie| (lie.into(), false)),
    );
    lies.push(("*1\r\n".repeat(100_000), false));
    lies.push((">2\r\n$1\r\nx\r\n$1\r\ny\r\n".repeat(1_000), true));
    lies.push(("x".repeat(100_000), true));
    let (mut worst, mut errors) = (0, 0);
    for (lie, endless) in &lies {
        let port = liar(lie.clone().into_bytes(), *endless);
        let config = Config::new().tcp("127.0.0.1", port).maintenance(false).retries(0);
        let config = config.connect_timeout(Duration::from_millis(300)).fail_fast(true);
        let client = runtime.block_on(Client::connect(config)).unwrap();
        forget_peak();
        let before = peak();
        let get = client.get::<Option<String>>("k").into_future();
        let patience = Duration::from_secs(5);
        let outcome = runtime.block_on(async { tokio::time::timeout(patience, get).await });
        worst = worst.max(peak().saturating_sub(before));
        errors += usize::from(matches!(outcome, Ok(Err(_))));
        drop(client);
    }
    report(
        "R17 hostile server",
        &format!("{} lies, {errors} errors, memory grew by {worst} KiB at most", lies.len()),
    );
    assert_eq!(errors, lies.len());
    assert!(worst <= 8 * 1_024, "{worst} KiB");
}

#[test]
fn a_reader_that_is_slow() {
    let _turn = alone();
    let server = Server::builder()
        .private()
        .modules(false)
        .args(["--client-output-buffer-limit", "pubsub", "4mb", "0", "0"])
        .start()
        .unwrap();
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
    let mut server = server;
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
             {calls} calls without a server: {failed} failed, after {each:?} each"
        ),
    );
    assert!(grown <= 16 * 1_024, "{grown} KiB");
    assert!(read < count);
    assert_eq!(failed, calls);
    assert!(each <= Duration::from_millis(1), "{each:?}");
}
