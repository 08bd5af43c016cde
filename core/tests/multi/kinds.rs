//! Subscriptions, commands that wait, clusters and blocking clients.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_go_along_and_say_so() {
    let (mut east, west, builder) = two();
    let client = builder.health_timeout(SHORT).connect().await.unwrap();
    let multi = multi(&client);
    let mut news = client.subscribe(["news"]).await.unwrap();
    let sharded = client.ssubscribe(["orders"]).await.unwrap();
    let mut both = sharded.merge(client.psubscribe(["p*"]).await.unwrap()).unwrap();
    multi.set_active("west").await.unwrap();
    assert_eq!(news.next().await.unwrap().unwrap(), Delivery::Gap);
    west.command(&["PUBLISH", "news", "1"]).unwrap();
    assert_eq!(&news.next_message().await.unwrap().unwrap().payload[..], b"1");
    assert_eq!(both.next().await.unwrap().unwrap(), Delivery::Gap);
    assert_eq!(both.next().await.unwrap().unwrap(), Delivery::Gap);
    west.command(&["SPUBLISH", "orders", "2"]).unwrap();
    assert_eq!(both.next_message().await.unwrap().unwrap().channel, "orders");
    west.command(&["PUBLISH", "pop", "3"]).unwrap();
    let message = both.next_message().await.unwrap().unwrap();
    assert_eq!(message.pattern.as_deref(), Some("p*"));

    multi.set_active("east").await.unwrap();
    assert_eq!(news.next().await.unwrap().unwrap(), Delivery::Gap);
    east.pause().unwrap();
    let gap = loop {
        // It may fail before it is connected again.
        match tokio::time::timeout(Duration::from_secs(20), news.next()).await.unwrap().unwrap() {
            Ok(delivery) => break delivery,
            Err(error) => assert_ne!(error.kind(), ErrorKind::Closed, "{error}"),
        }
    };
    assert_eq!(gap, Delivery::Gap);
    west.command(&["PUBLISH", "news", "4"]).unwrap();
    assert_eq!(&news.next_message().await.unwrap().unwrap().payload[..], b"4");
    east.resume().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_waits_on_the_server_ends_with_a_switch() {
    let (east, west, builder) = two();
    let client = builder.connect().await.unwrap();
    let pop = tokio::spawn({
        let client = client.clone();
        async move { client.command::<Vec<String>>("BLPOP").key("list").arg(0).await }
    });
    until("it waits on the server", || {
        east.command(&["INFO", "clients"]).unwrap().contains("blocked_clients:1")
    })
    .await;
    multi(&client).set_active("west").await.unwrap();
    let error = pop.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown), "{error}");
    until("nobody waits", || {
        east.command(&["INFO", "clients"]).unwrap().contains("blocked_clients:0")
    })
    .await;
    // The next one waits where the client is now.
    west.command(&["LPUSH", "list", "x"]).unwrap();
    let popped: Vec<String> = client.command("BLPOP").key("list").arg(0).await.unwrap();
    assert_eq!(popped, ["list", "x"]);
}

/// A cluster of one node.
pub(super) async fn cluster() -> (Server, String) {
    let server = Server::builder().private().arg("--cluster-enabled", "yes").start().unwrap();
    server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    until("the cluster works", || {
        server.command(&["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok")
    })
    .await;
    let url = format!("redis+cluster://127.0.0.1:{}", server.port().unwrap());
    (server, url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_are_databases_as_any_other() {
    let ((mut east, east_url), (west, west_url)) = (cluster().await, cluster().await);
    let single = Server::builder().private().start().unwrap();
    let builder = quick()
        .health_timeout(SHORT)
        .database("east", east_url, 1.0)
        .database("west", west_url, 0.5);
    let client = builder.database("single", single.url(), 0.1).connect().await.unwrap();
    let multi = multi(&client);
    let mut switches = multi.switches();
    assert!(client.is_cluster());
    client.pipeline((set("a", "east"), set("b", "east"))).await.unwrap();
    let mut orders = client.ssubscribe(["o:1", "o:2"]).await.unwrap();
    let mut expired = client.psubscribe_primaries(["__keyevent@0__:*"]).await.unwrap();

    east.pause().unwrap();
    let (pipelined, written, split) = tokio::join!(
        async { client.pipeline((get::<Option<String>>("a"), get::<Option<String>>("b"))).await },
        async { client.incr("writes").await },
        async { client.mget::<Option<String>>(["a", "b"]).await },
    );
    assert_eq!(pipelined.unwrap(), (None, None));
    assert_eq!(split.unwrap(), [None, None]);
    assert_eq!(written.unwrap_err().sent(), Sent::Unknown);
    assert_eq!(next(&mut switches).await, (some("east"), some("west"), SwitchReason::Failed));
    let gap = async |subscription: &mut alizarin_core::Subscription| {
        loop {
            match subscription.next().await.unwrap() {
                Ok(delivery) => break delivery,
                Err(error) => assert_ne!(error.kind(), ErrorKind::Closed, "{error}"),
            }
        }
    };
    assert_eq!(gap(&mut orders).await, Delivery::Gap);
    assert_eq!(gap(&mut expired).await, Delivery::Gap);
    client.transaction((set("{k}1", "v"), set("{k}2", "v"))).await.unwrap();
    assert_eq!(west.command(&["DBSIZE"]).unwrap(), "2");
    west.command(&["SPUBLISH", "o:2", "paid"]).unwrap();
    assert_eq!(orders.next_message().await.unwrap().unwrap().channel, "o:2");

    // What is under way when it resumes is nobody's any more.
    east.resume().unwrap();
    // It may take its time to answer again.
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = multi.set_active("east").await {
        assert!(Instant::now() < deadline, "{error}");
    }
    let values: Vec<Option<String>> = client.mget(["a", "b"]).await.unwrap();
    assert_eq!(values, [some("east"), some("east")]);
    multi.set_active("single").await.unwrap();
    client.pipeline((set("a", "single"), set("b", "single"))).await.unwrap();
    assert_eq!(single.command(&["DBSIZE"]).unwrap(), "2");
}

#[test]
fn blocking_clients_switch_too() {
    let (mut east, west, builder) = two();
    let client = builder.connect_blocking().unwrap();
    assert!(client.is_blocking());
    let multi = multi(&client);
    let mut switches = multi.switches();
    client.set("k", "v").run().unwrap();
    let (k, n) = client.pipeline((get::<String>("k"), incr("n"))).run().unwrap();
    assert_eq!((k.as_str(), n), ("v", 1));
    let mut news = client.subscribe(["news"]).run().unwrap();
    east.stop().unwrap();
    assert_eq!(client.get::<Option<String>>("k").run().unwrap(), None);
    let switch = switches.iter().next().unwrap().unwrap();
    assert_eq!((switch.to.as_deref(), switch.reason), (Some("west"), SwitchReason::Failed));
    client.incr("n").run().unwrap();
    assert_eq!(west.command(&["GET", "n"]).unwrap(), "1");
    let gap = news.iter().find_map(|delivery| delivery.ok()).unwrap();
    assert_eq!(gap, Delivery::Gap);
    client.publish("news", "here").run().unwrap();
    assert!(matches!(news.iter().next(), Some(Ok(Delivery::Message(_)))));

    east.restart().unwrap();
    multi.set_active("east").run().unwrap();
    client.incr("n").run().unwrap();
    assert_eq!(east.command(&["GET", "n"]).unwrap(), "1");
    multi.remove("west").run().unwrap();
    let close = async {
        client.close().await;
        Ok(())
    };
    close.run().unwrap();
    assert_eq!(client.ping().run().unwrap_err().kind(), ErrorKind::Closed);
}
