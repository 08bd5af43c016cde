//! What health checks say, and what becomes of those that say nothing.

use alizarin_core::multi::Replication;
use alizarin_testkit::Cluster;

use super::*;

#[tokio::test]
async fn a_check_that_is_slower_than_its_timeout_has_failed() {
    let (_east, _west, builder) = two();
    let slow = Arc::new(AtomicBool::new(false));
    let client = builder
        .health_timeout(Duration::from_millis(40))
        .health_check({
            let slow = Arc::clone(&slow);
            move |client: Client| {
                let is_slow = slow.load(Ordering::SeqCst) && is_east(&client);
                async move {
                    match is_slow {
                        true => std::future::pending().await,
                        false => client.command("PING").exec().await,
                    }
                }
            }
        })
        .connect()
        .await
        .unwrap();
    name(&client).await;
    let mut switches = multi(&client).switches();
    slow.store(true, Ordering::SeqCst);
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Failed));
    let error = multi(&client).databases()[0].error.clone().unwrap();
    assert!(error.contains("no answer within 40ms"), "{error}");
}

static EAST: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

fn is_east(client: &Client) -> bool {
    EAST.lock().unwrap().contains(&client.config().address())
}

/// Notes where `east` is.
async fn name(client: &Client) {
    let east = multi(client).client_of("east").unwrap();
    EAST.lock().unwrap().push(east.config().address());
}

#[tokio::test]
async fn a_check_that_panics_has_failed_and_is_asked_again() {
    let (_east, _west, builder) = two();
    let bad = Arc::new(AtomicBool::new(true));
    let check = |bad: &Arc<AtomicBool>| {
        let bad = Arc::clone(bad);
        move |_: Client| {
            let bad = bad.load(Ordering::SeqCst);
            async move {
                assert!(!bad, "as the test wants it");
                Ok(())
            }
        }
    };
    let error = builder.health_check(check(&bad)).connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    assert!(error.message().contains("east: the health check panicked"), "{error}");
    // The same once all is under way; whoever is told of the switch panics as well.
    bad.store(false, Ordering::SeqCst);
    let (_east, _west, builder) = two();
    let client = builder
        .health_check(check(&bad))
        .on_switch(|_| panic!("as the test wants it"))
        .connect()
        .await
        .unwrap();
    bad.store(true, Ordering::SeqCst);
    let active = || multi(&client).active();
    until("none is healthy", || active().is_none()).await;
    bad.store(false, Ordering::SeqCst);
    until("one is healthy again", || active().is_some()).await;
    client.set("k", "v").await.unwrap();
}

#[test]
fn a_check_that_panics_has_failed_on_a_blocking_client_too() {
    let (_east, _west, builder) = two();
    let bad = Arc::new(AtomicBool::new(false));
    let client = builder
        .health_check({
            let bad = Arc::clone(&bad);
            move |_: Client| {
                assert!(!bad.load(Ordering::SeqCst), "as the test wants it");
                async { Ok(()) }
            }
        })
        .connect_blocking()
        .unwrap();
    let waits = |is: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is() {
            assert!(Instant::now() < deadline);
            std::thread::park_timeout(Duration::from_millis(5));
        }
    };
    bad.store(true, Ordering::SeqCst);
    waits(&|| multi(&client).active().is_none());
    bad.store(false, Ordering::SeqCst);
    waits(&|| multi(&client).active().is_some());
    client.set("k", "v").run().unwrap();
}

#[tokio::test]
async fn replication_that_lags_is_seen_from_both_sides() {
    let (east, west, builder) = two();
    let port = east.port().unwrap();
    west.command(&["REPLICAOF", "127.0.0.1", &port.to_string()]).unwrap();
    let told =
        |server: &Server, part| server.command(&["INFO", "replication"]).unwrap().contains(part);
    until("it replicates", || told(&west, "master_link_status:up") && told(&east, "state=online"))
        .await;
    // Each asks what it is asked for: a primary its replicas, a replica its primary.
    let check = Replication::new().min_replicas(1).max_lag(Duration::from_secs(30));
    let client = builder.health_check(check).connect().await.unwrap();
    let mut switches = multi(&client).switches();
    west.command(&["REPLICAOF", "127.0.0.1", "1"]).unwrap();
    assert_eq!(next(&mut switches).await.0, some("east"));
    until("both are seen", || {
        let databases = multi(&client).databases();
        let says = |at: usize, part| {
            databases[at].error.as_deref().is_some_and(|error: &str| error.contains(part))
        };
        says(0, "0 of 1 replicas keep up") && says(1, "without a link to its primary")
    })
    .await;
    assert_eq!(multi(&client).active(), None);
    // Without a demand for replicas a primary is well alone.
    let alone = quick().database("east", east.url(), 1.0).health_check(Replication::new());
    alone.connect().await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn every_primary_of_a_cluster_is_asked_for_its_replicas() {
    let cluster = Cluster::shared().unwrap();
    let url = cluster.url();
    let with = |replicas| {
        let check = Replication::new().min_replicas(replicas).max_lag(Duration::from_secs(60));
        quick().database("cluster", url.as_str(), 1.0).health_check(check)
    };
    with(1).connect().await.unwrap().ping().await.unwrap();
    let error = with(2).connect().await.unwrap_err();
    assert!(error.message().contains("127.0.0.1:"), "{error}");
    assert!(error.message().contains("1 of 2 replicas keep up"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_removed_while_it_is_chosen_is_not_used() {
    let (_east, _west, builder) = two();
    let client = builder
        .health_check(|_: Client| async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            Ok(())
        })
        .connect()
        .await
        .unwrap();
    let multi = multi(&client);
    let (chosen, removed) = tokio::join!(multi.set_active("west"), multi.remove("west"));
    removed.unwrap();
    assert_eq!(chosen.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(multi.active(), some("east"));
}
