//! A connection for one user at a time: connect, log in, send, read, in sequence.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::handshake::{Handshake, Step};
use super::inbox::{Inbox, Item};
use super::maintenance::{self, Moving, Notice};
use super::outbox::Rest;
use super::primary;
use super::reply::Reply;
use super::send::poll_write;
use super::stream::{Connector, Stage, Stream};
use crate::config::{Config, Endpoint, Protocol};
use crate::direct::is_timeout;
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::View;
use crate::server::ServerInfo;

/// A connection after its handshake.
pub(crate) struct Dedicated {
    pub(crate) stream: Stream,
    pub(crate) inbox: Inbox,
    pub(crate) server: ServerInfo,
    /// The epoch of the credentials that it logged in with.
    pub(crate) login: u64,
    /// Which server it is connected to, where there is a choice.
    pub(crate) peer: Endpoint,
    /// The number that the server has given this client, where it told it.
    pub(crate) id: Option<i64>,
    /// The server has said that it will cut the connection.
    pub(crate) moving: Option<Box<Moving>>,
}

impl Dedicated {
    /// Connects and logs in, within the configured time.
    pub(crate) async fn connect(config: &Config, connector: &Connector) -> Result<Dedicated> {
        let stage = Stage::default();
        let attempt = Dedicated::staged(config, connector, &stage);
        match tokio::time::timeout(config.connect_timeout, attempt).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::new(
                ErrorKind::Connect,
                format!(
                    "cannot connect to {}: {} within {:?}",
                    config.address(),
                    stage.unanswered(),
                    config.connect_timeout
                ),
            )),
        }
    }

    /// Connects and logs in, however long it takes.
    pub(crate) async fn log_in(config: &Config, connector: &Connector) -> Result<Dedicated> {
        Dedicated::staged(config, connector, &Stage::default()).await
    }

    /// The same; `stage` tells how far it has come.
    pub(super) async fn staged(
        config: &Config,
        connector: &Connector,
        stage: &Stage,
    ) -> Result<Dedicated> {
        if let Endpoint::Sentinel(sentinels) = &config.endpoint
            && !matches!(connector, Connector::Factory(_))
        {
            return Box::pin(primary::log_in(config, connector, sentinels)).await;
        }
        // What is announced from now on is newer.
        let login = config.login_epoch();
        let config = &*config.with_login().await?;
        let attempt = match Dedicated::attempt(config, connector, config.protocol, stage).await {
            // The peer hung up at HELLO: some proxies do so at a word they do not know.
            Err(Refused { error: _, at_hello: true }) => {
                Dedicated::attempt(config, connector, Protocol::Resp2, stage).await
            }
            outcome => outcome,
        };
        let connected = attempt.map_err(|refused| refused.error)?;
        Ok(Dedicated { login, ..connected })
    }

    async fn attempt(
        config: &Config,
        connector: &Connector,
        protocol: Protocol,
        stage: &Stage,
    ) -> Result<Dedicated, Refused> {
        let stream = connector.open(config, stage).await?;
        let server = ServerInfo::new(String::new(), protocol);
        let (inbox, peer) = (Inbox::new(&config.limits), config.endpoint.clone());
        let mut connection =
            Dedicated { stream, inbox, server, login: 0, peer, id: None, moving: None };
        let mut handshake = Handshake::new(config, protocol);
        let mut answered = false;
        loop {
            let (bytes, count) = match handshake.next() {
                Step::Done(server) => {
                    connection.server = server;
                    connection.id = handshake.id();
                    // A reply too many would answer the first request, and so on for ever.
                    connection.hear_all().map_err(|error| explain(config, &error, true))?;
                    connection.inbox.empty();
                    return Ok(connection);
                }
                Step::Send(bytes, count) => (bytes, count),
            };
            let refused = |handshake: &Handshake<'_>, error: &Error, answered| Refused {
                at_hello: handshake.awaits_hello()
                    && error.kind() == ErrorKind::Disconnected
                    && !is_timeout(error),
                error: explain(config, error, answered),
            };
            if let Err(error) = connection.send(&*bytes).await {
                // What the peer said before it hung up tells more than that it did.
                return Err(match connection.reply(1).await {
                    Ok(reply) => match handshake.reply(&mut reply.reader()) {
                        Ok(()) => refused(&handshake, &error, true),
                        Err(reason) => reason.into(),
                    },
                    Err(reason) => refused(&handshake, &reason, answered),
                });
            }
            for _ in 0..count {
                let reply = connection.reply(1).await;
                let reply = reply.map_err(|error| refused(&handshake, &error, answered))?;
                handshake.reply(&mut reply.reader())?;
                answered = true;
            }
        }
    }

    /// Writes everything, and takes in what arrives meanwhile: a peer that answers before it has
    /// read all is not kept waiting. Not cancel safe: a dropped future leaves half a request on
    /// the wire.
    ///
    /// # Errors
    /// `Disconnected`, `Protocol`.
    pub(crate) async fn send<'a>(&mut self, bytes: impl Into<View<'a>>) -> Result<()> {
        let mut rest = Rest::new(bytes);
        poll_fn(|cx| self.poll_send(cx, &mut rest)).await
    }

    /// As [`Dedicated::send`], to be polled: `rest` is what is still to be written.
    pub(crate) fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        rest: &mut Rest<'_>,
    ) -> Poll<Result<()>> {
        loop {
            // Encrypted bytes that were taken are on the wire only after the flush.
            let done = match rest.is_empty() {
                false => poll_write(&mut self.stream, *rest, cx),
                true => Pin::new(&mut self.stream).poll_flush(cx).map_ok(|()| 0),
            };
            match done {
                Poll::Ready(Ok(_)) if rest.is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(count)) => rest.advance(count),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(error))),
                Poll::Pending => match poll_fill(&mut self.stream, self.inbox.room(), cx) {
                    Poll::Ready(Ok(())) => self.inbox.scan()?,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(error))),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    /// The next reply of `frames` frames; pushes before and in it are dropped.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    ///
    /// # Errors
    /// `Disconnected`, `Protocol`.
    pub(crate) async fn reply(&mut self, frames: u32) -> Result<Reply> {
        loop {
            if let Item::Reply(reply) = self.item(Some(frames)).await? {
                return Ok(reply);
            }
        }
    }

    /// The next reply of `frames` frames, and the pushes before and in it.
    ///
    /// # Errors
    /// `Disconnected`, `Protocol`.
    pub(crate) async fn reply_and_pushes(
        &mut self,
        frames: u32,
        push: impl Fn(Bytes),
    ) -> Result<Reply> {
        loop {
            match self.item(Some(frames)).await? {
                Item::Reply(reply) => return Ok(reply),
                Item::Push(frame) => push(frame),
            }
        }
    }

    /// Takes the pushes that have arrived, without waiting; gives whether anything has. For blocking
    /// sockets.
    ///
    /// # Errors
    /// `Disconnected`, `Protocol`.
    pub(crate) fn arrived(&mut self, push: impl Fn(Bytes)) -> Result<bool> {
        let mut any = false;
        self.stream.at_once(true).map_err(lost)?;
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            // At first what came in one read with the last reply, behind it.
            while let Some(item) = self.inbox.next(None)? {
                if let Item::Push(frame) = item {
                    push(frame);
                }
            }
            let Poll::Ready(outcome) = poll_fill(&mut self.stream, self.inbox.room(), &mut cx)
            else {
                break;
            };
            outcome.map_err(lost)?;
            any = true;
            self.inbox.scan()?;
        }
        self.stream.at_once(false).map_err(lost)?;
        Ok(any)
    }

    /// The next push, or the next reply of `frames` frames. With `None` a reply is an error.
    ///
    /// # Cancel safety
    /// A dropped future loses nothing.
    ///
    /// # Errors
    /// `Disconnected`, `Protocol`.
    pub(crate) async fn item(&mut self, frames: Option<u32>) -> Result<Item> {
        poll_fn(|cx| self.poll_item(cx, frames)).await
    }

    /// Notes what a push says of maintenance.
    fn hear(&mut self, push: &[u8]) {
        if let Some(Notice::Moving(moving)) = maintenance::read(push) {
            self.moving = Some(Box::new(moving));
        }
    }

    /// The move that the server has announced, also behind the last reply.
    ///
    /// # Errors
    /// `Protocol` for a reply that nobody expects.
    pub(crate) fn announced_move(&mut self) -> Result<Option<Box<Moving>>> {
        self.hear_all()?;
        Ok(self.moving.take())
    }

    fn hear_all(&mut self) -> Result<()> {
        while let Some(item) = self.inbox.next(None)? {
            if let Item::Push(push) = &item {
                self.hear(push);
            }
        }
        Ok(())
    }

    /// As [`Dedicated::item`], to be polled.
    pub(crate) fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
        frames: Option<u32>,
    ) -> Poll<Result<Item>> {
        loop {
            if let Some(item) = self.inbox.next(frames)? {
                if let Item::Push(push) = &item {
                    self.hear(push);
                }
                return Poll::Ready(Ok(item));
            }
            match poll_fill(&mut self.stream, self.inbox.room(), cx) {
                Poll::Ready(Ok(())) => self.inbox.scan()?,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(lost(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// Why an attempt failed.
struct Refused {
    error: Error,
    at_hello: bool,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused { error, at_hello: false }
    }
}

/// A failure in the middle of the handshake, told as a failure to connect.
fn explain(config: &Config, error: &Error, answered: bool) -> Error {
    let address = config.address();
    #[cfg(feature = "tls")]
    if let Some(refused) = super::tls::refusal(config, error) {
        return refused;
    }
    let maybe_tls =
        !answered && config.tls.is_none() && matches!(config.endpoint, Endpoint::Tcp { .. });
    match error.kind() {
        // An alert of TLS begins with this byte.
        ErrorKind::Protocol if maybe_tls && error.message().contains("\"\\x15\\x03") => Error::new(
            ErrorKind::Tls,
            format!("{address}: the server speaks TLS on this port: rediss:// asks for it"),
        ),
        ErrorKind::Protocol => Error::new(
            ErrorKind::Protocol,
            format!("{address} does not speak the Redis protocol: {}", error.message()),
        ),
        _ if is_timeout(error) => Error::new(
            ErrorKind::Connect,
            format!(
                "cannot connect to {address}: connected, but no answer to the login within {:?}",
                config.connect_timeout
            ),
        ),
        ErrorKind::Disconnected if maybe_tls && !is_timeout(error) => Error::new(
            ErrorKind::Connect,
            format!(
                "cannot connect to {address}: {}, and nothing was said before; where a port \
                 wants TLS it is rediss://",
                error.message()
            ),
        ),
        _ => Error::new(
            ErrorKind::Connect,
            format!("cannot connect to {address}: {}", error.message()),
        ),
    }
}

/// Reads once into the room that `buffer` has; the end of the stream is an error.
pub(crate) fn poll_fill(
    stream: &mut Stream,
    buffer: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    use std::future::Future;
    // The future holds nothing but the two borrows: making a new one each time loses nothing.
    match pin!(stream.read_buf(buffer)).poll(cx) {
        Poll::Ready(Ok(0)) => Poll::Ready(Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the server closed the connection",
        ))),
        Poll::Ready(outcome) => Poll::Ready(outcome.map(|_| ())),
        Poll::Pending => Poll::Pending,
    }
}

/// The error for a socket that failed.
pub(crate) fn lost(error: io::Error) -> Error {
    let text = match error.kind() {
        io::ErrorKind::UnexpectedEof => "the server closed the connection".to_owned(),
        _ => format!("the connection was lost: {error}"),
    };
    Error::new(ErrorKind::Disconnected, text).with_sent(Sent::Unknown).with_source(error)
}
