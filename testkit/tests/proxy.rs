//! What the proxy does to connections, as a raw socket sees it.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use alizarin_testkit::{Direction, Proxy, Server};

fn pair() -> (Server, Proxy) {
    let server = Server::builder().private().modules(false).start().unwrap();
    let proxy = Proxy::before(&server).unwrap();
    (server, proxy)
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn ask(mut stream: &TcpStream) -> std::io::Result<String> {
    stream.write_all(b"PING\r\n")?;
    let mut reply = [0; 7];
    stream.read_exact(&mut reply)?;
    Ok(String::from_utf8_lossy(&reply).into_owned())
}

#[test]
fn everything_passes_and_is_counted() {
    let (_server, proxy) = pair();
    for _ in 0..3 {
        let stream = connect(&proxy);
        assert_eq!(ask(&stream).unwrap(), "+PONG\r\n");
    }
    assert_eq!(proxy.connections(), 3);
    assert_eq!((proxy.bytes(Direction::ToServer), proxy.bytes(Direction::ToClient)), (18, 21));
    proxy.split(1);
    assert_eq!(ask(&connect(&proxy)).unwrap(), "+PONG\r\n");
    proxy.delay(Duration::from_millis(20));
    let start = Instant::now();
    assert_eq!(ask(&connect(&proxy)).unwrap(), "+PONG\r\n");
    assert!(start.elapsed() >= Duration::from_millis(40));
}

#[test]
fn replies_break_off_where_they_are_told_to() {
    let (_server, proxy) = pair();
    let mut stream = connect(&proxy);
    proxy.cut_after(Direction::ToClient, 3);
    stream.write_all(b"PING\r\n").unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert_eq!(all, b"+PO");
    assert_eq!(ask(&connect(&proxy)).unwrap(), "+PONG\r\n");
}

#[test]
fn connections_are_reset() {
    let (_server, proxy) = pair();
    let mut stream = connect(&proxy);
    ask(&stream).unwrap();
    proxy.reset();
    let error = stream.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut stream = connect(&proxy);
    ask(&stream).unwrap();
    proxy.close();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    proxy.refuse();
    let refused = TcpStream::connect(proxy.address()).and_then(|stream| ask(&stream));
    assert!(refused.is_err());
    proxy.heal();
    assert_eq!(ask(&connect(&proxy)).unwrap(), "+PONG\r\n");
}

#[test]
fn what_is_swallowed_arrives_nowhere() {
    let (server, proxy) = pair();
    let mut stream = connect(&proxy);
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    proxy.swallow(Direction::ToClient);
    stream.write_all(b"SET k v\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(server.command(&["GET", "k"]).unwrap(), "v");
    proxy.heal();
    proxy.blackhole();
    stream.write_all(b"SET k w\r\n").unwrap();
    assert_eq!(stream.read(&mut [0; 8]).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(server.command(&["GET", "k"]).unwrap(), "v");
    // Neither side learns of the other's end.
    let before = server.command(&["CLIENT", "LIST"]).unwrap().lines().count();
    drop(stream);
    assert_eq!(server.command(&["CLIENT", "LIST"]).unwrap().lines().count(), before);
}
