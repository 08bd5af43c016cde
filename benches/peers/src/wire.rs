//! A plain socket, encrypted where its URL says so, for those who are no clients.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::clients::{Outcome, secure};

/// A connection, NODELAY.
pub enum Wire {
    Plain(TcpStream),
    Encrypted(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// Connects to `redis://host:port`, or to `rediss://host:port` as [`secure::apart`] takes it.
pub fn connect(url: &str) -> Outcome<Wire> {
    let (url, authority) = secure::apart(url);
    let (_, address) = url.split_once("://").ok_or("not a URL")?;
    let address = address.split('/').next().unwrap_or(address);
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let Some(authority) = authority else { return Ok(Wire::Plain(stream)) };
    let (host, _) = address.rsplit_once(':').ok_or("no port")?;
    let name = ServerName::try_from(host.to_owned())?;
    let connection = ClientConnection::new(Arc::new(secure::trusting(authority)?), name)?;
    Ok(Wire::Encrypted(Box::new(StreamOwned::new(connection, stream))))
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.read(buffer),
            Wire::Encrypted(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Wire::Plain(stream) => stream.write(bytes),
            Wire::Encrypted(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Wire::Plain(stream) => stream.flush(),
            Wire::Encrypted(stream) => stream.flush(),
        }
    }
}
