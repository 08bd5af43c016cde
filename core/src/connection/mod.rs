//! One socket: connecting, logging in, and sharing it among many callers.
//!
//! `slots`, `outbox`, `inbox`, `handshake` and `backoff` hold the rules and do no I/O; `link`
//! joins them under two locks, and `driver` moves the bytes.

mod backoff;
mod caller;
mod dedicated;
mod driver;
mod handshake;
mod heartbeat;
mod inbox;
mod link;
mod outbox;
mod reply;
mod slots;
mod state;
mod stream;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod work;

#[cfg(test)]
mod tests;

pub(crate) use backoff::Backoff;
pub(crate) use dedicated::Dedicated;
pub(crate) use driver::spawn;
pub(crate) use link::{Handle, Link, Submitted};
pub(crate) use outbox::Wire;
pub(crate) use reply::Reply;
pub(crate) use slots::Ticket;
pub(crate) use stream::{Connector, Stream};
pub(crate) use tcp::{interleave, nowhere, set as set_options};
pub use work::{Pipeline, Transaction, Work};
