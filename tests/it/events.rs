//! Following changes.

use std::time::Duration;

use alizarin::events::Changes;
use alizarin::prelude::*;
use alizarin_testkit::Server;

use crate::common::{eventually, everywhere, namespace, on, soon};

/// The next change, which must come.
async fn next<M: RedisModel>(changes: &mut Changes<M>) -> Change<M> {
    soon("a change comes", changes.next()).await.unwrap().unwrap()
}

/// An id that can be spelt in several ways, and writes one.
#[cfg(feature = "uuid")]
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "ticket", events)]
struct Ticket {
    #[redis(id)]
    id: uuid::Uuid,
}

#[cfg(feature = "uuid")]
#[tokio::test]
async fn the_end_of_a_key_that_no_id_writes_is_not_told() {
    let server = Server::builder().private().start().unwrap();
    server.command(&["CONFIG", "SET", "notify-keyspace-events", "Ex"]).unwrap();
    for protocol in [2, 3] {
        let tickets: Repository<Ticket> = on(&server, protocol).await;
        let mut changes = tickets.changes().expired().await.unwrap();
        let id = uuid::Uuid::from_u128(0xABCD);
        let text = id.to_string();
        let others = [
            text.to_uppercase(),
            id.simple().to_string(),
            id.urn().to_string(),
            id.braced().to_string(),
        ];
        for other in others {
            let key = format!("{}ticket:{other}", tickets.namespace());
            server.command(&["SET", &key, "x", "PX", "1"]).unwrap();
            let gone = async || server.command(&["EXISTS", &key]).unwrap() == "0";
            eventually("the key ends", gone).await;
        }
        tickets.save(&Ticket { id }).ttl(Duration::from_millis(20)).await.unwrap();
        assert_eq!(next(&mut changes).await.id(), Some(&id));
        assert_eq!(next(&mut changes).await, Change::Expired { id });
        // The only one that ended: what came before would have been told before.
        assert!(tickets.scan_ids().next().await.is_none());
    }
}

crate::each_storage! {
    async fn each_write_is_told_in_its_order() {
        everywhere(async |alerts: Repository<Alert>| {
            let mut changes = alerts.changes().await.unwrap();
            let id = "a \"quoted\" ü:1".to_owned();
            alerts.save(&alert(&id, "x")).await.unwrap();
            alerts.set(&id, |m| (m.text.to("y"), m.label.clear())).await.unwrap();
            alerts.update(&id, |alert| alert.text.push('z')).await.unwrap();
            alerts.locked(&id, async |alert| { alert.text.push('z'); Ok(()) }).await.unwrap();
            alerts.replace(&alert(&id, "x")).await.unwrap();
            assert!(alerts.delete(&id).await.unwrap());
            alerts.insert(&alert(&id, "x")).await.unwrap();
            alerts.save_all(&[alert("b", "x")]).await.unwrap();

            let saved = |id: &str, version, fields: &[&str]| Change::Saved {
                id: id.to_owned(),
                version: Some(version),
                fields: fields.iter().map(|&field| field.to_owned()).collect(),
            };
            let mut told = Vec::new();
            for _ in 0..8 {
                told.push(next(&mut changes).await);
            }
            if alerts.client().is_cluster() {
                // Documents on several nodes have no common order; each has its own.
                told.sort_by_key(|change| change.id().is_some_and(|id| id == "b"));
            }
            let mut expected = vec![saved(&id, 1, &[]), saved(&id, 2, &["text", "label"])];
            expected.extend((3..=5).map(|version| saved(&id, version, &[])));
            expected.extend([
                Change::Deleted { id: id.clone() },
                saved(&id, 1, &[]),
                saved("b", 1, &[]),
            ]);
            assert_eq!(told, expected);
        })
        .await;
    }

    async fn what_is_not_written_is_not_told() {
        everywhere(async |alerts: Repository<Alert>| {
            alerts.save(&alert("a", "x")).await.unwrap();
            let mut changes = alerts.changes().await.unwrap();
            let id = "a".to_owned();
            alerts.insert(&alert("a", "y")).await.unwrap_err();
            alerts.replace(&alert("b", "y")).await.unwrap_err();
            alerts.save(&alert("a", "y")).if_version(9).await.unwrap_err();
            alerts.set(&"b".to_owned(), |m| m.text.to("y")).await.unwrap_err();
            alerts.delete(&id).if_version(9).await.unwrap_err();
            assert!(!alerts.delete(&"b".to_owned()).await.unwrap());
            let no = |_: &mut Alert| Err(Error::new(ErrorKind::Value, "no"));
            alerts.update(&id, no).await.unwrap_err();
            // Somebody else's namespace has a channel of its own.
            let other = alerts.with_namespace(format!("{}x:", alerts.namespace()));
            other.save(&alert("c", "x")).await.unwrap();
            alerts.save(&alert("end", "x")).await.unwrap();
            let mut told = next(&mut changes).await;
            let earlier = Change::Saved { id, version: Some(1), fields: Vec::new() };
            if alerts.client().is_cluster() && told == earlier {
                // It was on its way from one node to another when the subscription began.
                told = next(&mut changes).await;
            }
            assert_eq!(told.id().unwrap(), "end");
        })
        .await;
    }

    async fn the_document_is_there_when_its_event_comes() {
        everywhere(async |alerts: Repository<Alert>| {
            let mut changes = alerts.changes().await.unwrap();
            for number in 0..100 {
                alerts.save(&alert("a", &number.to_string())).await.unwrap();
                let Change::Saved { version, .. } = next(&mut changes).await else { panic!() };
                let stored = alerts.get(&"a".to_owned()).await.unwrap().unwrap();
                assert_eq!((Some(stored.version), stored.text), (version, number.to_string()));
            }
        })
        .await;
    }

    async fn a_lost_connection_is_a_gap() {
        let server = Server::builder().private().start().unwrap();
        for protocol in [2, 3] {
            let alerts: Repository<Alert> = on(&server, protocol).await;
            let mut changes = alerts.changes().await.unwrap();
            alerts.save(&alert("before", "x")).await.unwrap();
            assert_eq!(next(&mut changes).await.id().unwrap(), "before");
            assert_eq!(server.command(&["CLIENT", "KILL", "TYPE", "pubsub"]).unwrap(), "1");
            assert_eq!(next(&mut changes).await, Change::Gap);
            alerts.save(&alert("after", "x")).await.unwrap();
            assert_eq!(next(&mut changes).await.id().unwrap(), "after");
        }
    }

    async fn a_model_without_events_is_not_followed() {
        everywhere(async |notes: Repository<Note>| {
            let error = notes.changes().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains("events"), "{error}");
        })
        .await;
    }

    async fn expiry_is_told_where_the_server_tells_of_it() {
        let server = Server::builder().private().start().unwrap();
        for protocol in [2, 3] {
            server.command(&["CONFIG", "SET", "notify-keyspace-events", ""]).unwrap();
            let alerts: Repository<Alert> = on(&server, protocol).await;
            let error = alerts.changes().expired().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains("CONFIG SET notify-keyspace-events Ex"), "{error}");
            for flags in ["Ex", "KEA", "Kx", "KA"] {
                server.command(&["CONFIG", "SET", "notify-keyspace-events", flags]).unwrap();
                let alerts = alerts.with_namespace(namespace(&server));
                let mut changes = alerts.changes().expired().await.unwrap();
                // Keys of others end too.
                server.command(&["SET", "stranger", "x", "PX", "1"]).unwrap();
                alerts.save(&alert("a", "x")).ttl(Duration::from_millis(20)).await.unwrap();
                assert_eq!(next(&mut changes).await.id().unwrap(), "a");
                assert_eq!(next(&mut changes).await, Change::Expired { id: "a".to_owned() });
            }
        }
    }

    async fn a_server_that_keeps_its_settings_to_itself_is_named_or_trusted() {
        let server = Server::builder().private().start().unwrap();
        server.command(&["CONFIG", "SET", "notify-keyspace-events", "Ex"]).unwrap();
        let rules = ["on", ">secret", "~*", "&*", "+@all", "-config"];
        server.command(&[&["ACL", "SETUSER", "ann"], &rules[..]].concat()).unwrap();
        let url = server.url().replacen("redis://", "redis://ann:secret@", 1);
        let client = Client::connect(url.as_str()).await.unwrap();
        let alerts: Repository<Alert> = client.repository().with_namespace(namespace(&server));
        let error = alerts.changes().expired().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.message().contains("CONFIG GET"), "{error}");
        let mut changes = alerts.changes().expired_unchecked().await.unwrap();
        alerts.save(&alert("a", "x")).ttl(Duration::from_millis(20)).await.unwrap();
        assert_eq!(next(&mut changes).await.id().unwrap(), "a");
        assert_eq!(next(&mut changes).await, Change::Expired { id: "a".to_owned() });
    }

    async fn messages_that_are_no_events_do_not_end_the_stream() {
        everywhere(async |alerts: Repository<Alert>| {
            let mut changes = alerts.changes().await.unwrap();
            let channel = format!("{}alizarin:changes:alert", alerts.namespace());
            for message in ["hello", r#"{"op":"moved","id":"a"}"#] {
                let heard: u64 =
                    alerts.client().command("PUBLISH").arg((&channel, message)).await.unwrap();
                // On a cluster it counts those on the node that was asked.
                assert!(heard == 1 || alerts.client().is_cluster());
            }
            alerts.save(&alert("a", "x")).await.unwrap();
            let (mut told, mut saved) = (false, false);
            while !(told && saved) {
                match soon("an event or an error comes", changes.next()).await.unwrap() {
                    Ok(change) => {
                        // A cluster's nodes pass on what was published: nobody says in which order.
                        assert!(told || alerts.client().is_cluster());
                        assert_eq!(change.id().unwrap(), "a");
                        saved = true;
                    }
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::Decode);
                        told = true;
                    }
                }
            }
        })
        .await;
    }
}
