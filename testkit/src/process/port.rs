//! A TCP port for a server.

use std::net::{Ipv4Addr, TcpListener};

use crate::{error::Error, unique};

/// A port that nobody listens on now; somebody may before the server does.
///
/// The system would give one of its ephemeral ports. Those are wrong for a server that restarts:
/// while it is down, a client's outgoing connection can be given the same port, and a client that
/// reconnects in a loop can even connect to itself. So this draws from below that range.
pub(crate) fn free() -> Result<u16, Error> {
    (0..TRIES)
        .map(|_| FIRST + unique::random() % (LAST - FIRST))
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or_else(|| Error::start("no free TCP port found", ""))
}

const FIRST: u16 = 10_000;
/// Linux's ephemeral ports begin at 32_768; a cluster's bus listens at the port + 10_000.
const LAST: u16 = 22_000;
const TRIES: usize = 200;
