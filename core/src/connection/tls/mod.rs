//! Encrypted streams: rustls over any other stream, so that blocking sockets have them too.

mod explain;
mod setup;
mod verify;

pub(crate) use explain::explain;

use std::io;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::stream::Stream;
use crate::config::{Config, Endpoint, Tls};
use crate::error::{Error, ErrorKind, Result};

/// Encrypts a stream that was just connected.
///
/// # Errors
/// `Usage` for options that cannot be used, `Tls` when one side refuses the other, `Connect` when
/// the stream is lost.
pub(crate) async fn secure(stream: Stream, config: &Config, tls: &Tls) -> Result<TlsStream<Stream>> {
    let client = setup::client(tls)?;
    let name = setup::server_name(config, tls)?;
    TlsConnector::from(client).connect(name, stream).await.map_err(|error| refused(config, error))
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

/// Why the handshake failed.
fn refused(config: &Config, error: io::Error) -> Error {
    let address = config.address();
    if let Some(reason) = explain(&error) {
        return Error::new(ErrorKind::Tls, format!("{address}: {reason}")).with_source(error);
    }
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "the server closed the connection during the TLS handshake".to_owned()
        }
        io::ErrorKind::TimedOut => {
            "the TLS handshake got no answer in time; a port that speaks no TLS gives none"
                .to_owned()
        }
        _ => format!("the connection was lost during the TLS handshake: {error}"),
    };
    let text = format!("cannot connect to {address}: {reason}");
    Error::new(ErrorKind::Connect, text).with_source(error)
}
