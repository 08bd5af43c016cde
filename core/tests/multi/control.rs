//! What decides which database is used: options, checks, the program.

use super::*;

#[tokio::test]
async fn how_many_must_be_there_at_first() {
    let (mut east, west, _) = two();
    let (east_url, west_url) = (east.url(), west.url());
    east.stop().unwrap();
    let three = || {
        quick()
            .database("east", east_url.as_str(), 1.0)
            .database("west", west_url.as_str(), 0.5)
            .database("south", west_url.as_str(), 0.2)
    };
    let error = three().connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    assert!(error.message().contains("2 of 3") && error.message().contains("east: cannot"));
    for initial in [Quorum::Majority, Quorum::Any] {
        let client = three().initial(initial).connect().await.unwrap();
        assert_eq!(multi(&client).active(), some("west"));
        assert_eq!(multi(&client).databases()[0].circuit, Circuit::Open);
        assert!(multi(&client).client_of("east").is_err());
    }
    // It is used once it is there, and steady.
    let moment = Duration::from_millis(10);
    let client = three().initial(Quorum::Any).grace(moment).failback_after(moment);
    let client = client.connect().await.unwrap();
    let mut switches = multi(&client).switches();
    east.restart().unwrap();
    assert_eq!(next(&mut switches).await.1, some("east"));
    client.set("k", "v").await.unwrap();
    assert_eq!(east.command(&["GET", "k"]).unwrap(), "v");
}

#[tokio::test]
async fn the_program_decides_at_run_time() {
    let (east, mut west, builder) = two();
    let south = Server::builder().private().start().unwrap();
    let client = builder.connect().await.unwrap();
    let multi = multi(&client);
    let mut switches = multi.switches();

    multi.set_active("west").await.unwrap();
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Chosen));
    client.set("k", "v").await.unwrap();
    assert_eq!(west.command(&["GET", "k"]).unwrap(), "v");
    // A choice counts more than a weight.
    multi.set_weight("east", 5.0).unwrap();
    assert_eq!(multi.active(), some("west"));
    multi.set_active("east").await.unwrap();
    assert_eq!(next(&mut switches).await.1, some("east"));

    multi.add("south", south.url(), 9.0).await.unwrap();
    assert_eq!(multi.active(), some("east"), "chosen by the program");
    west.stop().unwrap();
    let error = multi.set_active("west").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    assert_eq!(multi.active(), some("east"));
    multi.remove("east").await.unwrap();
    assert_eq!(next(&mut switches).await, (some("east"), some("south"), SwitchReason::Removed));
    client.set("k", "south").await.unwrap();
    assert_eq!(south.command(&["GET", "k"]).unwrap(), "south");
    assert_eq!(east.command(&["DBSIZE"]).unwrap(), "0");
    let names: Vec<String> = multi.databases().into_iter().map(|status| status.name).collect();
    assert_eq!(names, ["west", "south"]);

    multi.add("north", east.url(), 99.0).await.unwrap();
    assert_eq!(next(&mut switches).await, (some("south"), some("north"), SwitchReason::Preferred));
    multi.set_weight("north", 0.1).unwrap();
    assert_eq!(next(&mut switches).await, (some("north"), some("south"), SwitchReason::Preferred));
    let north = multi.client_of("north").unwrap();
    north.set("k", "north").await.unwrap();
    assert_eq!(east.command(&["GET", "k"]).unwrap(), "north");

    for error in [
        multi.set_active("none").await.unwrap_err(),
        multi.set_weight("none", 1.0).unwrap_err(),
        multi.set_weight("south", f64::NAN).unwrap_err(),
        multi.remove("none").await.unwrap_err(),
        multi.add("south", south.url(), 1.0).await.unwrap_err(),
        multi.add("new", "redis://:6379:x", 1.0).await.unwrap_err(),
        multi.add("new", south.url(), -1.0).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    let error = multi.add("new", west.url(), 1.0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    multi.remove("west").await.unwrap();
    multi.remove("north").await.unwrap();
    let error = multi.remove("south").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "the last one");
    client.close().await;
    assert!(switches.next().await.is_none());
}

#[tokio::test]
async fn what_is_under_way_on_a_removed_one_is_answered() {
    let (_east, _west, builder) = two();
    let client = builder.connect().await.unwrap();
    let multi = multi(&client);
    let counts: Vec<_> = (0..500)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.incr("n").await })
        })
        .collect();
    tokio::task::yield_now().await;
    multi.remove("east").await.unwrap();
    for count in counts {
        count.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_check_of_ones_own_decides() {
    let (_east, _west, builder) = two();
    let client = builder
        .health_check(|client: Client| async move {
            match client.get::<Option<String>>("closed").await? {
                None => Ok(()),
                Some(why) => Err(Error::new(ErrorKind::Connect, why)),
            }
        })
        .connect()
        .await
        .unwrap();
    let mut switches = multi(&client).switches();
    client.set("closed", "for maintenance").await.unwrap();
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Failed));
    assert_eq!(multi(&client).databases()[0].error.as_deref(), Some("for maintenance"));
}

#[tokio::test]
async fn failing_requests_alone_decide_as_well() {
    let (mut east, _west, builder) = two();
    let told = Arc::new(AtomicBool::new(false));
    let client = builder
        // It finds everything well.
        .health_check(|_| async { Ok(()) })
        .failure_detector(FailureDetector::new().failures(3).rate(0.01))
        .on_switch({
            let told = Arc::clone(&told);
            move |switch| told.store(switch.to.as_deref() == Some("west"), Ordering::SeqCst)
        })
        .connect()
        .await
        .unwrap();
    east.stop().unwrap();
    // Refused over and over, until that is once too often.
    assert_eq!(client.incr("n").await.unwrap_or(1), 1);
    assert_eq!(client.get::<Option<u64>>("none").await.unwrap(), None);
    assert_eq!(multi(&client).active(), some("west"));
    assert!(told.load(Ordering::SeqCst));
    let error = multi(&client).databases()[0].error.clone().unwrap();
    assert!(error.starts_with("too many requests failed"), "{error}");
}

#[tokio::test]
async fn wrong_options_are_refused_by_name() {
    let url = "redis://127.0.0.1:1";
    let one = || Multi::builder().database("a", url, 1.0);
    for (builder, name) in [
        (Multi::builder(), "database"),
        (one().database("a", url, 1.0), "`a`"),
        (one().database("", url, 1.0), "name"),
        (one().database("b", url, 0.0), "weight of the database `b`"),
        (one().database("b", "http://x", 1.0), "`b`"),
        (one().health_interval(Duration::ZERO), "health_interval"),
        (one().health_timeout(Duration::ZERO), "health_timeout"),
        (one().health_probes(0), "health_probes"),
        (one().failure_detector(FailureDetector::new().rate(2.0)), "rate"),
    ] {
        let error = builder.connect().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        assert!(error.message().contains(name), "{error}");
    }
    let secret = Multi::builder().database("a", "redis://u:hunter2@h", 1.0);
    assert!(!format!("{secret:?}").contains("hunter2"));
}
