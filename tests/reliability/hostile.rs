//! Servers that lie about lengths: an error at once, and no memory for what has not come.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use alizarin::prelude::*;
use alizarin::{Config, FromReply as _, Value};
use alizarin_core::Run as _;
use alizarin_core::resp::Reader;

use crate::tier::{alone, report, together};
use crate::wire::{forget_peak, peak};

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

/// Lengths that no reply has.
const LENGTHS: [&str; 5] =
    ["-5", "-9223372036854775808", "9223372036854775807", "99999999999999999999", "x"];

/// Lengths that may be true, of which nothing comes.
const PROMISES: [&str; 4] = ["$500000000\r\n", "*60000000\r\n", "%30000000\r\n", "$?\r\n"];

fn config(lie: &str, endless: bool) -> Config {
    let port = liar(lie.as_bytes().to_vec(), endless);
    let config = Config::new().tcp("127.0.0.1", port).maintenance(false).retries(0);
    let config = config.connect_timeout(Duration::from_millis(300)).fail_fast(true);
    config.response_timeout(Duration::from_millis(500))
}

#[test]
fn a_server_that_lies_about_lengths() {
    let (_turn, ()) = alone(|| ());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut lies: Vec<(String, bool)> = Vec::new();
    for kind in ["$", "*", "%", "~", ">", "!", "=", "|"] {
        lies.extend(LENGTHS.map(|length| (format!("{kind}{length}\r\n"), false)));
    }
    let (illegal, mut times) = (lies.len(), Vec::new());
    lies.extend(PROMISES.map(|lie| (lie.into(), false)));
    // Deep, promising much on each level, and without end.
    lies.push(("*1\r\n".repeat(100_000), false));
    lies.push(("*1000000\r\n".repeat(60), false));
    lies.push((">2\r\n$1\r\nx\r\n$1\r\ny\r\n".repeat(1_000), true));
    lies.push(("x".repeat(100_000), true));
    let (mut worst, mut errors) = (0, 0);
    for (at, (lie, endless)) in lies.iter().enumerate() {
        let client = runtime.block_on(Client::connect(config(lie, *endless))).unwrap();
        forget_peak();
        let before = peak();
        let start = Instant::now();
        let get = client.get::<Option<String>>("k").into_future();
        let patience = Duration::from_secs(5);
        let outcome = runtime.block_on(async { tokio::time::timeout(patience, get).await });
        if at < illegal {
            times.push(start.elapsed());
            let kind =
                outcome.as_ref().ok().and_then(|outcome| outcome.as_ref().err()).map(Error::kind);
            assert_eq!(kind, Some(ErrorKind::Protocol), "{lie:?}: {outcome:?}");
        }
        worst = worst.max(peak().saturating_sub(before));
        errors += usize::from(matches!(outcome, Ok(Err(_))));
        drop(client);
    }
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    report(
        "R17 hostile server",
        &format!(
            "{} lies, {errors} errors, memory grew by {worst} KiB at most; {illegal} illegal lengths, an \
             error after median {median:?}, worst {longest:?}; floor: a round trip",
            lies.len()
        ),
    );
    assert_eq!(errors, lies.len());
    assert!(worst <= 8 * 1_024, "{worst} KiB");
    // None is waited for: the time without an answer is 500 ms.
    assert!(median <= Duration::from_millis(1), "{median:?}");
    assert!(longest < Duration::from_millis(250), "{longest:?}");
}

#[test]
fn memory_is_taken_for_what_has_come() {
    let (_turn, ()) = together(|| ());
    // On this thread alone, whose allocations are counted.
    let mut most = 0;
    for lie in PROMISES {
        let client = Client::connect_blocking(config(lie, false)).unwrap();
        let counted = allocation_counter::measure(|| {
            client.get::<Option<String>>("k").run().unwrap_err();
        });
        most = most.max(counted.bytes_max);
    }
    let (mut tree, nulls) = (0.0_f64, 100_000);
    for wire in [
        format!("*{nulls}\r\n{}", "_\r\n".repeat(nulls)),
        format!("%{nulls}\r\n{}", ":1\r\n_\r\n".repeat(nulls)),
        format!("{}{}", "*1\r\n".repeat(60), "_\r\n"),
        "*1000\r\n".to_owned() + &format!("*100\r\n{}", "_\r\n".repeat(100)).repeat(1_000),
    ] {
        let counted = allocation_counter::measure(|| {
            drop(Value::from_reply(&mut Reader::new(wire.as_bytes())).unwrap());
        });
        tree = tree.max(counted.bytes_max as f64 / wire.len() as f64);
    }
    report(
        "R17 memory",
        &format!(
            "a header of a length of which nothing comes: {most} bytes; a decoded reply: {tree:.1} times \
             what came; floor 0"
        ),
    );
    // The room of one read, and what an error takes.
    assert!(most <= 80 << 10, "{most} bytes for a header");
    assert!(tree <= 24.0, "{tree}");
}
