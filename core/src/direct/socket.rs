//! Sockets of the standard library in the place of the runtime's.

use std::io::{self, Read, Write as _};
use std::mem::MaybeUninit;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::config::{Config, Endpoint};
use crate::connection::{interleave, no_node, nowhere, set_options};
use crate::error::Error;

/// Larger requests are written without waiting, so that replies are taken in meanwhile: else both
/// sides might wait for the other to read.
const LARGE: usize = 64 << 10;

/// What lets a read take nothing and not wait: `MSG_PEEK | MSG_DONTWAIT`, by the systems' headers.
const LOOK: Option<i32> = if cfg!(any(target_os = "linux", target_os = "android")) {
    Some(0x02 | 0x40)
} else if cfg!(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "openbsd",
    target_os = "netbsd"
)) {
    Some(0x02 | 0x80)
} else {
    None
};

/// How much is read at once, unless more is known to come.
const SMALL: usize = 4 << 10;

/// A socket that waits while it is polled.
pub(crate) struct Socket {
    inner: Inner,
    /// Whether it returns at once, for the time of a large request.
    at_once: bool,
    limit: Option<Duration>,
    /// While logging in: when all of it must be done.
    until: Option<Instant>,
    /// Under TLS, which reads on as long as there is something to read: whether the next read may
    /// wait for the peer, or is refused because the last one gave something.
    turns: Option<bool>,
    /// Small replies are read here and copied: to clear the whole room for them would cost more.
    small: [u8; SMALL],
    /// Whether the last read showed that much comes.
    flood: bool,
}

enum Inner {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

macro_rules! each {
    ($socket:expr, $inner:ident => $call:expr) => {
        match &$socket.inner {
            Inner::Tcp($inner) => $call,
            #[cfg(unix)]
            Inner::Unix($inner) => $call,
        }
    };
}

/// Connects within the configured time, of which what is left is that of the login: until
/// [`Socket::limit`] says otherwise.
pub(crate) fn connect(config: &Config) -> io::Result<Socket> {
    let until = Instant::now() + config.connect_timeout;
    let inner = match &config.endpoint {
        Endpoint::Cluster(_) | Endpoint::Sentinel(_) => return Err(no_node()),
        Endpoint::Tcp { host, port } => {
            let stream = tcp(resolve(host, *port, until)?, until)?;
            set_options(&SockRef::from(&stream), &config.tcp)?;
            Inner::Tcp(stream)
        }
        #[cfg(unix)]
        Endpoint::Unix(path) => Inner::Unix(UnixStream::connect(path)?),
        #[cfg(not(unix))]
        Endpoint::Unix(_) => {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "no Unix sockets on this system",
            ));
        }
    };
    Ok(Socket {
        inner,
        at_once: false,
        limit: None,
        until: Some(until),
        turns: None,
        small: [0; SMALL],
        flood: false,
    })
}

/// The addresses of a name. The system's own search knows no time limit, so it has a thread,
/// which is left alone when the time is over.
fn resolve(host: &str, port: u16, until: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let (sender, found) = mpsc::channel();
    let host = host.to_owned();
    std::thread::Builder::new().name("alizarin-resolve".into()).spawn(move || {
        let addresses = (host.as_str(), port).to_socket_addrs();
        // Nobody waits any more: then nobody needs it.
        let _ = sender.send(addresses.map(Vec::from_iter));
    })?;
    found.recv_timeout(until.saturating_duration_since(Instant::now())).unwrap_or_else(|_| {
        Err(io::Error::new(io::ErrorKind::TimedOut, "the name was not resolved in time"))
    })
}

/// One address after the other; each may use its share of the time that is left.
fn tcp(addresses: Vec<SocketAddr>, until: Instant) -> io::Result<TcpStream> {
    let addresses = interleave(addresses);
    let mut last = nowhere();
    for (position, address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - position).unwrap_or(u32::MAX);
        // Zero would be refused as an argument.
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Whether the error is that of a time limit.
pub(crate) fn is_timeout(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    source.is_some_and(|source: &io::Error| source.kind() == io::ErrorKind::TimedOut)
}

impl Socket {
    /// How long one read or write may take; `None` for ever.
    pub(crate) fn limit(&mut self, limit: Option<Duration>) {
        self.until = None;
        self.set_limit(limit);
    }

    fn set_limit(&mut self, limit: Option<Duration>) {
        if self.limit == limit {
            return;
        }
        // Zero would mean for ever.
        let time = limit.map(|limit| limit.max(Duration::from_millis(1)));
        let set = each!(self, socket => {
            socket.set_read_timeout(time).and_then(|()| socket.set_write_timeout(time))
        });
        // A socket that takes no limit is broken, which the next use of it shows.
        if set.is_ok() {
            self.limit = limit;
        }
    }

    /// Whether the server has closed the connection, as far as one look shows that waits for nothing
    /// and takes nothing.
    pub(crate) fn is_cut(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        let Some(flags) = LOOK else { return false };
        match each!(self, socket => SockRef::from(socket).recv_with_flags(&mut byte, flags)) {
            Ok(seen) => seen == 0,
            Err(error) => {
                !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
    }

    /// Whether the server has neither closed the connection nor sent anything.
    pub(crate) fn is_quiet(&mut self) -> bool {
        if self.return_at_once(true).is_err() {
            return false;
        }
        // Whatever can be read now makes the connection useless: nothing was asked.
        let looked = each!(self, socket => { let mut socket = socket; socket.read(&mut [0]) });
        let quiet = looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
        quiet && self.return_at_once(false).is_ok()
    }

    /// While logging in: sets what is left of the time.
    fn hurry(&mut self) -> io::Result<()> {
        let Some(until) = self.until else { return Ok(()) };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"));
        }
        self.set_limit(Some(left));
        Ok(())
    }

    /// From now on every second read is refused, where each would wait; the next one `may_wait`.
    #[cfg(feature = "tls")]
    pub(crate) fn take_turns(&mut self, may_wait: bool) {
        self.turns = Some(may_wait);
    }

    #[cfg(feature = "tls")]
    pub(crate) fn returns_at_once(&self) -> bool {
        self.at_once
    }

    /// What is to be written is so large.
    pub(crate) fn expect(&mut self, bytes: usize) -> io::Result<()> {
        if bytes > LARGE { self.return_at_once(true) } else { Ok(()) }
    }

    /// Whether reads and writes return at once with what there is, instead of waiting.
    pub(crate) fn return_at_once(&mut self, at_once: bool) -> io::Result<()> {
        if self.at_once != at_once {
            each!(self, socket => socket.set_nonblocking(at_once))?;
            self.at_once = at_once;
        }
        Ok(())
    }

    /// What the outcome of a read or write means.
    fn outcome<T>(&self, outcome: io::Result<T>, cx: &Context<'_>) -> Poll<io::Result<T>> {
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.at_once => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
            {
                Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no answer in time")))
            }
            outcome => Poll::Ready(outcome),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.hurry()?;
        if let (false, Some(may_wait)) = (this.at_once, this.turns) {
            this.turns = Some(!may_wait);
            if !may_wait {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        loop {
            let direct = this.flood;
            let room = match direct {
                true => buffer.initialize_unfilled_to(buffer.remaining().min(LARGE)),
                false => {
                    let room = buffer.remaining().min(SMALL);
                    this.small.get_mut(..room).unwrap_or_default()
                }
            };
            let read =
                each!(this, socket => { let mut socket = socket; Read::read(&mut socket, room) });
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) if direct => {
                    this.flood = count >= SMALL;
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(count) => {
                    this.flood = count == SMALL;
                    buffer.put_slice(this.small.get(..count).unwrap_or_default());
                    return Poll::Ready(Ok(()));
                }
                Err(error) => return this.outcome(Err(error), cx),
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.hurry()?;
        loop {
            let written = each!(this, socket => { let mut socket = socket; socket.write(bytes) });
            match written {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return this.outcome(outcome, cx),
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.hurry()?;
        loop {
            let written =
                each!(this, socket => { let mut socket = socket; socket.write_vectored(parts) });
            match written {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return this.outcome(outcome, cx),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// All is written: from now on reads wait.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().return_at_once(false))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(each!(self, socket => socket.shutdown(std::net::Shutdown::Both)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon(time: Duration) -> Instant {
        Instant::now() + time
    }

    #[test]
    fn names_are_resolved_in_time_or_not_at_all() {
        let found = resolve("localhost", 7, soon(Duration::from_secs(20))).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback() && address.port() == 7));
        assert_eq!(resolve("::1", 7, Instant::now()).unwrap(), ["[::1]:7".parse().unwrap()]);
        let error = resolve("localhost", 7, Instant::now()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn the_next_address_is_tried() {
        let open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [&closed, &open].map(|listener| listener.local_addr().unwrap());
        drop(closed);
        let stream = tcp(addresses.to_vec(), soon(Duration::from_secs(20))).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        let refused = tcp(addresses[..1].to_vec(), soon(Duration::from_secs(20))).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
