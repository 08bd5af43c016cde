//! TCP: which of a name's addresses answers first, and the options of sockets.

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

use crate::config::Tcp;

/// So long an attempt has before the next address is tried beside it (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the address that answers first.
pub(super) async fn connect(host: &str, port: u16, options: &Tcp) -> io::Result<TcpStream> {
    let addresses = tokio::net::lookup_host((host, port)).await?.collect();
    let stream = race(interleave(addresses), TcpStream::connect).await?;
    set(&SockRef::from(&stream), options)?;
    Ok(stream)
}

/// The system's order, the families taking turns: where one of them leads nowhere, the other is
/// tried second.
pub(crate) fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let count = addresses.len();
    let (one, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut order = Vec::with_capacity(count);
    while order.len() < count {
        order.extend(one.next());
        order.extend(other.next());
    }
    order
}

/// Tries one address after the other, the next as soon as one fails or has had its time; all
/// that were begun go on until one succeeds.
#[expect(clippy::arithmetic_side_effects, reason = "a moment from now")]
async fn race<T, F>(addresses: Vec<SocketAddr>, connect: impl Fn(SocketAddr) -> F) -> io::Result<T>
where
    F: Future<Output = io::Result<T>> + Send,
{
    let mut waiting = addresses.into_iter();
    let mut running: Vec<Pin<Box<F>>> = Vec::new();
    let mut failure = nowhere();
    let mut next = pin!(tokio::time::sleep(STAGGER));
    poll_fn(|cx| {
        loop {
            let mut won = None;
            running.retain_mut(|attempt| match attempt.as_mut().poll(cx) {
                _ if won.is_some() => true,
                Poll::Pending => true,
                Poll::Ready(Ok(stream)) => {
                    won = Some(stream);
                    false
                }
                Poll::Ready(Err(error)) => {
                    failure = error;
                    false
                }
            });
            if let Some(won) = won {
                return Poll::Ready(Ok(won));
            }
            if !running.is_empty() && next.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            match waiting.next() {
                Some(address) => {
                    running.push(Box::pin(connect(address)));
                    next.as_mut().reset(tokio::time::Instant::now() + STAGGER);
                }
                None if running.is_empty() => {
                    return Poll::Ready(Err(std::mem::replace(&mut failure, nowhere())));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

/// The error of a name without addresses.
pub(crate) fn nowhere() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the name has no address")
}

/// Sets the options of a connected socket.
pub(crate) fn set(socket: &SockRef<'_>, options: &Tcp) -> io::Result<()> {
    socket.set_tcp_nodelay(options.nodelay)?;
    if let Some(idle) = options.keepalive {
        // The system counts in seconds, and refuses none.
        let seconds = |time: Duration| time.max(Duration::from_secs(1));
        let keepalive = TcpKeepalive::new().with_time(seconds(idle));
        #[cfg(not(target_os = "openbsd"))]
        let keepalive = keepalive.with_interval(seconds(options.keepalive_interval));
        #[cfg(not(any(target_os = "openbsd", windows)))]
        let keepalive = keepalive.with_retries(options.keepalive_count.max(1));
        socket.set_tcp_keepalive(&keepalive)?;
    }
    #[cfg(target_os = "linux")]
    if options.user_timeout.is_some() {
        socket.set_tcp_user_timeout(options.user_timeout)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn addresses(text: &[&str]) -> Vec<SocketAddr> {
        text.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns() {
        let mixed = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "10.0.0.2:1"]);
        let order = addresses(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"]);
        assert_eq!(interleave(mixed), order);
        assert!(interleave(Vec::new()).is_empty());
    }

    /// Runs a race in which each address answers after its port's number of milliseconds: an odd
    /// one with a refusal. Gives the outcome, the time, and when each attempt began.
    async fn run(ports: &[u16]) -> (io::Result<u16>, Duration, Vec<(u16, u128)>) {
        let began = tokio::time::Instant::now();
        let log = Mutex::new(Vec::new());
        let targets = ports.iter().map(|port| SocketAddr::from(([10, 0, 0, 1], *port))).collect();
        let outcome = race(targets, |address| {
            log.lock().unwrap().push((address.port(), began.elapsed().as_millis()));
            async move {
                tokio::time::sleep(Duration::from_millis(address.port().into())).await;
                match address.port() % 2 {
                    0 => Ok(address.port()),
                    _ => Err(io::Error::from(io::ErrorKind::ConnectionRefused)),
                }
            }
        })
        .await;
        (outcome, began.elapsed(), log.into_inner().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_that_answers_wins() {
        let (won, took, begun) = run(&[60_000, 20, 40]).await;
        assert_eq!((won.unwrap(), took.as_millis()), (20, 270));
        assert_eq!(begun, [(60_000, 0), (20, 250)]);
        // A slow one is not given up because others began.
        let (won, took, _) = run(&[400, 60_000, 50_000]).await;
        assert_eq!((won.unwrap(), took.as_millis()), (400, 400));
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_starts_the_next_at_once() {
        let (won, took, begun) = run(&[11, 21, 30]).await;
        assert_eq!((won.unwrap(), took.as_millis()), (30, 62));
        assert_eq!(begun, [(11, 0), (21, 11), (30, 32)]);
        assert_eq!(run(&[11, 21]).await.0.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(run(&[]).await.0.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn options_reach_the_socket() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stream = connect("127.0.0.1", port, &Tcp::default()).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(socket.tcp_nodelay().unwrap() && socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(30));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(5));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 3);
        #[cfg(target_os = "linux")]
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(45)));
        let plain = Tcp { nodelay: false, keepalive: None, user_timeout: None, ..Tcp::default() };
        let stream = connect("127.0.0.1", port, &plain).await.unwrap();
        let socket = SockRef::from(&stream);
        assert!(!socket.tcp_nodelay().unwrap() && !socket.keepalive().unwrap());
    }
}
