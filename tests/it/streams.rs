//! Streams of typed entries and the groups that share them out.

use std::time::Duration;

use alizarin::blocking::Run as _;
use alizarin::prelude::*;
use alizarin::streams::{Stream, StreamId, StreamSource as _};
use alizarin::{ServerCode, Value};
use alizarin_testkit::{Cluster, Server, unique};

use crate::common::{connect, soon};

#[derive(Debug, Clone, PartialEq, RedisNested)]
struct Order {
    customer: String,
    cents: i64,
    note: Option<String>,
    tags: Vec<String>,
}

fn order(cents: i64) -> Order {
    let note = (cents % 2 == 0).then(|| "a\r\nb".to_owned());
    Order { customer: "Ann".into(), cents, note, tags: vec!["x".into(), "y z".into()] }
}

/// On RESP2, RESP3 and a cluster.
async fn everywhere(test: impl AsyncFn(Stream<Order>)) {
    let server = Server::shared().unwrap();
    for protocol in [2, 3] {
        let key = format!("{}{}", server.namespace(), unique("orders"));
        test(connect(server, protocol).await.stream(key)).await;
    }
    let cluster = Client::connect(Cluster::shared().unwrap().url().as_str()).await.unwrap();
    test(cluster.stream(unique("orders"))).await;
}

async fn cents(entries: Vec<alizarin::streams::Entry<Order>>) -> Vec<i64> {
    entries.into_iter().map(|entry| entry.value.unwrap().cents).collect()
}

#[tokio::test]
async fn entries_come_back_as_they_were_added_and_in_order() {
    everywhere(async |orders| {
        assert!(orders.is_empty().await.unwrap());
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(orders.add(&order(number)).await.unwrap());
        }
        assert!(ids.is_sorted());
        let all = orders.range().await.unwrap();
        for (number, entry) in all.into_iter().enumerate() {
            assert_eq!(entry.id, ids[number]);
            assert_eq!(entry.value.unwrap(), order(i64::try_from(number).unwrap()));
        }
        let some = orders.range().after(ids[0]).until(ids[3]).limit(2).await.unwrap();
        assert_eq!(cents(some).await, [1, 2]);
        let some = orders.range().newest_first().from(ids[1]).limit(2).await.unwrap();
        assert_eq!(cents(some).await, [4, 3]);
        assert_eq!(orders.delete([ids[0], StreamId::new(1, 1)]).await.unwrap(), 1);
        assert_eq!(orders.trim(2).await.unwrap(), 2);
        orders.add(&order(9)).max_len_exact(2).await.unwrap();
        assert_eq!(cents(orders.range().await.unwrap()).await, [4, 9]);
        assert_eq!(orders.len().await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_reader_waits_for_the_next_entry() {
    everywhere(async |orders| {
        let last = orders.add(&order(1)).await.unwrap();
        let none = orders.read_after(last).block(Duration::from_millis(1)).await.unwrap();
        assert!(none.is_empty());
        let waiting = orders.clone();
        let read =
            tokio::spawn(
                async move { waiting.read_after(last).block(Duration::from_secs(10)).await },
            );
        // Whether it waits already or not yet: it gets what comes after `last`.
        orders.add(&order(2)).await.unwrap();
        let entries = soon("an entry", read).await.unwrap().unwrap();
        assert_eq!(cents(entries).await, [2]);
    })
    .await;
}

#[tokio::test]
async fn a_group_shares_entries_out_and_keeps_them_until_they_are_acknowledged() {
    everywhere(async |orders| {
        let billing = orders.group("billing");
        let error = billing.consumer("one").read().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        orders.add(&order(0)).await.unwrap();
        assert!(billing.create().from_start().await.unwrap());
        assert!(!billing.create().await.unwrap());
        for number in 1..4 {
            orders.add(&order(number)).await.unwrap();
        }
        let (one, two) = (billing.consumer("one"), billing.consumer("two"));
        let first = one.read().limit(3).await.unwrap();
        let ids: Vec<StreamId> = first.iter().map(|entry| entry.id).collect();
        assert_eq!(cents(first).await, [0, 1, 2]);
        let rest = two.read().block(Duration::from_secs(10)).await.unwrap();
        assert_eq!(cents(rest).await, [3]);
        assert!(two.read().block(Duration::from_millis(1)).await.unwrap().is_empty());
        assert_eq!(billing.ack([ids[0]]).await.unwrap(), 1);
        assert_eq!(billing.ack([ids[0]]).await.unwrap(), 0);
        assert_eq!(billing.pending().await.unwrap(), 3);
        // After a restart it finds what was with it.
        assert_eq!(cents(one.pending().await.unwrap()).await, [1, 2]);
        assert_eq!(cents(one.pending().after(ids[1]).await.unwrap()).await, [2]);
        // What is deleted meanwhile is told, and stops nothing.
        orders.delete([ids[1]]).await.unwrap();
        let pending = one.pending().await.unwrap();
        let gone = pending[0].value.as_ref().unwrap_err();
        assert_eq!((pending[0].id, gone.kind()), (ids[1], ErrorKind::NotFound));
        assert_eq!(pending[1].value.as_ref().unwrap().cents, 2);
        assert!(billing.destroy().await.unwrap());
        assert!(!billing.destroy().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_a_lost_consumer_had_is_taken_over() {
    everywhere(async |orders| {
        let billing = orders.group("billing");
        billing.create().await.unwrap();
        for number in 0..5 {
            orders.add(&order(number)).await.unwrap();
        }
        let had = billing.consumer("lost").read().await.unwrap();
        orders.delete([had[0].id]).await.unwrap();
        let heir = billing.consumer("heir");
        let none = heir.claim(Duration::from_secs(3_600)).await.unwrap();
        assert!(none.entries.is_empty() && none.next.is_none());
        assert_eq!(none.deleted, [had[0].id]);
        let claimed = heir.claim(Duration::ZERO).limit(3).await.unwrap();
        let rest = heir.claim(Duration::ZERO).from(claimed.next.unwrap()).await.unwrap();
        assert!(rest.next.is_none());
        let mut all = cents(claimed.entries).await;
        all.extend(cents(rest.entries).await);
        assert_eq!(all, [1, 2, 3, 4]);
        assert_eq!(heir.pending().await.unwrap().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_told_and_stops_nothing_else() {
    everywhere(async |orders| {
        let by_hand = ["*", "customer", "Bob", "cents", "many"];
        let _: String =
            orders.client().command("XADD").key(orders.key()).arg(by_hand).await.unwrap();
        orders.add(&order(1)).await.unwrap();
        let all = orders.range().await.unwrap();
        let error = all[0].value.as_ref().unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("cents")), "{error}");
        assert!(error.message().contains(&all[0].id.to_string()), "{error}");
        assert_eq!(all[1].value.as_ref().unwrap(), &order(1));

        let last = all[1].id;
        let error = orders.add(&order(2)).id(last).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        let other = orders.client().stream::<Order>(format!("{{{}}}other", orders.key()));
        let error = other.add(&order(2)).existing().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        let _: Value = orders.client().command("SET").key(other.key()).arg("x").await.unwrap();
        let error = other.add(&order(2)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Server(ServerCode::WrongType), "{error}");
    })
    .await;
}

#[test]
fn streams_need_no_runtime() {
    let server = Server::shared().unwrap();
    let client = alizarin::blocking::Client::connect(server.url().as_str()).unwrap();
    let orders = client.stream::<Order>(format!("{}{}", server.namespace(), unique("orders")));
    let billing = orders.group("billing");
    assert!(billing.create().run().unwrap());
    let id = orders.add(&order(1)).run().unwrap();
    let read = billing.consumer("one").read().block(Duration::from_secs(5)).run().unwrap();
    assert_eq!(read[0].id, id);
    assert_eq!(billing.ack([id]).run().unwrap(), 1);
}
