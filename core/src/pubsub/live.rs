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
use crate::config::Config;
use crate::connection::{Connector, Dedicated, Stream};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::{Reader, Scan, Scanner};

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
        let opened = Dedicated::log_in(config, connector).await?;
        let timed = !matches!(connector, Connector::Blocking);
        let mut live = Live {
            stream: opened.stream,
            inbox: BytesMut::new(),
            scanner: Scanner::new(config.limits),
            early: VecDeque::new(),
            outbox: BytesMut::new(),
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
        Ok(live)
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
            Arrival::Message(message) => Ok(Some(message)),
            Arrival::Revoked => Err(revoked()),
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
            match self.scanner.scan(&self.inbox)? {
                Scan::Frame { len, streamed, .. } => {
                    let large = self.inbox.capacity() > KEEP;
                    let frame = self.inbox.split_to(len).freeze();
                    if large && self.inbox.len() < CHUNK {
                        self.inbox = BytesMut::from(self.inbox.as_ref());
                    }
                    let frame = match streamed {
                        true => crate::resp::normalize(&frame)?.into(),
                        false => frame,
                    };
                    return Poll::Ready(read(&mut Reader::shared(&frame)));
                }
                Scan::NeedMore { .. } => {}
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
}

fn revoked() -> Error {
    Error::new(ErrorKind::Disconnected, "the channel's slot is served by another node")
}

fn lost(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Disconnected, "the connection was lost")
        .with_sent(Sent::Unknown)
        .with_source(error)
}
