//! What concerns the sentinels alone.

use alizarin_core::Config;
use alizarin_testkit::Sentinel;
use tokio::runtime::Runtime;

use crate::either::{clients, run};
use crate::table::Row;
use crate::topology::{SESAME, Topology, refusals};

pub(crate) const ROWS: &[Row] = &[Row::new(
    &[
        "endpoint.name",
        "endpoint.user",
        "endpoint.password",
        "endpoint.others",
        "endpoint.seeds",
        "endpoint.known",
        "endpoint.elected",
    ],
    who_names_the_primary,
)
.except(|kind| !kind.has_sentinels(), "there are no sentinels")];

fn refused(runtime: &Runtime, config: &Config, wanted: &str) {
    for error in refusals(runtime, config) {
        assert!(error.to_string().contains(wanted), "{wanted}: {error}");
    }
}

fn who_names_the_primary(runtime: &Runtime, topology: &mut Topology) {
    let config = &topology.config;
    let login = config.clone().sentinel_login(Some("default"), SESAME);
    let dead = ("127.0.0.1".to_owned(), 1);
    let seeds = seeds(topology);
    // One that lives is enough, and names the others.
    let one = config.clone().sentinels([dead.clone(), seeds[0].clone()], Sentinel::NAME);
    let one = one.sentinel_login(None, SESAME);
    for config in [login, config.clone().min_other_sentinels(2), one.min_other_sentinels(2)] {
        for client in clients(runtime, &config) {
            run(runtime, &client, client.set("key", 1)).unwrap();
        }
    }
    refused(runtime, &config.clone().min_other_sentinels(3), "too few other sentinels");
    let other = config.clone().sentinels(seeds, "other").sentinel_login(None, SESAME);
    refused(runtime, &other, "other");
    refused(runtime, &config.clone().sentinels([dead], Sentinel::NAME), "127.0.0.1:1");
    for wrong in [
        config.clone().sentinel_login(Some("nobody"), SESAME),
        config.clone().sentinel_login(None, "wrong"),
    ] {
        refused(runtime, &wrong, "refused the login");
    }
}

/// The sentinels, by the URL.
fn seeds(topology: &Topology) -> Vec<(String, u16)> {
    let hosts = topology.url.split("://").nth(1).unwrap().split('/').next().unwrap();
    let address = |text: &str| {
        let (host, port) = text.split_once(':').unwrap();
        (host.to_owned(), port.parse().unwrap())
    };
    hosts.split(',').map(address).collect()
}
