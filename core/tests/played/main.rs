//! Servers that refuse, lie, redirect or fall silent: played by threads.

mod cached;
mod cluster;
#[path = "../either/mod.rs"]
mod either;
mod handshake;
mod hostile;
mod moving;
mod repeats;
mod replicas;
mod scans;
mod server;
mod waits;
