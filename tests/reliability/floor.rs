//! When servers work again, as raw sockets see it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alizarin_testkit::{Cluster, Server};

/// Between two questions to one server.
const STEP: Duration = Duration::from_millis(5);

/// Where the nodes of a cluster listen.
pub(crate) fn addresses(cluster: &Cluster) -> Vec<SocketAddr> {
    (0..cluster.len()).map(|at| address(cluster.node(at))).collect()
}

/// Where a server listens.
pub(crate) fn address(server: &Server) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port().unwrap()))
}

/// Asks all of these servers, again and again, until one says `+OK` or `+PONG`; gives the moment.
pub(crate) fn first_ok(addresses: Vec<SocketAddr>, command: &[&str]) -> JoinHandle<Instant> {
    let wire = wire(command);
    std::thread::spawn(move || {
        let mut streams: Vec<Option<TcpStream>> = addresses.iter().map(|_| None).collect();
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            for (address, stream) in addresses.iter().zip(&mut streams) {
                if stream.is_none() {
                    *stream = TcpStream::connect_timeout(address, STEP).ok();
                }
                match stream.as_mut().map(|stream| ask(stream, wire.as_bytes())) {
                    Some(Ok(true)) => return Instant::now(),
                    Some(Ok(false)) => {}
                    Some(Err(_)) | None => *stream = None,
                }
            }
            std::thread::park_timeout(STEP);
        }
        panic!("no server works after a minute")
    })
}

/// Asks all of these servers, again and again, until it is told to stop; gives the longest time in
/// which none said `+OK`.
pub(crate) fn longest_gap(
    addresses: Vec<SocketAddr>,
    command: &[&str],
    stop: &Arc<AtomicBool>,
) -> JoinHandle<Duration> {
    let (wire, stop) = (wire(command), Arc::clone(stop));
    std::thread::spawn(move || {
        let mut streams: Vec<Option<TcpStream>> = addresses.iter().map(|_| None).collect();
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        while !stop.load(Ordering::Relaxed) {
            for (address, stream) in addresses.iter().zip(&mut streams) {
                if stream.is_none() {
                    *stream = TcpStream::connect_timeout(address, STEP).ok();
                }
                match stream.as_mut().map(|stream| ask(stream, wire.as_bytes())) {
                    Some(Ok(true)) => {
                        longest = longest.max(last.elapsed());
                        last = Instant::now();
                    }
                    Some(Ok(false)) => {}
                    Some(Err(_)) | None => *stream = None,
                }
            }
            std::thread::park_timeout(STEP);
        }
        longest
    })
}

/// Asks one server, again and again, until it is told to stop; gives what each answer took that came
/// while `counts` was set.
pub(crate) fn latencies(
    address: SocketAddr,
    command: &[&str],
    stop: &Arc<AtomicBool>,
    counts: &Arc<AtomicBool>,
) -> JoinHandle<Vec<Duration>> {
    let (wire, stop, counts) = (wire(command), Arc::clone(stop), Arc::clone(counts));
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut times, mut reply) = (Vec::new(), [0; 512]);
        while !stop.load(Ordering::Relaxed) {
            let start = Instant::now();
            stream.write_all(wire.as_bytes()).unwrap();
            let read = stream.read(&mut reply).unwrap();
            assert!(reply.get(..read).is_some_and(|reply| reply.starts_with(b":")), "{reply:?}");
            if counts.load(Ordering::Relaxed) {
                times.push(start.elapsed());
            }
            std::thread::park_timeout(Duration::from_millis(1));
        }
        times
    })
}

/// A command in wire form.
pub(crate) fn wire(command: &[&str]) -> String {
    let words = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", command.len(), words.collect::<String>())
}

fn ask(stream: &mut TcpStream, wire: &[u8]) -> std::io::Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(20)))?;
    stream.write_all(wire)?;
    let mut reply = [0; 512];
    let read = stream.read(&mut reply)?;
    let reply = reply.get(..read).unwrap_or_default();
    if reply.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(reply.starts_with(b"+OK") || reply.starts_with(b"+PONG"))
}
