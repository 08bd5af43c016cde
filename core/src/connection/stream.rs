//! Sockets: TCP, Unix, what encrypts them, and anything else that reads and writes.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

use super::tcp;
#[cfg(feature = "tls")]
use super::tls;
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
    /// Any other, encrypted.
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<Stream>>),
    /// For tests: both ends in one process.
    #[cfg_attr(not(test), expect(dead_code, reason = "made by tests alone"))]
    Other(Box<dyn Duplex>),
}

/// What is seen of an idle connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Nothing has come.
    Quiet,
    /// Something has: a push, or part of the encryption's own talk.
    Arrived,
    /// The server has closed it, or sent what makes it useless.
    Closed,
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
    /// Connects once, and encrypts where that is asked for. There is no time limit here: the
    /// caller sets one for connecting and logging in together, and is told by `stage` where it
    /// ended.
    pub(crate) async fn open(&self, config: &Config, stage: &Stage) -> Result<Stream> {
        #[cfg(not(feature = "tls"))]
        if config.tls.is_some() {
            let text = "encrypted connections need the feature `tls` of this crate";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        #[cfg(feature = "tls")]
        if let Some(options) = &config.tls {
            tls::check(config, options)?;
            let stream = self.plain(config).await?;
            stage.enter(Stage::SECURE);
            let stream = tls::secure(stream, config, options).await?;
            stage.enter(Stage::LOG_IN);
            return Ok(Stream::Tls(Box::new(stream)));
        }
        let stream = self.plain(config).await?;
        stage.enter(Stage::LOG_IN);
        Ok(stream)
    }

    async fn plain(&self, config: &Config) -> Result<Stream> {
        let opened = match (self, &config.endpoint) {
            (Connector::Factory(factory), _) => factory().await,
            (Connector::Blocking, _) => {
                crate::direct::connect(config).map(Box::new).map(Stream::Blocking)
            }
            (Connector::Endpoint, Endpoint::Tcp { host, port }) => {
                tcp::connect(host, *port, &config.tcp).await.map(Stream::Tcp)
            }
            (Connector::Endpoint, Endpoint::Cluster(_) | Endpoint::Sentinel(_)) => Err(no_node()),
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

/// A connection goes to one server, not to several.
pub(crate) fn no_node() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "no server is known")
}

/// How far an attempt to connect has come.
#[derive(Debug, Default)]
pub(crate) struct Stage(AtomicU8);

impl Stage {
    #[cfg(feature = "tls")]
    const SECURE: u8 = 1;
    #[cfg(feature = "tls")]
    pub(super) const SILENCE: &str =
        "no answer to the TLS handshake (a port that speaks no TLS gives none)";
    const LOG_IN: u8 = 2;

    fn enter(&self, stage: u8) {
        self.0.store(stage, Ordering::Relaxed);
    }

    /// What was waited for when the time was over.
    pub(crate) fn unanswered(&self) -> &'static str {
        match self.0.load(Ordering::Relaxed) {
            #[cfg(feature = "tls")]
            Stage::SECURE => Stage::SILENCE,
            Stage::LOG_IN => "connected, but no answer to the login",
            _ => "no answer",
        }
    }
}

impl Stream {
    /// Writes what the socket takes at once, without asking to be told when it takes more.
    ///
    /// Only while the driver is awake: it writes next, and asks then.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.try_write(bytes),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => tls::try_write(stream, bytes),
            Stream::Blocking(_) | Stream::Other(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// The same with several pieces.
    pub(crate) fn try_write_vectored(&mut self, pieces: &[io::IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.try_write_vectored(pieces),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.try_write_vectored(pieces),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => tls::try_write_vectored(stream, pieces),
            Stream::Blocking(_) | Stream::Other(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Whether there is nothing to read yet; then the task is woken once there is. `false` where only
    /// reading tells.
    pub(crate) fn nothing_came(&self, cx: &mut Context<'_>) -> bool {
        match self {
            Stream::Tcp(stream) => stream.poll_read_ready(cx).is_pending(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.poll_read_ready(cx).is_pending(),
            _ => false,
        }
    }

    /// How long one read or write of a blocking socket may take.
    pub(crate) fn limit(&mut self, limit: Option<Duration>) {
        if let Some(socket) = self.blocking() {
            socket.limit(limit);
        }
    }

    /// Whether a blocking socket's reads and writes return at once.
    pub(crate) fn at_once(&mut self, at_once: bool) -> io::Result<()> {
        self.blocking().map_or(Ok(()), |socket| socket.return_at_once(at_once))
    }

    /// Whether nothing has come on a blocking socket since it was last read, nor its end.
    pub(crate) fn is_quiet(&mut self) -> bool {
        match self {
            Stream::Blocking(socket) => socket.is_quiet(),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => tls::is_quiet(stream),
            _ => true,
        }
    }

    /// Whether the server has closed a blocking socket, as far as can be seen at once.
    pub(crate) fn is_cut(&mut self) -> bool {
        self.blocking().is_some_and(|socket| socket.is_cut())
    }

    /// Whether reads and writes wait while they are polled.
    pub(crate) fn waits(&mut self) -> bool {
        self.blocking().is_some()
    }

    /// What can be seen of an idle connection without waiting, whatever the runtime knows.
    pub(crate) fn look(&mut self) -> Look {
        let mut byte = [std::mem::MaybeUninit::uninit()];
        let seen = match self {
            Stream::Tcp(stream) => SockRef::from(&*stream).peek(&mut byte),
            #[cfg(unix)]
            Stream::Unix(stream) => SockRef::from(&*stream).peek(&mut byte),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => {
                let plain = &mut stream.get_mut().0;
                return if plain.waits() { self.look_here() } else { plain.look() };
            }
            Stream::Blocking(_) => return self.look_here(),
            Stream::Other(_) => return Look::Quiet,
        };
        match seen {
            Ok(1..) => Look::Arrived,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Look::Quiet,
            _ => Look::Closed,
        }
    }

    fn look_here(&mut self) -> Look {
        if self.is_quiet() { Look::Quiet } else { Look::Closed }
    }

    /// The socket that waits while it is polled, encrypted or not.
    pub(super) fn blocking(&mut self) -> Option<&mut Socket> {
        match self {
            Stream::Blocking(socket) => Some(socket),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.get_mut().0.blocking(),
            _ => None,
        }
    }
}

macro_rules! each {
    ($stream:expr, $inner:ident => $call:expr) => {
        match Pin::get_mut($stream) {
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
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => {
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
        let this = self.get_mut();
        #[cfg(feature = "tls")]
        if let Stream::Tls(stream) = this {
            return tls::poll_read(stream, cx, buffer);
        }
        each!(Pin::new(this), inner => inner.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut this = self;
        // A socket mostly takes it at once: then nobody is to be told when it takes more.
        let taken = match &*this {
            Stream::Tcp(stream) => Some(stream.try_write(bytes)),
            #[cfg(unix)]
            Stream::Unix(stream) => Some(stream.try_write(bytes)),
            _ => None,
        };
        match taken {
            Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Some(taken) => return Poll::Ready(taken),
            None => {}
        }
        // Told here, since TLS cuts a large request into small ones.
        if let Some(socket) = this.blocking() {
            socket.expect(bytes.len())?;
        }
        each!(this, inner => inner.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut this = self;
        if let Some(socket) = this.blocking() {
            socket.expect(parts.iter().map(|part| part.len()).sum())?;
        }
        each!(this, inner => inner.poll_write_vectored(cx, parts))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Tcp(stream) => stream.is_write_vectored(),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.is_write_vectored(),
            Stream::Blocking(socket) => socket.is_write_vectored(),
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.is_write_vectored(),
            Stream::Other(stream) => stream.is_write_vectored(),
        }
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
            #[cfg(feature = "tls")]
            Stream::Tls(_) => "Stream::Tls",
            Stream::Other(_) => "Stream::Other",
        })
    }
}
