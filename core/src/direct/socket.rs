//! Sockets of the standard library in the place of the runtime's.

use std::io::{self, Read, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::config::{Config, Endpoint};
use crate::connection::no_node;
use crate::error::Error;

/// Larger requests are written without waiting, so that replies are taken in meanwhile: else both
/// sides might wait for the other to read.
const LARGE: usize = 64 << 10;

/// How much is read at once, unless more is known to come.
const SMALL: usize = 4 << 10;

/// A socket that waits while it is polled.
pub(crate) struct Socket {
    inner: Inner,
    /// Whether it returns at once, for the time of a large request.
    at_once: bool,
    limit: Option<Duration>,
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

/// Connects within the configured time, which then also bounds each step of the login.
pub(crate) fn connect(config: &Config) -> io::Result<Socket> {
    let limit = config.connect_timeout;
    let inner = match &config.endpoint {
        Endpoint::Tcp { host, port } => Inner::Tcp(tcp(host, *port, limit)?),
        Endpoint::Cluster(_) => return Err(no_node()),
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
    let mut socket = Socket { inner, at_once: false, limit: None, small: [0; SMALL], flood: false };
    socket.limit(Some(limit));
    Ok(socket)
}

fn tcp(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let mut last = None;
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                // Small requests must not wait for the acknowledgement of earlier ones.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")))
}

/// Whether the error is that of a time limit.
pub(crate) fn is_timeout(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref());
    source.is_some_and(|source: &io::Error| source.kind() == io::ErrorKind::TimedOut)
}

impl Socket {
    /// How long one read or write may take; `None` for ever.
    pub(crate) fn limit(&mut self, limit: Option<Duration>) {
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

    fn return_at_once(&mut self, at_once: bool) -> io::Result<()> {
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
        if bytes.len() > LARGE {
            this.return_at_once(true)?;
        }
        loop {
            let written = each!(this, socket => { let mut socket = socket; socket.write(bytes) });
            match written {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return this.outcome(outcome, cx),
            }
        }
    }

    /// All is written: from now on reads wait.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.get_mut().return_at_once(false))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(each!(self, socket => socket.shutdown(std::net::Shutdown::Both)))
    }
}
