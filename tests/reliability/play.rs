//! Servers played by threads, which answer as a script says.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// The answer to a login by `HELLO`.
pub(crate) const HELLO: &str = "%1\r\n$7\r\nversion\r\n$5\r\n8.6.3\r\n";

/// A port that nobody listens on.
pub(crate) fn dead_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Serves whoever connects; the script gives the reply to each command, in wire form.
pub(crate) fn play(
    listener: TcpListener,
    script: impl Fn(&[&str]) -> String + Send + Sync + 'static,
) {
    let script = Arc::new(script);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            std::thread::spawn(move || serve(stream, &*script));
        }
    });
}

fn serve(mut stream: TcpStream, script: &dyn Fn(&[&str]) -> String) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let (mut inbox, mut room) = (Vec::new(), [0; 4_096]);
    loop {
        let read = stream.read(&mut room).ok().filter(|read| *read > 0)?;
        inbox.extend_from_slice(&room[..read]);
        let mut replies = String::new();
        while let Some((words, used)) = parse(&inbox) {
            inbox.drain(..used);
            replies += &script(&words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        stream.write_all(replies.as_bytes()).ok()?;
    }
}

/// The first command, and how many bytes it takes, once it is complete.
fn parse(bytes: &[u8]) -> Option<(Vec<String>, usize)> {
    fn number(bytes: &[u8], at: &mut usize) -> Option<usize> {
        let line = bytes.get(*at..)?;
        let end = line.windows(2).position(|pair| pair == b"\r\n")?;
        let value = std::str::from_utf8(line.get(1..end)?).ok()?.parse().ok()?;
        *at += end + 2;
        Some(value)
    }
    let mut at = 0;
    let count = number(bytes, &mut at)?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(bytes, &mut at)?;
        words.push(String::from_utf8_lossy(bytes.get(at..at + length)?).into_owned());
        at += length + 2;
    }
    (at <= bytes.len()).then_some((words, at))
}
