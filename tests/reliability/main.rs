//! What is promised about lost servers, moving slots, dropped futures and lost replies, on real
//! servers: each promise is one test, which prints what it measured.
//!
//! The quick tier runs with all other tests. `ci/reliability` runs the full tier: more rounds, more
//! load. Times that the servers need by themselves are measured by raw sockets (`floor`) and taken
//! off. One test runs at a time, since each measures.

mod failover;
mod floor;
mod lost;
mod pool;
mod reshard;
mod restart;
mod sentinel;
mod tier;
mod wire;
