//! One socket: connecting, logging in, and sharing it among many callers.
//!
//! `slots`, `outbox`, `inbox`, `handshake` and `backoff` hold the rules and do no I/O; `link`
//! joins them under two locks, and `driver` moves the bytes.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss
    )
)]

mod alarm;
mod backoff;
mod beside;
mod caller;
mod dedicated;
mod driver;
mod flight;
mod handshake;
mod heartbeat;
mod inbox;
mod lanes;
mod link;
mod loss;
pub(crate) mod maintenance;
mod outbox;
mod primary;
mod receive;
mod relogin;
mod reply;
mod send;
mod slots;
mod state;
mod stream;
mod tcp;
mod ticks;
#[cfg(feature = "tls")]
mod tls;
mod witness;
mod work;

#[cfg(test)]
mod tests;

pub(crate) use alarm::Alarm;
pub(crate) use backoff::Pauses;
pub(crate) use dedicated::Dedicated;
pub(crate) use driver::{spawn, spawn_on};
pub(crate) use flight::{Exchange, Flight, polled_again};
pub(crate) use lanes::Lanes;
pub(crate) use link::{Handle, Link, PushSink};
pub(crate) use outbox::{Rest, Wire};
pub(crate) use primary::look;
#[doc(hidden)]
pub use receive::receive;
pub(crate) use relogin::renewed;
pub(crate) use reply::{Place, Reply};
pub(crate) use stream::{Connector, Look, Stream, no_node};
pub(crate) use tcp::{interleave, nowhere, set as set_options};
pub(crate) use witness::{Verdict, Witness, ask};
pub use work::{Pipeline, Route, Transaction, Work};
