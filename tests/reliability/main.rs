//! What is promised about lost servers, moving slots, dropped futures and lost replies, on real
//! servers: each promise is one test, which prints what it measured.
//!
//! The quick tier runs with all other tests. `ci/reliability` runs the full tier: more rounds, more
//! load. Times that the servers need by themselves are measured by raw sockets (`floor`) and taken
//! off; each line ends with the seed of all that is left to chance (`ALIZARIN_SEED` repeats a run).
//! Tests that measure times or memory run one at a time.

mod cancel;
mod every;
mod failover;
mod floor;
mod healthy;
mod hostile;
mod lost;
mod play;
mod pool;
mod redirects;
mod reshard;
mod restart;
mod sentinel;
mod subscriptions;
mod tier;
mod transactions;
mod wire;
mod writers;
