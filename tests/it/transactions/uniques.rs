//! Unique values in transactions: checked together, whatever the order.

use alizarin::prelude::*;

use super::{commit, in_one_slot, refused, stored};
use crate::common::everywhere;
use crate::unique::models;

macro_rules! each {
    ($(async fn $name:ident() $body:block)+) => {
        each!(@ hash $($name $body)+);
        each!(@ json $($name $body)+);
    };
    (@ $storage:ident $($name:ident $body:block)+) => {
        mod $storage {
            use super::{*, models::$storage::*};
            $(#[tokio::test] async fn $name() $body)+
        }
    };
}

each! {
    async fn values_are_exchanged_and_passed_on() {
        everywhere(async |users: Repository<User>| {
            let users = in_one_slot(&users);
            let client = users.client();
            users.insert(&user(1, "a@x")).await.unwrap();
            users.insert(&user(2, "b@x")).await.unwrap();
            users.insert(&user(3, "c@x")).await.unwrap();
            // One has the other's, and the other the one's.
            let mut tx = client.begin();
            tx.push(users.set(&1, |u| u.email.to("b@x")));
            tx.push(users.save(&user(2, "a@x")));
            commit(tx).await;
            // One takes what another gives up afterwards, and one what is given up before.
            let mut tx = client.begin();
            tx.push(users.insert(&user(4, "c@x")));
            tx.push(users.delete(&3));
            tx.push(users.set(&1, |u| u.email.clear()));
            tx.push(users.insert(&user(5, "b@x")));
            commit(tx).await;
            for (email, id) in [("a@x", 2), ("b@x", 5), ("c@x", 4)] {
                let found = users.by(|u| u.email, email).await.unwrap();
                assert_eq!(found.map(|user| user.id), Some(id), "{email}");
            }
            let report = users.unique().check().await.unwrap();
            assert!(report.is_sound(), "{report:?}");
            assert_eq!((report.documents, report.reservations), (4, 3), "{report:?}");
        })
        .await;
    }

    async fn a_value_that_is_taken_stops_them_all() {
        everywhere(async |users: Repository<User>| {
            let users = in_one_slot(&users);
            let client = users.client();
            users.insert(&user(1, "a@x")).await.unwrap();
            users.insert(&user(2, "b@x")).await.unwrap();
            let keys: Vec<String> = (1..=4).map(|id| users.key(&id)).collect();
            let before = stored(client, &keys).await;
            // By a document outside of it.
            let mut tx = client.begin();
            tx.push(users.set(&2, |u| u.email.clear()));
            tx.push(users.insert(&user(3, "a@x")));
            let (error, step) = refused(tx, 2).await;
            assert_eq!((error.kind(), error.field()), (ErrorKind::Taken, Some("email")));
            assert_eq!((error.holder(), step.key), (Some(&*keys[0]), Some(keys[2].clone())));
            assert_eq!(stored(client, &keys).await, before);
            // By another step, whose document does not have it yet.
            let mut tx = client.begin();
            tx.push(users.insert(&user(3, "z@x")));
            tx.push(users.set(&2, |u| u.email.to("z@x")));
            let (error, _) = refused(tx, 2).await;
            assert_eq!((error.kind(), error.holder()), (ErrorKind::Taken, Some(&*keys[2])));
            // By another step, whose document keeps it.
            for first in [true, false] {
                let mut tx = client.begin();
                if first {
                    tx.push(users.insert(&user(3, "a@x")));
                }
                tx.push(users.set(&1, |u| u.text.to("late")));
                if !first {
                    tx.push(users.insert(&user(3, "a@x")));
                }
                assert_eq!(tx.commit().await.unwrap_err().kind(), ErrorKind::Taken);
            }
            // Of two who want what a third gives up, one is too many.
            let mut tx = client.begin();
            tx.push(users.delete(&1));
            tx.push(users.insert(&user(3, "a@x")));
            tx.push(users.insert(&user(4, "a@x")));
            let (error, _) = refused(tx, 3).await;
            assert_eq!(error.kind(), ErrorKind::Taken);
            // A group.
            let numbered = |id, number| User { number: Some(number), ..user(id, &format!("{id}@x")) };
            let mut tx = client.begin();
            tx.push(users.insert(&numbered(3, 7)));
            tx.push(users.insert(&numbered(4, 7)));
            let (error, _) = refused(tx, 2).await;
            assert_eq!((error.kind(), error.field()), (ErrorKind::Taken, Some("team+number")));
            assert_eq!(stored(client, &keys).await, before);
            let report = users.unique().check().await.unwrap();
            assert!(report.is_sound(), "{report:?}");
            assert_eq!((report.documents, report.reservations), (2, 2), "{report:?}");
        })
        .await;
    }
}
