//! The shared connection against scripted peers in the same process: no server, no socket.

mod beat;
mod cache;
mod cancel;
mod flow;
mod honest;
mod lanes;
mod large;
mod life;
mod loss;
mod maintenance;
mod sole;
mod turns;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;

use super::stream::{Connector, Stream};
use crate::client::Client;
use crate::config::Config;
use crate::error::Result;
use crate::resp::{FromReply, Reader};

/// No test waits for longer.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// The far ends of the connections that a client makes.
pub(super) struct Peers(mpsc::UnboundedReceiver<DuplexStream>);

/// The far end of one connection.
pub(super) struct Peer {
    pub(super) stream: DuplexStream,
    buffer: Vec<u8>,
}

/// A connector whose connections hold `capacity` bytes in each direction; it fails once the
/// peers are dropped.
pub(super) fn connector(capacity: usize) -> (Connector, Peers) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let factory = move || {
        let (near, far) = tokio::io::duplex(capacity);
        let sent = sender.send(far);
        let made = sent.map(|()| Stream::Other(Box::new(near)));
        let made = made.map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused));
        Box::pin(async move { made }) as Pin<Box<dyn Future<Output = _> + Send>>
    };
    (Connector::Factory(Arc::new(factory)), Peers(receiver))
}

/// A connected client, the far end of its connection, and those to come.
pub(super) async fn client(config: Config, capacity: usize) -> (Client, Peer, Peers) {
    let (connector, mut peers) = connector(capacity);
    let (client, peer) = tokio::join!(Client::open(config, connector), peers.next());
    (client.unwrap(), peer, peers)
}

/// A client whose peers all answer `ECHO`, for ever.
pub(super) async fn echo_client(config: Config, capacity: usize) -> Client {
    let (connector, mut peers) = connector(capacity);
    tokio::spawn(async move {
        while let Some(far) = peers.0.recv().await {
            tokio::spawn(Peer::new(far).echo());
        }
    });
    Client::open(config, connector).await.unwrap()
}

pub(super) fn echo<'c>(
    client: &'c Client,
    text: &str,
) -> crate::client::Execute<crate::Command<String>, &'c Client> {
    client.command("ECHO").arg(text).into_future()
}

pub(super) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, future).await.expect("hangs")
}

/// Waits until `done`, letting others run.
pub(super) async fn until(mut done: impl FnMut() -> bool) {
    within(async {
        while !done() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

impl Peers {
    /// The next connection, its handshake done.
    pub(super) async fn next(&mut self) -> Peer {
        let mut peer = self.raw().await;
        peer.handshake().await;
        peer
    }

    pub(super) async fn raw(&mut self) -> Peer {
        Peer::new(within(self.0.recv()).await.unwrap())
    }

    pub(super) fn is_empty(&mut self) -> bool {
        self.0.is_empty()
    }
}

impl Peer {
    fn new(stream: DuplexStream) -> Peer {
        Peer { stream, buffer: Vec::new() }
    }

    /// The next request; `None` at the end of the stream.
    pub(super) async fn request(&mut self) -> Option<Vec<String>> {
        loop {
            let mut reader = Reader::new(&self.buffer);
            let request: Result<Vec<String>> = FromReply::from_reply(&mut reader);
            if let Ok(request) = request {
                let mut wire = Vec::new();
                let mut packed = crate::resp::Packed::new();
                request.iter().for_each(|word| packed.push(word.as_bytes()));
                packed.write_to(&mut wire);
                self.buffer.drain(..wire.len());
                return Some(request);
            }
            if self.stream.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// Writes; a client that has gone is no failure.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    pub(super) async fn handshake(&mut self) {
        self.request().await.unwrap();
        self.send("%1\r\n$7\r\nversion\r\n$5\r\n8.0.0\r\n").await;
        for _ in 0..3 {
            self.request().await.unwrap();
            self.send("+OK\r\n").await;
        }
    }

    /// Answers one `ECHO`.
    pub(super) async fn answer(&mut self) -> Option<()> {
        let request = self.request().await?;
        let text = request.last().unwrap();
        self.send(format!("${}\r\n{text}\r\n", text.len())).await;
        Some(())
    }

    /// Answers every `ECHO`.
    pub(super) async fn echo(mut self) {
        self.handshake().await;
        self.answers().await;
    }

    /// The same, after the handshake.
    pub(super) async fn answers(mut self) {
        while self.answer().await.is_some() {}
    }
}
