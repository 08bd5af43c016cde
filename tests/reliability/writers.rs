//! Tasks that write to a cluster's shards and note what became of each write, and a writer on a raw
//! socket beside them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alizarin::Sent;
use alizarin::commands::{incr, set};
use alizarin::prelude::*;
use tokio::sync::watch;

/// Keys of each of the three shards, by their tags.
pub(crate) const TAGS: [&str; 3] = ["{b}", "{c}", "{a}"];

/// So many keys of a shard are written at once: by the client's tasks, and by the control writer.
pub(crate) const TOGETHER: usize = 3;

/// What one writer has done.
#[derive(Default)]
pub(crate) struct Log {
    /// Each call: when it ended, how long it took, and by which number it was acknowledged.
    pub(crate) calls: Vec<(Instant, Duration, Option<u64>)>,
    /// What the server acknowledged last for each key, and by which number.
    pub(crate) acknowledged: HashMap<String, (u64, u64)>,
    /// Written, but whether it is there nobody knows.
    pub(crate) unknown: HashMap<String, u64>,
    pub(crate) errors: Vec<Error>,
}

/// How long a writer writes, and what.
#[derive(Clone)]
pub(crate) struct Orders {
    pub(crate) stop: Arc<AtomicBool>,
    /// While this says so it waits before its next write.
    pub(crate) held: Option<watch::Receiver<bool>>,
    /// Whether each write counts its shard's writes in the same transaction: so it is known in which
    /// order the server executed them.
    pub(crate) numbered: bool,
}

/// Writes to keys of one shard until it is told to stop.
pub(crate) async fn write(client: Client, tag: &str, writer: usize, mut orders: Orders) -> Log {
    let mut log = Log::default();
    let mut count = 0u64;
    let writes = format!("{tag}:writes");
    while !orders.stop.load(Ordering::Relaxed) {
        if let Some(held) = &mut orders.held
            && held.wait_for(|held| !*held).await.is_err()
        {
            break;
        }
        count += 1;
        let key = format!("{tag}:{writer}:{}", count % 1_000);
        let start = Instant::now();
        let outcome = match orders.numbered {
            true => {
                let both = client.transaction((set(&key, count), incr(&writes)));
                both.await.map(|(_, number)| number.cast_unsigned())
            }
            false => client.set(&key, count).await.map(|_| 0),
        };
        let number = outcome.as_ref().ok().copied();
        log.calls.push((Instant::now(), start.elapsed(), number));
        match outcome {
            Ok(number) => {
                log.unknown.remove(&key);
                log.acknowledged.insert(key, (count, number));
            }
            Err(error) => {
                if error.sent() == Sent::Unknown {
                    log.unknown.insert(key, count);
                }
                log.errors.push(error);
            }
        }
    }
    log
}

/// A writer on a raw socket of its own thread, with as many writes under way as the client has: what
/// the server loses by itself. Gives what was acknowledged last.
pub(crate) fn control(address: SocketAddr, tag: &str, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let (tag, stop) = (tag.to_owned(), Arc::clone(stop));
    std::thread::spawn(move || {
        let mut acknowledged = 0;
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let mut reply = [0; 64];
        'all: for count in 1u64.. {
            let mut wire = String::new();
            for at in 0..TOGETHER {
                let (key, value) = (format!("{tag}:control:{at}"), count.to_string());
                wire += &crate::floor::wire(&["SET", &key, &value]);
            }
            if std::io::Write::write_all(&mut stream, wire.as_bytes()).is_err() {
                break;
            }
            let mut left = "+OK\r\n".len() * TOGETHER;
            while left > 0 {
                match std::io::Read::read(&mut stream, &mut reply[..left]) {
                    Ok(read @ 1..) if !reply[..read].contains(&b'-') => left -= read,
                    _ => break 'all,
                }
            }
            acknowledged = count;
            if stop.load(Ordering::Relaxed) {
                break;
            }
        }
        acknowledged
    })
}
