//! The Redis client under Alizarin, complete enough to be used alone.
//!
//! Bottom to top: [`resp`] turns bytes into meaning, [`command`] describes one request and its
//! reply type, `connection` drives one socket, [`Client`] is the handle that applications hold.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod macros;

mod cache;
mod client;
mod cluster;
pub mod command;
pub mod commands;
mod config;
mod connection;
mod credentials;
mod direct;
mod error;
pub mod multi;
mod pool;
mod pubsub;
pub mod resp;
mod secret;
mod sentinel;
mod server;

pub use cache::{Cache, CacheConfig, CacheMetrics, Fetch, FetchShared};
pub use client::{Client, Execute};
#[doc(hidden)]
pub use cluster::known_keys;
pub use command::{Command, IntoCommand};
pub use config::{Backoff, Config, PoolConfig, Protocol, ReadFrom, Tls, TlsVersion};
pub use connection::{Pipeline, Transaction, Work};
#[doc(hidden)]
pub use connection::{Route, receive};
pub use credentials::{
    CredentialFuture, CredentialProvider, Credentials, Renewals, RotatingCredentials,
};
pub use direct::{Iter, Run, Streamed};
pub use error::{Error, ErrorKind, FailedStep, Referrers, Result, Sent, ServerCode, Versions};
pub use pool::{Exclusive, OnExclusive, PoolClosed, PoolMetrics};
pub use pubsub::{Delivery, Message, Subscription};
pub use resp::{FromReply, ToArgs, Value};
pub use server::ServerInfo;
