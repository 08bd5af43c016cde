//! Encrypted streams: rustls over any other stream, so that blocking sockets have them too.

mod explain;
mod setup;
mod verify;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stream::{Stage, Stream};
use crate::config::{Config, Endpoint, Tls};
use crate::error::{Error, ErrorKind, Result};

/// Encrypts a stream that was just connected.
///
/// # Errors
/// `Usage` for options that cannot be used, `Tls` when one side refuses the other, `Connect` when
/// the stream is lost.
pub(crate) async fn secure(
    mut stream: Stream,
    config: &Config,
    tls: &Tls,
) -> Result<TlsStream<Stream>> {
    let client = setup::client(tls)?;
    let name = setup::server_name(config, tls)?;
    if let Some(socket) = stream.blocking() {
        socket.take_turns(true);
    }
    TlsConnector::from(client).connect(name, stream).await.map_err(|error| refused(config, error))
}

/// Reads from an encrypted stream; over a blocking socket it waits until there is something.
pub(crate) fn poll_read(
    stream: &mut TlsStream<Stream>,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    loop {
        // What was decrypted already needs no wait.
        let may_wait = stream.get_ref().1.wants_read();
        let waits = match stream.get_mut().0.blocking() {
            Some(socket) => {
                socket.take_turns(may_wait);
                !socket.returns_at_once()
            }
            None => false,
        };
        let read = Pin::new(&mut *stream).poll_read(cx, buffer);
        if read.is_ready() || !waits {
            return read;
        }
    }
}

/// Writes what is taken at once; nobody is told when more is.
pub(crate) fn try_write(stream: &mut TlsStream<Stream>, bytes: &[u8]) -> io::Result<usize> {
    match Pin::new(stream).poll_write(&mut Context::from_waker(Waker::noop()), bytes) {
        Poll::Ready(written) => written,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// The same with several pieces.
pub(crate) fn try_write_vectored(
    stream: &mut TlsStream<Stream>,
    pieces: &[io::IoSlice<'_>],
) -> io::Result<usize> {
    let mut nobody = Context::from_waker(Waker::noop());
    match Pin::new(stream).poll_write_vectored(&mut nobody, pieces) {
        Poll::Ready(written) => written,
        Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
    }
}

/// Whether nothing has come over a blocking socket since it was last read, nor its end. TLS has
/// messages of its own, which say nothing of replies: they are read by the way.
pub(crate) fn is_quiet(stream: &mut TlsStream<Stream>) -> bool {
    let Some(socket) = stream.get_mut().0.blocking() else { return true };
    if socket.return_at_once(true).is_err() {
        return false;
    }
    let mut byte = [0];
    let mut nobody = Context::from_waker(Waker::noop());
    let looked = Pin::new(&mut *stream).poll_read(&mut nobody, &mut ReadBuf::new(&mut byte));
    let back = stream.get_mut().0.blocking().is_some_and(|it| it.return_at_once(false).is_ok());
    looked.is_pending() && back
}

/// Refuses before connecting what cannot be encrypted.
///
/// # Errors
/// `Usage`.
pub(crate) fn check(config: &Config, tls: &Tls) -> Result<()> {
    if matches!(config.endpoint, Endpoint::Unix(_)) {
        return Err(Error::new(
            ErrorKind::Usage,
            "option `tls`: a Unix socket cannot be encrypted; leave it out, or connect by host",
        ));
    }
    setup::server_name(config, tls)?;
    setup::client(tls).map(drop)
}

/// The error of a stream that was lost while logging in, if TLS was the reason: a server may
/// look at the client's certificate when the handshake is over for the client.
pub(crate) fn refusal(config: &Config, error: &Error) -> Option<Error> {
    let source = std::error::Error::source(error)?.downcast_ref()?;
    explain::explain(source).map(|reason| untrusted(config, &reason))
}

/// Why the handshake failed.
fn refused(config: &Config, error: io::Error) -> Error {
    if let Some(reason) = explain::explain(&error) {
        return untrusted(config, &reason).with_source(error);
    }
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the server closed the connection during the TLS handshake".to_owned()
        }
        io::ErrorKind::TimedOut => {
            format!("{} within {:?}", Stage::SILENCE, config.connect_timeout)
        }
        _ => format!("the connection was lost during the TLS handshake: {error}"),
    };
    let text = format!("cannot connect to {}: {reason}", config.address());
    Error::new(ErrorKind::Connect, text).with_source(error)
}

fn untrusted(config: &Config, reason: &str) -> Error {
    Error::new(ErrorKind::Tls, format!("{}: {reason}", config.address()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsVersion;
    use crate::connection::{Connector, Dedicated};
    use rustls::HandshakeKind;

    fn handshake(connection: &Dedicated) -> HandshakeKind {
        match &connection.stream {
            Stream::Tls(stream) => stream.get_ref().1.handshake_kind().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_later_connection_resumes_the_session_of_an_earlier_one() {
        let papers = alizarin_testkit::Tls::new().unwrap();
        let server = alizarin_testkit::Server::builder().modules(false).tls(&papers).unwrap();
        let server = server.start().unwrap();
        for protocol in ["TLSv1.2", "TLSv1.3"] {
            server.command(&["CONFIG", "SET", "tls-protocols", protocol]).unwrap();
            let tls = Tls::new().ca_pem(papers.ca_pem()).minimum_version(TlsVersion::Tls12);
            let config = Config::new().tcp("127.0.0.1", server.tls_port().unwrap()).tls(tls);
            for (connector, expected) in [
                (Connector::Endpoint, HandshakeKind::Full),
                (Connector::Endpoint, HandshakeKind::Resumed),
            ] {
                let connection = Dedicated::log_in(&config.clone(), &connector).await.unwrap();
                assert_eq!(handshake(&connection), expected, "{protocol}");
            }
            let blocking = tokio::task::spawn_blocking(move || {
                let login = Dedicated::log_in(&config, &Connector::Blocking);
                crate::Run::run(login).map(|connection| handshake(&connection)).unwrap()
            });
            assert_eq!(blocking.await.unwrap(), HandshakeKind::Resumed, "{protocol}");
        }
    }
}
