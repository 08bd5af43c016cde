//! What fails late leaves nothing behind: no half of a write, and no event of one that was not done.

use alizarin::events::Changes;
use alizarin::model::Json;
use alizarin::prelude::*;
use alizarin::{ServerCode, Value};
use alizarin_testkit::Server;

use crate::common::{connect, everywhere, namespace, on, soon};

/// The id of the document that the next event is about.
async fn next<M: RedisModel>(changes: &mut Changes<M>) -> M::Id {
    let change = soon("a change comes", changes.next()).await.unwrap().unwrap();
    change.id().unwrap().clone()
}

/// A client that may do all but `refused`.
async fn without(server: &Server, refused: &str, protocol: u8) -> Client {
    let rule = format!("-{refused}");
    let words = ["ACL", "SETUSER", "ann", "reset", "on", ">secret", "~*", "&*", "+@all", &rule];
    server.command(&words).unwrap();
    let url = server.url().replacen("redis://", "redis://ann:secret@", 1);
    Client::connect(format!("{url}?protocol={protocol}").as_str()).await.unwrap()
}

crate::each_storage! {
    async fn a_command_that_is_refused_is_refused_before_the_first_write() {
        let server = Server::builder().private().start().unwrap();
        let write = if STORAGE == "hash" { "hset" } else { "json.set" };
        for (protocol, refused) in [(2, "pexpire"), (3, "pexpire"), (3, "publish"), (3, write)] {
            let all: Repository<Alert> = on(&server, protocol).await;
            all.save(&alert("a", "x")).await.unwrap();
            let mut changes = all.changes().await.unwrap();
            let few: Repository<Alert> = without(&server, refused, protocol).await.repository();
            let few = few.with_namespace(all.namespace());
            let minute = std::time::Duration::from_secs(60);
            let error = few.save(&alert("a", "y")).ttl(minute).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Server(ServerCode::NoPerm), "{error}");
            let words = error.message().to_lowercase();
            assert!(words.contains(refused) && words.contains(&all.key(&"a".into())), "{error}");
            few.insert(&alert("b", "y")).ttl(minute).await.unwrap_err();
            let stored = all.get(&"a".into()).await.unwrap();
            assert_eq!(stored, Some(Alert { version: 1, ..alert("a", "x") }));
            assert!(!all.exists(&"b".into()).await.unwrap());
            all.save(&alert("end", "x")).await.unwrap();
            assert_eq!(next(&mut changes).await, "end", "{refused}");
        }
    }

    async fn a_delete_that_is_refused_is_not_told() {
        let server = Server::builder().private().start().unwrap();
        for (protocol, refused) in [(2, "del"), (3, "del"), (3, "publish")] {
            let all: Repository<Alert> = on(&server, protocol).await;
            all.save(&alert("a", "x")).await.unwrap();
            let mut changes = all.changes().await.unwrap();
            let few: Repository<Alert> = without(&server, refused, protocol).await.repository();
            let few = few.with_namespace(all.namespace());
            let error = few.delete(&"a".into()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Server(ServerCode::NoPerm), "{error}");
            assert!(error.message().contains(&all.key(&"a".into())), "{error}");
            assert!(all.exists(&"a".into()).await.unwrap());
            all.save(&alert("end", "x")).await.unwrap();
            assert_eq!(next(&mut changes).await, "end");
        }
    }

    async fn a_server_without_the_module_tells_of_no_save() {
        let server = Server::builder().modules(false).private().start().unwrap();
        let alerts: Repository<Alert> = on(&server, 3).await;
        let mut changes = alerts.changes().await.unwrap();
        let saved = alerts.save(&alert("a", "x")).await;
        assert_eq!(saved.is_ok(), STORAGE == "hash");
        if let Err(error) = saved {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
            assert!(error.message().contains("RedisJSON"), "{error}");
        }
        let heard = format!("{}alizarin:changes:alert", alerts.namespace());
        let event = r#"{"op":"saved","id":"end"}"#;
        let _: u64 = alerts.client().command("PUBLISH").arg((heard, event)).await.unwrap();
        let first = if STORAGE == "hash" { "a" } else { "end" };
        assert_eq!(next(&mut changes).await, first);
    }
}

/// A document with room for anything.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "box", events)]
struct Anything {
    #[redis(id)]
    id: u32,
    note: Option<String>,
    count: u32,
    inside: Json<Vec<serde_json::Value>>,
}

/// Lists in lists, deeper than the server takes.
fn deep() -> Json<Vec<serde_json::Value>> {
    let mut value = serde_json::Value::Null;
    for _ in 0..200 {
        value = serde_json::Value::Array(vec![value]);
    }
    Json(vec![value])
}

#[tokio::test]
async fn a_document_that_the_module_refuses_is_not_told() {
    everywhere(async |boxes: Repository<Anything>| {
        let mut changes = boxes.changes().await.unwrap();
        let good = |id| Anything { id, note: Some("n".into()), count: 1, inside: Json(vec![]) };
        boxes.save(&good(1)).await.unwrap();
        assert_eq!(next(&mut changes).await, 1);
        boxes.save(&Anything { inside: deep(), ..good(1) }).await.unwrap_err();
        boxes.save(&Anything { inside: deep(), ..good(2) }).await.unwrap_err();
        boxes.update(&1, |item| item.inside = deep()).await.unwrap_err();
        let outcome =
            boxes.set(&1, |m| (m.note.clear(), m.count.to(2), m.inside.to_value(deep()))).await;
        outcome.unwrap_err();
        assert_eq!(boxes.get(&1).await.unwrap(), Some(good(1)));
        assert!(!boxes.exists(&2).await.unwrap());
        boxes.set(&1, |m| (m.note.clear(), m.count.to(2))).await.unwrap();
        let Change::Saved { fields, .. } =
            soon("a change comes", changes.next()).await.unwrap().unwrap()
        else {
            panic!("no save")
        };
        assert_eq!(fields, ["note", "count"]);
        assert_eq!(
            boxes.get(&1).await.unwrap(),
            Some(Anything { note: None, count: 2, ..good(1) })
        );
    })
    .await;
}

#[tokio::test]
async fn a_document_that_is_no_object_is_not_set() {
    let server = Server::shared().unwrap();
    let client = connect(server, 3).await;
    let boxes: Repository<Anything> = client.repository().with_namespace(namespace(server));
    let mut changes = boxes.changes().await.unwrap();
    let key = boxes.key(&1);
    let _: Value = client.command("JSON.SET").arg((&key, "$", "[1]")).await.unwrap();
    let error = boxes.set(&1, |m| m.count.to(2)).await.unwrap_err();
    assert!(error.message().contains(&key), "{error}");
    let stored: String = client.command("JSON.GET").arg(&key).await.unwrap();
    assert_eq!(stored, "[1]");
    let good = Anything { id: 2, note: None, count: 1, inside: Json(vec![]) };
    boxes.save(&good).await.unwrap();
    assert_eq!(next(&mut changes).await, 2);
}
