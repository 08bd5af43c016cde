//! Servers that refuse, lie, redirect or fall silent: played by threads.

mod cached;
mod cluster;
mod handshake;
mod hostile;
mod repeats;
mod replicas;
mod scans;
mod server;
mod waits;
