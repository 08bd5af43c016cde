//! A member that is refused stops them all, and says what it says alone.

use alizarin::commands::incr;
use alizarin::model::Json;
use alizarin::prelude::*;
use alizarin::{FailedStep, ServerCode, Versions};
use alizarin_testkit::Server;

use super::{beside, commit, in_one_slot, refused, stored};
use crate::common::{connect, everywhere, namespace, on, somebody, spoil};

crate::each_storage! {
    async fn a_refused_member_leaves_every_document_as_it_was() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let (alerts, visits) = (beside::<_, Alert>(&drafts), beside::<_, Visit>(&drafts));
            let (client, namespace) = (drafts.client(), drafts.namespace());
            let counter = format!("{namespace}counter");
            for id in [1, 2, 3] {
                drafts.save(&draft(id, "before")).await.unwrap();
            }
            drafts.set(&2, |d| (d.text.to("before"), d.count.to(u64::MAX))).await.unwrap();
            alerts.save(&alert("a", "before")).await.unwrap();
            visits.save(&visit(1, "before")).await.unwrap();
            spoil(&drafts, &7).await;
            let mut keys: Vec<String> =
                [1, 2, 3, 7, 8, 9].iter().map(|id| drafts.key(id)).collect();
            keys.extend([alerts.key(&"a".to_owned()), visits.key(&1), counter.clone()]);
            let before = stored(client, &keys).await;

            type Add<'a> = Box<dyn Fn(&mut alizarin::repository::Transaction) + 'a>;
            let (one, seven, nine) = (draft(1, "late"), draft(7, "late"), draft(9, "late"));
            let (first, visit) = (visit(1, "after"), alert("a", "after"));
            let cases: Vec<(&str, u32, ErrorKind, Add<'_>)> = vec![
                ("insert", 2, ErrorKind::Exists, Box::new(|tx| {
                    tx.push(drafts.insert(&draft(2, "late")));
                })),
                ("replace", 9, ErrorKind::NotFound, Box::new(|tx| {
                    tx.push(drafts.replace(&nine));
                })),
                ("set", 9, ErrorKind::NotFound, Box::new(|tx| {
                    tx.push(drafts.set(&9, |d| d.count.add(1)));
                })),
                ("set", 9, ErrorKind::NotFound, Box::new(|tx| {
                    // Nothing to write, only to check.
                    tx.push(drafts.set(&9, |_| ()));
                })),
                ("save", 1, ErrorKind::Conflict, Box::new(|tx| {
                    tx.push(drafts.save(&one).if_version(7));
                })),
                ("set", 1, ErrorKind::Conflict, Box::new(|tx| {
                    tx.push(drafts.set(&1, |d| d.count.to(1)).if_version(7));
                })),
                ("delete", 1, ErrorKind::Conflict, Box::new(|tx| {
                    tx.push(drafts.delete(&1).if_version(7));
                })),
                ("delete", 9, ErrorKind::NotFound, Box::new(|tx| {
                    tx.push(drafts.delete(&9).if_version(7));
                })),
                ("set", 2, ErrorKind::Value, Box::new(|tx| {
                    tx.push(drafts.set(&2, |d| d.count.add(1)));
                })),
                ("save", 7, ErrorKind::Server(ServerCode::WrongType), Box::new(|tx| {
                    tx.push(drafts.save(&seven));
                })),
                ("delete", 7, ErrorKind::Server(ServerCode::WrongType), Box::new(|tx| {
                    tx.push(drafts.delete(&7));
                })),
                ("upsert", 2, ErrorKind::Value, Box::new(|tx| {
                    tx.push(drafts.upsert(&draft(2, "late"), |d| d.count.add(1)));
                })),
            ];
            for (name, id, kind, add) in &cases {
                // Whatever the order.
                for number in [1, 5] {
                    let mut tx = client.begin();
                    if number == 1 {
                        add(&mut tx);
                    }
                    tx.push(drafts.save(&draft(3, "after")));
                    tx.push(incr(&counter));
                    tx.push(visits.save(&first));
                    tx.push(alerts.save(&visit));
                    if number == 5 {
                        add(&mut tx);
                    }
                    tx.push(drafts.delete(&8));
                    let (error, step) = refused(tx, number).await;
                    assert_eq!(error.kind(), *kind, "{name} {id}: {error}");
                    let FailedStep { name: which, model, key, .. } = step;
                    assert_eq!(
                        (which.as_str(), model.as_deref(), key),
                        (*name, Some("Draft"), Some(drafts.key(id))),
                        "{error}"
                    );
                    if *kind == ErrorKind::Conflict {
                        let versions = Versions { expected: 7, stored: Some(1) };
                        assert_eq!(error.versions(), Some(versions));
                    }
                    if *kind == ErrorKind::Value {
                        assert_eq!(error.field(), Some("count"));
                    }
                    assert_eq!(stored(client, &keys).await, before, "{name} {id}");
                }
            }
        })
        .await;
    }

    async fn a_lock_that_is_lost_stops_them_all() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let client = drafts.client();
            drafts.save(&draft(1, "before")).await.unwrap();
            let lock = drafts.lock(&1).await.unwrap();
            let mut tx = client.begin();
            tx.holding(&lock);
            tx.push(drafts.set(&1, |d| d.text.to("held")));
            commit(tx).await;
            // It is still held.
            assert_eq!(drafts.try_lock(&1).await.unwrap_err().kind(), ErrorKind::Locked);
            somebody(&["DEL", &lock_key(&drafts, 1)]);
            let mut tx = client.begin();
            tx.push(drafts.save(&draft(2, "late")));
            tx.holding(&lock);
            tx.push(drafts.set(&1, |d| d.text.to("late")));
            let (error, step) = refused(tx, 2).await;
            assert_eq!((error.kind(), step.key), (ErrorKind::LockLost, Some(drafts.key(&1))));
            assert_eq!(drafts.get(&1).await.unwrap().map(|draft| draft.text).as_deref(), Some("held"));
            assert!(!drafts.exists(&2).await.unwrap());
        })
        .await;
    }

    async fn a_document_is_written_by_one_step() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let client = drafts.client();
            drafts.save(&draft(1, "before")).await.unwrap();
            let before = stored(client, &[drafts.key(&1)]).await;
            for case in 0..5 {
                let mut tx = client.begin();
                let key = drafts.key(&1);
                match case {
                    0 => {
                        tx.push(drafts.save(&draft(1, "late")));
                        tx.push(drafts.set(&1, |d| d.count.to(1)));
                    }
                    1 => {
                        tx.push(alizarin::Command::<u64>::new("DEL").key(&key));
                        tx.push(drafts.delete(&1));
                    }
                    2 => {
                        tx.push(drafts.delete(&1));
                        tx.push(alizarin::Command::<u64>::new("EXPIRE").key(&key).arg(7));
                    }
                    3 => {
                        // Not said to be a key: the server knows it.
                        tx.push(drafts.delete(&1));
                        tx.push(alizarin::Command::<u64>::new("EXPIRE").arg((&key, 7)));
                    }
                    _ => {
                        tx.push(drafts.delete(&1));
                        let other = format!("{}x", drafts.namespace());
                        tx.push(alizarin::Command::<()>::new("MSET").key(&other).arg((1, &key, 2)));
                    }
                }
                let (error, _) = refused(tx, 2).await;
                assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
                assert!(error.message().contains(&key), "{error}");
                assert_eq!(stored(client, &[key]).await, before);
            }
            // A document that is only checked can be written too.
            let mut tx = client.begin();
            tx.get(&drafts, &1).await.unwrap();
            tx.push(drafts.save(&draft(1, "late")));
            commit(tx).await;
        })
        .await;
    }

    async fn a_user_who_may_not_do_one_thing_does_nothing() {
        let server = Server::builder().private().start().unwrap();
        let all = connect(&server, 3).await;
        let drafts: Repository<Draft> = all.repository().with_namespace(namespace(&server));
        let (users, prefix) = (drafts.clone(), drafts.namespace().to_owned());
        users.save(&draft(1, "before")).await.unwrap();
        let rules = ["ACL", "SETUSER", "ann", "reset", "on", ">secret", "~*", "&*", "+@all", "-lpush",
            "-publish"];
        server.command(&rules).unwrap();
        let url = server.url().replacen("redis://", "redis://ann:secret@", 1);
        let client = Client::connect(url.as_str()).await.unwrap();
        let (drafts, alerts): (Repository<Draft>, Repository<Alert>) =
            (client.repository().with_namespace(&*prefix), client.repository().with_namespace(&*prefix));
        let mut tx = client.begin();
        tx.push(drafts.set(&1, |d| d.text.to("late")));
        tx.push(alizarin::Command::<u64>::new("LPUSH").key(format!("{prefix}list")).arg("x"));
        let (error, step) = refused(tx, 2).await;
        assert_eq!(error.kind(), ErrorKind::Server(ServerCode::NoPerm), "{error}");
        assert_eq!(step.name, "LPUSH");
        // One who may not ask about commands can run them.
        server.command(&["ACL", "SETUSER", "ann", "-command"]).unwrap();
        let counter = format!("{prefix}counter");
        let mut tx = client.begin();
        let count = tx.push(incr(&counter));
        assert_eq!(commit(tx).await.get(count).unwrap(), 1);
        let mut tx = client.begin();
        tx.push(incr(&counter));
        tx.push(alizarin::Command::<u64>::new("LPUSH").key(&counter).arg("x"));
        assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::Server(ServerCode::NoPerm));
        let mut tx = client.begin();
        tx.push(drafts.set(&1, |d| d.text.to("late")));
        tx.push(alerts.save(&alert("a", "late")));
        let (error, _) = refused(tx, 2).await;
        assert_eq!(error.kind(), ErrorKind::Server(ServerCode::NoPerm), "{error}");
        assert_eq!(users.get(&1).await.unwrap(), Some(Draft { version: 1, ..draft(1, "before") }));
    }
}

/// Where the lock of a document is, whose key has a hash tag.
fn lock_key<M: RedisModel<Id = u32>>(repository: &Repository<M>, id: u32) -> String {
    format!("{}alizarin:lock:{}", repository.namespace(), repository.key(&id))
}

#[tokio::test]
async fn json_that_is_nested_too_deep_stops_them_all() {
    use crate::common::json::*;

    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(json, prefix = "tree")]
    struct Tree {
        #[redis(id)]
        id: u32,
        text: String,
        branches: Json<serde_json::Value>,
        list: Vec<String>,
    }

    fn tree(id: u32, depth: usize) -> Tree {
        let nest = |inner, _| serde_json::Value::Array(vec![inner]);
        let branches = Json((0..depth).fold(serde_json::Value::Null, nest));
        // Brackets in a text are none.
        Tree { id, text: "[{\"[[".repeat(100), branches, list: vec!["[[".repeat(200)] }
    }

    let server = Server::shared().unwrap();
    for protocol in [2, 3] {
        let trees: Repository<Tree> = on(server, protocol).await;
        let (client, drafts) = (trees.client(), beside::<_, Draft>(&trees));
        // The document itself is a level.
        let mut tx = client.begin();
        tx.push(drafts.save(&draft(1, "fine")));
        tx.push(trees.save(&tree(1, 126)));
        commit(tx).await;
        trees.save(&tree(2, 127)).await.unwrap_err();
        let keys = [drafts.key(&1), trees.key(&1), trees.key(&2)];
        let before = stored(client, &keys).await;
        let mut tx = client.begin();
        tx.push(drafts.save(&draft(1, "late")));
        tx.push(trees.save(&tree(2, 127)));
        let (error, step) = refused(tx, 2).await;
        assert_eq!((error.kind(), step.key), (ErrorKind::Value, Some(trees.key(&2))), "{error}");
        let mut tx = client.begin();
        tx.push(drafts.save(&draft(1, "late")));
        tx.push(trees.set(&1, |t| t.branches.to_value(tree(1, 128).branches)));
        let (error, _) = refused(tx, 2).await;
        assert_eq!(error.kind(), ErrorKind::Value, "{error}");
        assert_eq!(stored(client, &keys).await, before);
    }
}
