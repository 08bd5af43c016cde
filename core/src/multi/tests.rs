//! The choice over time, with a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use super::circuit::Circuit;
use super::handle::Multi;
use super::switch::{Switch, SwitchReason};
use super::{Database, Databases};
use crate::client::Client;
use crate::config::Config;
use crate::connection::{Connector, Link};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::multi::{FailureDetector, MultiBuilder};

/// Two databases that are taken for reachable, though nothing can be connected to.
fn two(builder: MultiBuilder) -> (Client, Arc<Databases>, Arc<Database>, Arc<Database>) {
    let builder = builder.database("east", "redis://east", 1.0);
    let builder = builder.database("west", "redis://west", 0.5);
    let (databases, _) = builder.build(Some(tokio::runtime::Handle::current())).unwrap();
    for database in databases.all() {
        let never = Connector::Factory(Arc::new(|| Box::pin(std::future::pending())));
        let alarm = Arc::default();
        database.reached(Client::from_link(Link::unconnected(Config::new(), never, alarm)));
    }
    databases.choose(None);
    let all = databases.all();
    let (east, west) = (Arc::clone(&all[0]), Arc::clone(&all[1]));
    (Client::of_databases(Arc::clone(&databases)), databases, east, west)
}

fn failure(sent: Sent) -> Error {
    Error::new(ErrorKind::Disconnected, "gone").with_sent(sent)
}

fn fails() -> Result<()> {
    Err(failure(Sent::Unknown))
}

fn active(databases: &Databases) -> Option<String> {
    databases.active().map(|active| active.name.clone())
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn back_after_the_grace_time_and_the_time_to_prove_itself() {
    let (_client, databases, east, _west) = two(Multi::builder());
    assert_eq!(active(&databases).as_deref(), Some("east"));
    databases.examined(&east, &fails());
    assert_eq!(active(&databases).as_deref(), Some("west"));
    pass(59).await;
    assert!(!databases.begin(&east), "it is left alone");
    pass(1).await;
    assert!(databases.begin(&east));
    assert_eq!(east.circuit(), Circuit::HalfOpen);
    databases.examined(&east, &fails());
    pass(60).await;
    assert!(databases.begin(&east));
    databases.examined(&east, &Ok(()));
    assert_eq!(east.circuit(), Circuit::Closed);
    pass(119).await;
    databases.examined(&east, &Ok(()));
    assert_eq!(active(&databases).as_deref(), Some("west"), "it may not stay so");
    pass(1).await;
    databases.examined(&east, &Ok(()));
    assert_eq!(active(&databases).as_deref(), Some("east"));
}

#[tokio::test(start_paused = true)]
async fn never_back_by_itself_where_that_is_asked_for() {
    let (client, databases, east, west) = two(Multi::builder().failback_after(None));
    databases.examined(&east, &fails());
    pass(60).await;
    assert!(databases.begin(&east));
    databases.examined(&east, &Ok(()));
    pass(100_000).await;
    databases.examined(&east, &Ok(()));
    assert_eq!(active(&databases).as_deref(), Some("west"));
    client.multi().unwrap().set_weight("east", 9.0).unwrap();
    assert_eq!(active(&databases).as_deref(), Some("west"));
    databases.examined(&west, &fails());
    assert_eq!(active(&databases).as_deref(), Some("east"), "it is all there is");
}

#[tokio::test(start_paused = true)]
async fn the_last_one_is_examined_at_once() {
    let (_client, databases, east, west) = two(Multi::builder());
    databases.examined(&east, &fails());
    databases.examined(&west, &fails());
    assert_eq!(active(&databases), None);
    assert!(databases.begin(&west) && databases.begin(&east));
    databases.examined(&west, &Ok(()));
    assert_eq!(active(&databases).as_deref(), Some("west"));
}

#[tokio::test(start_paused = true)]
async fn a_choice_lasts_until_it_fails() {
    let (client, databases, east, west) = two(Multi::builder());
    let mut switches = client.multi().unwrap().switches();
    databases.pin(&west).unwrap();
    pass(1_000).await;
    databases.examined(&east, &Ok(()));
    assert_eq!(active(&databases).as_deref(), Some("west"));
    databases.examined(&west, &fails());
    assert_eq!(active(&databases).as_deref(), Some("east"));
    for (from, to, reason) in
        [("east", "west", SwitchReason::Chosen), ("west", "east", SwitchReason::Failed)]
    {
        let (from, to) = (Some(from.to_owned()), Some(to.to_owned()));
        assert_eq!(switches.next().await.unwrap().unwrap(), Switch { from, to, reason });
    }
}

#[tokio::test(start_paused = true)]
async fn failing_requests_open_the_circuit_within_a_window() {
    let detector = FailureDetector::new().failures(3).rate(0.5).window(Duration::from_secs(2));
    let (_client, databases, east, _west) = two(Multi::builder().failure_detector(detector));
    databases.failed(&east, &failure(Sent::Unknown));
    databases.failed(&east, &failure(Sent::No));
    pass(3).await;
    databases.failed(&east, &failure(Sent::No));
    databases.failed(&east, &failure(Sent::No));
    assert_eq!(active(&databases).as_deref(), Some("east"), "the first two are long ago");
    for _ in 0..4 {
        databases.good(&east);
    }
    databases.failed(&east, &failure(Sent::No));
    assert_eq!(active(&databases).as_deref(), Some("east"), "three of seven");
    databases.failed(&east, &failure(Sent::No));
    assert_eq!(active(&databases).as_deref(), Some("west"), "four of eight");
}

#[tokio::test(start_paused = true)]
async fn requests_wait_for_a_database_as_long_as_is_set() {
    let timeout = Duration::from_secs(7);
    let (client, databases, east, west) = two(Multi::builder().failover_timeout(timeout));
    databases.examined(&east, &fails());
    databases.examined(&west, &fails());
    let since = tokio::time::Instant::now();
    let error = client.get::<String>("k").await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::NoDatabase, Sent::No));
    assert_eq!(error.to_string(), "GET: no database is healthy; east: gone; west: gone");
    assert!((timeout..timeout + Duration::from_secs(1)).contains(&since.elapsed()));
}
