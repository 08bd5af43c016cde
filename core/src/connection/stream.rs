//! Sockets: TCP, Unix, and anything else that reads and writes.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use crate::config::{Config, Endpoint};
use crate::direct::Socket;
use crate::error::{Error, ErrorKind, Result};

/// A connected socket.
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    /// Waits while it is polled.
    Blocking(Box<Socket>),
    /// For tests: both ends in one process.
    #[cfg_attr(not(test), expect(dead_code, reason = "made by tests alone"))]
    Other(Box<dyn Duplex>),
}

/// Both directions of a connection.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where streams come from.
#[derive(Clone)]
pub(crate) enum Connector {
    /// The endpoint that the configuration names.
    Endpoint,
    /// The same, with a socket that needs no runtime.
    Blocking,
    /// For tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "made by tests alone"))]
    Factory(Factory),
}

/// Makes one stream a call.
pub(crate) type Factory =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>> + Send + Sync>;

impl Connector {
    /// Connects once. There is no time limit here: the caller sets one for connecting and
    /// logging in together.
    pub(crate) async fn open(&self, config: &Config) -> Result<Stream> {
        let opened = match (self, &config.endpoint) {
            (Connector::Factory(factory), _) => factory().await,
            (Connector::Blocking, _) => {
                crate::direct::connect(config).map(Box::new).map(Stream::Blocking)
            }
            (Connector::Endpoint, Endpoint::Tcp { host, port }) => {
                tcp(host, *port).await.map(Stream::Tcp)
            }
            (Connector::Endpoint, Endpoint::Cluster(_)) => Err(no_node()),
            #[cfg(unix)]
            (Connector::Endpoint, Endpoint::Unix(path)) => {
                UnixStream::connect(path).await.map(Stream::Unix)
            }
            #[cfg(not(unix))]
            (Connector::Endpoint, Endpoint::Unix(_)) => {
                Err(io::Error::new(io::ErrorKind::Unsupported, "no Unix sockets on this system"))
            }
        };
        opened.map_err(|error| {
            let text = format!("cannot connect to {}: {error}", config.address());
            Error::new(ErrorKind::Connect, text).with_source(error)
        })
    }
}

/// A connection goes to a node, not to a cluster.
pub(crate) fn no_node() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "no node of the cluster is known")
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = None;
    for address in tokio::net::lookup_host((host, port)).await? {
        match TcpStream::connect(address).await {
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

impl Stream {
    /// Writes what the socket takes at once, without asking to be told when it takes more.
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.try_write(bytes),
            Stream::Blocking(_) | Stream::Other(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// How long one read or write of a blocking socket may take.
    pub(crate) fn limit(&mut self, limit: Option<Duration>) {
        if let Stream::Blocking(socket) = self {
            socket.limit(limit);
        }
    }

    /// Whether nothing has come on a blocking socket since it was last read, nor its end.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self {
            Stream::Blocking(socket) => socket.is_quiet(),
            _ => true,
        }
    }
}

macro_rules! each {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream.get_mut() {
            Stream::Tcp(stream) => {
                let $inner = Pin::new(stream);
                $call
            }
            #[cfg(unix)]
            Stream::Unix(stream) => {
                let $inner = Pin::new(stream);
                $call
            }
            Stream::Blocking(stream) => {
                let $inner = Pin::new(stream);
                $call
            }
            Stream::Other(stream) => {
                let $inner = Pin::new(stream);
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, inner => inner.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, inner => inner.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, inner => inner.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, inner => inner.poll_shutdown(cx))
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stream::Tcp(_) => "Stream::Tcp",
            #[cfg(unix)]
            Stream::Unix(_) => "Stream::Unix",
            Stream::Blocking(_) => "Stream::Blocking",
            Stream::Other(_) => "Stream::Other",
        })
    }
}
