//! Servers played by threads that answer as a script says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What the played server does with one command.
pub(crate) enum Act {
    Say(Vec<u8>),
    SayAndClose(Vec<u8>),
}

/// A reply.
pub(crate) fn say(text: &str) -> Act {
    Act::Say(text.as_bytes().to_vec())
}

/// Starts a played server; gives its URL and the number of connections it has seen.
pub(crate) fn play(
    script: impl Fn(usize, &[String]) -> Act + Send + Sync + 'static,
) -> Result<(String, Arc<AtomicUsize>), std::io::Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("redis://{}", listener.local_addr()?);
    Ok((url, play_on(listener, script)))
}

/// As [`play`], on a port that is known already.
pub(crate) fn play_on(
    listener: TcpListener,
    script: impl Fn(usize, &[String]) -> Act + Send + Sync + 'static,
) -> Arc<AtomicUsize> {
    let connections = Arc::new(AtomicUsize::new(0));
    let (script, seen) = (Arc::new(script), Arc::clone(&connections));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let number = seen.fetch_add(1, Ordering::SeqCst);
            let script = Arc::clone(&script);
            thread::spawn(move || serve(stream, number, &*script));
        }
    });
    connections
}

fn serve(mut stream: TcpStream, number: usize, script: &dyn Fn(usize, &[String]) -> Act) {
    let _ = stream.set_nodelay(true);
    let (mut inbox, mut chunk) = (Vec::new(), [0; 4_096]);
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        inbox.extend_from_slice(&chunk[..read]);
        while let Some((command, used)) = parse(&inbox) {
            inbox.drain(..used);
            match script(number, &command) {
                Act::Say(reply) => {
                    if stream.write_all(&reply).is_err() {
                        return;
                    }
                }
                Act::SayAndClose(reply) => {
                    let _ = stream.write_all(&reply);
                    return;
                }
            }
        }
    }
}

/// One command from the front of the bytes, if it is complete.
fn parse(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
        let end = *at + bytes.get(*at..)?.windows(2).position(|pair| pair == b"\r\n")?;
        let value = std::str::from_utf8(&bytes[*at + 1..end]).ok()?.parse().ok()?;
        *at = end + 2;
        Some(value)
    }
    let mut at = 0;
    let count = number(bytes, &mut at)?;
    let mut command = Vec::new();
    for _ in 0..count {
        let len = number(bytes, &mut at)?;
        command.push(String::from_utf8_lossy(bytes.get(at..at + len)?).into_owned());
        at += len + 2;
    }
    (at <= bytes.len()).then_some((command, at))
}
