//! On a cluster all keys are in one slot, and others are refused before they are sent.

use alizarin::commands::{incr, set};
use alizarin::prelude::*;
use alizarin::{Command, Sent, ServerCode};

use super::{beside, commit, in_one_slot, refused, stored};
use crate::common::on_cluster;
use crate::unique::models;

const CROSS_SLOT: ErrorKind = ErrorKind::Server(ServerCode::CrossSlot);

crate::each_storage! {
    async fn keys_of_several_slots_are_refused_before_they_are_sent() {
        let drafts: Repository<Draft> = on_cluster().await;
        let (client, namespace) = (drafts.client(), drafts.namespace());
        let (a, b) = (format!("{namespace}a"), format!("{namespace}b"));
        for case in 0..5 {
            let mut tx = client.begin();
            let names = match case {
                0 => {
                    tx.push(drafts.save(&draft(1, "one")));
                    tx.push(drafts.save(&draft(2, "two")));
                    [drafts.key(&1), drafts.key(&2)]
                }
                1 => {
                    tx.push(incr(&a));
                    tx.push(drafts.delete(&1));
                    [a.clone(), drafts.key(&1)]
                }
                2 => {
                    tx.push(incr(&a));
                    tx.push(incr(&b));
                    [a.clone(), b.clone()]
                }
                3 => {
                    tx.push(incr(&a));
                    tx.push(Command::<()>::new("MSET").key(&a).arg(1).key(&b).arg(2));
                    [a.clone(), b.clone()]
                }
                _ => {
                    tx.get(&drafts, &1).await.unwrap();
                    tx.watch(&a).await.unwrap();
                    [drafts.key(&1), a.clone()]
                }
            };
            let (error, _) = refused(tx, 2).await;
            assert_eq!((error.kind(), error.sent()), (CROSS_SLOT, Sent::No), "{case}: {error}");
            assert!(names.iter().all(|name| error.message().contains(name)), "{error}");
        }
        assert!(!drafts.exists(&1).await.unwrap() && !drafts.exists(&2).await.unwrap());
        // One command alone may concern several, but not as a part of it.
        let mut tx = client.begin();
        tx.push(Command::<()>::new("MSET").key(&a).arg(1).key(&b).arg(2));
        let (error, _) = refused(tx, 1).await;
        assert_eq!((error.kind(), error.sent()), (CROSS_SLOT, Sent::No), "{error}");
        // What concerns all nodes is no part of it.
        let mut tx = client.begin();
        tx.push(incr(&a));
        tx.push(Command::<u64>::new("DBSIZE"));
        let (error, _) = refused(tx, 2).await;
        assert_eq!((error.kind(), error.sent()), (ErrorKind::Usage, Sent::No), "{error}");
        // Without a key it belongs nowhere.
        let mut tx = client.begin();
        tx.push(Command::<()>::new("PING"));
        assert_eq!(tx.commit().await.unwrap_err().kind(), CROSS_SLOT);
    }

    async fn keys_that_the_client_does_not_know_are_found_by_the_server() {
        let drafts: Repository<Draft> = in_one_slot(&on_cluster().await);
        let (client, namespace) = (drafts.client(), drafts.namespace());
        let (near, far) = (format!("{namespace}near"), format!("{}far", namespace.replace('{', "")));
        drafts.save(&draft(1, "before")).await.unwrap();
        let keys = [drafts.key(&1), near.clone(), far.clone()];
        let before = stored(client, &keys).await;
        let mut tx = client.begin();
        tx.push(drafts.save(&draft(1, "late")));
        tx.push(incr(&near));
        tx.push(Command::<u64>::new("RPOPLPUSH").key(&near).arg(&far));
        let (error, step) = refused(tx, 3).await;
        assert_eq!((error.kind(), step.name.as_str()), (CROSS_SLOT, "RPOPLPUSH"), "{error}");
        assert!(error.message().contains(&far) && error.message().contains(&keys[0]), "{error}");
        assert_eq!(stored(client, &keys).await, before);
        // In the right slot they need not be told.
        let mut tx = client.begin();
        tx.push(drafts.save(&draft(1, "after")));
        tx.push(set(&near, 3));
        let next = tx.push(Command::<u64>::new("INCR").arg(&near));
        let told = tx.push(Command::<u64>::new("PUBLISH").arg(("channel", "message")));
        let done = commit(tx).await;
        assert_eq!((done.get(next).unwrap(), done.get(told).unwrap()), (4, 0));
    }
}

macro_rules! in_storage {
    ($storage:ident) => {
        #[tokio::test]
        async fn $storage() {
            use models::$storage::*;
            let users: Repository<User> = on_cluster().await;
            let mut tx = users.client().begin();
            tx.push(users.insert(&user(1, "a@x")));
            let (error, _) = refused(tx, 1).await;
            assert_eq!((error.kind(), error.sent()), (ErrorKind::Usage, Sent::No), "{error}");
            assert!(error.message().contains("hash tag"), "{error}");
            // With one they lie beside the documents.
            let users = in_one_slot(&users);
            let badges: Repository<Badge> = beside(&users);
            let mut tx = users.client().begin();
            tx.push(users.insert(&user(1, "a@x")));
            tx.push(badges.insert(&Badge { id: 1, code: crate::unique::code("x") }));
            commit(tx).await;
            assert!(users.unique().check().await.unwrap().is_sound());
            assert!(badges.unique().check().await.unwrap().is_sound());
        }
    };
}

/// Reservations of unique fields in other slots are no part of a transaction.
mod unique_fields {
    use super::*;

    in_storage!(hash);
    in_storage!(json);
}
