//! A blocking connection for test set-up: one command, one reply.

use std::{
    io::{self, BufReader, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    os::unix::net::UnixStream,
    time::Duration,
};

use crate::{
    endpoint::{Address, Endpoint},
    error::{Error, Kind},
    resp::{self, Reply},
};

/// One open connection, logged in.
pub(crate) struct Client {
    stream: BufReader<Box<dyn Stream>>,
    peer: String,
}

trait Stream: Read + Write {}

impl Stream for TcpStream {}
impl Stream for UnixStream {}

impl Client {
    /// Connects, logs in and selects the database.
    pub(crate) fn connect(endpoint: &Endpoint, patience: Duration) -> Result<Self, Error> {
        let peer = endpoint.address.to_string();
        let stream = open(&endpoint.address, patience)
            .map_err(|source| Error::connection(format!("connecting to {peer}"), source))?;
        let mut client = Self { stream: BufReader::new(stream), peer };
        if let Some(password) = &endpoint.password {
            let user = endpoint.user.as_deref().unwrap_or("default");
            client.call(&["AUTH", user, password])?;
        }
        if let Some(database) = endpoint.database {
            client.call(&["SELECT", &database.to_string()])?;
        }
        Ok(client)
    }

    /// Sends one command and gives its reply; an error reply is an `Err`.
    pub(crate) fn call(&mut self, words: &[&str]) -> Result<Reply, Error> {
        let reply = resp::write(self.stream.get_mut(), words)
            .and_then(|()| resp::read(&mut self.stream))
            .map_err(|source| {
                let verb = words.first().copied().unwrap_or_default();
                Error::connection(format!("{verb} on {}", self.peer), source)
            })?;
        match reply {
            Reply::Error(text) => Err(Kind::Reply(text).into()),
            reply => Ok(reply),
        }
    }
}

fn open(address: &Address, patience: Duration) -> io::Result<Box<dyn Stream>> {
    match address {
        Address::Tcp { host, port } => {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let mut failure = io::Error::from(io::ErrorKind::NotFound);
            for address in (host, *port).to_socket_addrs()? {
                match TcpStream::connect_timeout(&address, patience.min(CONNECT)) {
                    Ok(stream) => {
                        stream.set_nodelay(true)?;
                        stream.set_read_timeout(Some(patience))?;
                        return Ok(Box::new(stream));
                    }
                    Err(error) => failure = error,
                }
            }
            Err(failure)
        }
        Address::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(Some(patience))?;
            Ok(Box::new(stream))
        }
    }
}

const CONNECT: Duration = Duration::from_secs(5);
