//! One subscribed connection.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};

use super::frame::{Arrival, read};
use super::renewal::Renewal;
use super::stream::Message;
use super::topics::Topics;
use crate::config::{Config, Endpoint};
use crate::connection::{Connector, Dedicated, Stream};
use crate::error::{Error, ErrorKind, Result, Sent, ServerCode};
use crate::resp::{Frame, Reader, Scan, Scanner};

/// How much is read at once.
const CHUNK: usize = 16 * 1_024;

/// A buffer that held more than this is given back once it is empty.
const KEEP: usize = 1 << 20;

/// A connection whose subscriptions the server has confirmed.
pub(super) struct Live {
    stream: Stream,
    inbox: BytesMut,
    scanner: Scanner,
    /// Messages that came before the last confirmation.
    early: VecDeque<Message>,
    /// What is still to be written: `PING`, `AUTH`.
    outbox: BytesMut,
    peer: Endpoint,
    sentry: Option<Vec<u8>>,
    revoked: bool,
    renewal: Option<Renewal>,
}

impl Live {
    /// Connects, subscribes, and waits for every confirmation.
    pub(super) async fn open(
        config: Config,
        connector: Connector,
        topics: Topics,
        silence: Duration,
    ) -> Result<Live> {
        if matches!(connector, Connector::Blocking) {
            // Its socket keeps the time: no runtime does.
            let mut live = Live::subscribe(&config, &connector, &topics).await?;
            live.stream.limit(Some(silence));
            return Ok(live);
        }
        let late = || Error::new(ErrorKind::Timeout, "the server did not confirm the subscription");
        tokio::time::timeout(config.connect_timeout, Live::subscribe(&config, &connector, &topics))
            .await
            .unwrap_or_else(|_| Err(late()))
    }

    async fn subscribe(config: &Config, connector: &Connector, topics: &Topics) -> Result<Live> {
        let mut opened = Dedicated::log_in(config, connector).await?;
        if topics.sentry.is_some() {
            stay_with_primaries(&mut opened).await?;
        }
        let timed = !matches!(connector, Connector::Blocking);
        let mut live = Live {
            stream: opened.stream,
            inbox: BytesMut::new(),
            scanner: Scanner::new(config.limits),
            early: VecDeque::new(),
            outbox: BytesMut::new(),
            peer: opened.peer,
            sentry: topics.sentry.clone(),
            revoked: false,
            renewal: Renewal::new(config, opened.server.protocol(), opened.login, timed),
        };
        live.stream.write_all(&topics.wire()).await.map_err(lost)?;
        live.stream.flush().await.map_err(lost)?;
        let mut unconfirmed = topics.len();
        while unconfirmed > 0 {
            match std::future::poll_fn(|cx| live.poll_arrival(cx)).await? {
                Arrival::Confirmed => unconfirmed -= 1,
                Arrival::Message(message) => live.early.push_back(message),
                Arrival::Revoked => return Err(revoked()),
                Arrival::Other => {}
            }
        }
        let mut sentry = topics.sentry.is_some();
        while sentry {
            match std::future::poll_fn(|cx| live.poll_arrival(cx)).await {
                Ok(Arrival::Confirmed) => sentry = false,
                Ok(Arrival::Message(message)) => live.early.push_back(message),
                Ok(Arrival::Revoked) => return Err(revoked()),
                Ok(Arrival::Other) => {}
                // It does without one: the server knows none, or the user may not have one.
                Err(error) if is_refusal(&error) => sentry = false,
                Err(error) => return Err(error),
            }
        }
        Ok(live)
    }

    /// Which server it is connected to.
    pub(super) fn peer(&self) -> &Endpoint {
        &self.peer
    }

    /// Whether the server has ended a subscription.
    pub(super) fn is_revoked(&self) -> bool {
        self.revoked
    }

    /// The next message of those that have come already.
    pub(super) fn leftover(&mut self) -> Option<Message> {
        if let Some(message) = self.early.pop_front() {
            return Some(message);
        }
        while let Ok(Some(arrival)) = self.arrived() {
            if let Arrival::Message(message) = arrival
                && !self.is_sentry(&message)
            {
                return Some(message);
            }
        }
        None
    }

    fn is_sentry(&self, message: &Message) -> bool {
        self.sentry.as_deref() == Some(message.channel.as_bytes())
    }

    /// The next message; `None` for anything else that shows that the server is alive.
    pub(super) fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Message>>> {
        if let Some(message) = self.early.pop_front() {
            return Poll::Ready(Ok(Some(message)));
        }
        if let Some(login) = self.renewal.as_mut().and_then(|renewal| renewal.poll(cx)) {
            self.outbox.extend_from_slice(&login);
        }
        self.poll_outbox(cx)?;
        Poll::Ready(match ready!(self.poll_arrival(cx))? {
            Arrival::Message(message) if self.is_sentry(&message) => Ok(None),
            Arrival::Message(message) => Ok(Some(message)),
            Arrival::Revoked => {
                self.revoked = true;
                Err(revoked())
            }
            Arrival::Confirmed | Arrival::Other => Ok(None),
        })
    }

    /// Asks the server for a sign of life.
    pub(super) fn ping(&mut self) {
        if self.outbox.is_empty() {
            self.outbox.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
        }
    }

    fn poll_outbox(&mut self, cx: &mut Context<'_>) -> Result<()> {
        while !self.outbox.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.outbox) {
                Poll::Pending => break,
                Poll::Ready(written) => {
                    let written = written.map_err(lost)?;
                    self.outbox.advance(written);
                }
            }
        }
        // Encrypted, it may have been taken without being sent.
        if let Poll::Ready(sent) = Pin::new(&mut self.stream).poll_flush(cx) {
            sent.map_err(lost)?;
        }
        Ok(())
    }

    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<Result<Arrival>> {
        loop {
            if let Some(arrival) = self.arrived()? {
                return Poll::Ready(Ok(arrival));
            }
            let mut chunk = [0u8; CHUNK];
            let mut buffer = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)).map_err(lost)?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(Error::new(
                    ErrorKind::Disconnected,
                    "the server closed the connection",
                )));
            }
            self.inbox.extend_from_slice(buffer.filled());
        }
    }

    /// What has come whole.
    fn arrived(&mut self) -> Result<Option<Arrival>> {
        let Scan::Frame { len, streamed, .. } = self.scanner.scan(&self.inbox)? else {
            return Ok(None);
        };
        let large = self.inbox.capacity() > KEEP;
        let frame = self.inbox.split_to(len).freeze();
        if large && self.inbox.len() < CHUNK {
            self.inbox = BytesMut::from(self.inbox.as_ref());
        }
        let frame = match streamed {
            true => crate::resp::normalize(&frame)?.into(),
            false => frame,
        };
        read(&mut Reader::shared(&frame)).map(Some)
    }
}

/// Refuses a replica, which would take the sentry of its primary's slots, too.
async fn stay_with_primaries(opened: &mut Dedicated) -> Result<()> {
    opened.send(b"*1\r\n$4\r\nROLE\r\n").await?;
    let reply = opened.reply(1).await?;
    let mut reader = reply.reader();
    match (reader.next()?, reader.next()) {
        (Frame::Array(1..), Ok(Frame::Bulk(b"slave"))) => {
            let text = "the node is a replica";
            Err(Error::new(ErrorKind::Server(ServerCode::ReadOnly), text))
        }
        // A user who may not ask is told of another primary with the next map.
        _ => Ok(()),
    }
}

/// Whether the server said no, and not that others serve the slot.
fn is_refusal(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Disconnected | ErrorKind::Protocol | ErrorKind::Server(ServerCode::Moved)
    )
}

fn revoked() -> Error {
    Error::new(ErrorKind::Disconnected, "the channel's slot is served by another node")
}

fn lost(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Disconnected, "the connection was lost")
        .with_sent(Sent::Unknown)
        .with_source(error)
}
