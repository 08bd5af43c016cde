//! Every option holds on every topology and on every connection of a client, async and blocking.
//!
//! The options are in rows, each beside what proves it; `table` proves every row on every topology,
//! and that no option of `Config` is without a row.
#![cfg(feature = "tls")]

#[path = "../either/mod.rs"]
mod either;
mod encryption;
mod limits;
mod login;
mod lost;
mod nodes;
mod pool;
mod sentinels;
mod silence;
mod sockets;
mod table;
mod topology;
mod traffic;

use table::every_option_holds;
use topology::Kind;

#[test]
fn every_option_holds_by_tcp() {
    every_option_holds(Kind::Tcp);
}

#[test]
fn every_option_holds_by_a_unix_socket() {
    every_option_holds(Kind::UnixSocket);
}

#[test]
fn every_option_holds_by_tls() {
    if encryption::is_told_to_trust_the_platform() {
        return;
    }
    every_option_holds(Kind::Tls);
}

#[test]
fn every_option_holds_in_a_cluster() {
    every_option_holds(Kind::Cluster);
}

#[test]
fn every_option_holds_in_a_cluster_by_tls() {
    every_option_holds(Kind::ClusterByTls);
}

#[test]
fn every_option_holds_under_sentinels() {
    every_option_holds(Kind::Sentinels);
}

#[test]
fn every_option_holds_under_sentinels_by_tls() {
    every_option_holds(Kind::SentinelsByTls);
}
