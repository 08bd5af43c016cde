//! What the members of a transaction do is what they do alone.

use std::time::Duration;

use alizarin::commands::{get, incr};
use alizarin::prelude::*;
use alizarin::repository::Written;
use alizarin::{Command, Sent};
use alizarin_testkit::{MockServer, Server};

use super::{beside, commit, in_one_slot};
use crate::common::{connect, everywhere, soon};

crate::each_storage! {
    async fn every_member_takes_effect() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let (alerts, visits) = (beside::<_, Alert>(&drafts), beside::<_, Visit>(&drafts));
            let client = drafts.client();
            let namespace = drafts.namespace();
            let (counter, list) = (format!("{namespace}counter"), format!("{namespace}list"));
            drafts.save(&draft(1, "one")).await.unwrap();
            drafts.save(&draft(2, "two")).await.unwrap();
            drafts.save(&draft(3, "three")).await.unwrap();
            let mut changes = alerts.changes().await.unwrap();

            let mut tx = client.begin();
            let saved = tx.push(drafts.save(&draft(1, "uno")).if_version(1));
            let inserted = tx.push(alerts.insert(&alert("a", "first")));
            let replaced = tx.push(drafts.replace(&draft(2, "due")));
            let count = tx.push(incr(&counter));
            let length = tx.push(Command::<u64>::new("LPUSH").key(&list).arg(("x", "y")));
            let again = tx.push(incr(&counter));
            let upserted = tx.push(drafts.upsert(&draft(4, "four"), |d| d.count.add(1)));
            let deleted = tx.push(drafts.delete(&3).if_version(1));
            let none = tx.push(drafts.delete(&99));
            let visit = visit(1, "short");
            tx.push(visits.save(&visit).ttl(Duration::from_secs(7)));
            let text = alerts.with_namespace(format!("{namespace}b:"));
            tx.push(text.save(&alert("b", "elsewhere")));
            let done = commit(tx).await;

            assert_eq!(done.get(saved).unwrap().version, Some(2));
            assert!(done.get(inserted).unwrap().created && !done.get(saved).unwrap().created);
            assert_eq!(done.get(replaced).unwrap().version, Some(2));
            assert_eq!((done.get(count).unwrap(), done.get(again).unwrap()), (1, 2));
            assert_eq!(done.get(length).unwrap(), 2);
            assert!(done.get(upserted).unwrap().created);
            assert_eq!((done.get(deleted).unwrap(), done.get(none).unwrap()), (true, false));
            assert_eq!(
                drafts.get_many(&[1, 2, 3, 4]).await.unwrap(),
                [
                    Some(Draft { version: 2, ..draft(1, "uno") }),
                    Some(Draft { version: 2, ..draft(2, "due") }),
                    None,
                    Some(Draft { version: 1, ..draft(4, "four") }),
                ]
            );
            let first = alerts.get(&"a".to_owned()).await.unwrap();
            assert_eq!(first, Some(Alert { version: 1, ..alert("a", "first") }));
            let left = visits.ttl(&1).await.unwrap().unwrap();
            assert!(left <= Duration::from_secs(7) && left > Duration::from_secs(1), "{left:?}");
            let change = soon("the event", changes.next()).await.unwrap().unwrap();
            assert_eq!(change.id(), Some(&"a".to_owned()));

            // Parts, an upsert of one that is there, and reads among the commands.
            let mut tx = client.begin();
            let count = tx.push(drafts.set(&1, |d| (d.count.add(5), d.label.to("x")))
                .returning(|d| (d.count, d.label)));
            let upserted = tx.push(drafts.upsert(&draft(4, "four"), |d| d.count.add(1)));
            let read = tx.push(get::<Option<u32>>(&counter));
            let nothing = tx.push(get::<Option<u32>>(format!("{namespace}nothing")));
            let all = tx.push(Command::<Vec<Option<String>>>::new("MGET").key([
                format!("{namespace}nothing"), counter.clone(), format!("{namespace}nothing"),
            ]));
            let done = commit(tx).await;
            assert_eq!(done.get(count).unwrap(), (5, Some("x".to_owned())));
            let Written { created, version, .. } = done.get(upserted).unwrap();
            assert_eq!((created, version), (false, Some(2)));
            assert_eq!((done.get(read).unwrap(), done.get(nothing).unwrap()), (Some(2), None));
            assert_eq!(done.get(all).unwrap(), [None, Some("2".to_owned()), None]);
            assert_eq!(drafts.get(&4).await.unwrap().map(|draft| draft.count), Some(1));
        })
        .await;
    }

    async fn many_steps_are_one_round_trip() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let mut tx = drafts.client().begin();
            let handles: Vec<_> =
                (0..300).map(|id| tx.push(drafts.insert(&draft(id, "many")))).collect();
            let done = commit(tx).await;
            assert!(handles.iter().all(|handle| done.get(*handle).unwrap().created));
            let mut tx = drafts.client().begin();
            let handles: Vec<_> = (0..300).map(|id| tx.push(drafts.delete(&id))).collect();
            let done = commit(tx).await;
            assert!(handles.iter().all(|handle| done.get(*handle).unwrap()));
        })
        .await;
    }

    async fn handles_belong_to_their_transaction() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let client = drafts.client();
            let (mut one, mut other) = (client.begin(), client.begin());
            let mine = one.push(drafts.save(&draft(1, "one")));
            let strange = other.push(drafts.save(&draft(2, "two")));
            let (one, other) = (commit(one).await, commit(other).await);
            assert!(one.get(mine).unwrap().created && other.get(strange).unwrap().created);
            for (replies, handle) in [(&one, strange), (&other, mine)] {
                let error = replies.get(handle).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
            }
            // One without steps sends nothing, and is done.
            let empty = commit(client.begin()).await;
            assert_eq!(empty.get(mine).unwrap_err().kind(), ErrorKind::Usage);
        })
        .await;
    }
}

#[tokio::test]
async fn nothing_is_sent_before_the_commit() {
    use crate::common::hash::*;
    let server = MockServer::start().unwrap();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let drafts: Repository<Draft> = client.repository();
    let mut tx = client.begin();
    tx.push(drafts.save(&draft(1, "one")));
    tx.push(incr("n"));
    drop(tx);
    let mut tx = client.begin();
    tx.push(drafts.delete(&1));
    drop(tx.commit());
    assert_eq!(server.commands(), Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn a_lost_reply_is_unknown_and_nothing_is_sent_again() {
    use crate::common::hash::*;
    let server = MockServer::start().unwrap();
    server.expect(["EVALSHA"]).any_args().close();
    let client = Client::connect(server.url().as_str()).await.unwrap();
    let drafts: Repository<Draft> = client.repository();
    let mut tx = client.begin();
    tx.push(drafts.save(&draft(1, "one")));
    let error = tx.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Disconnected, Sent::Unknown), "{error}");
    // Nor by the loop.
    server.expect(["EVALSHA"]).any_args().close();
    let failed = client.transact(async |tx| {
        tx.push(drafts.save(&draft(1, "one")));
        Ok(())
    });
    assert_eq!(failed.await.unwrap_err().sent(), Sent::Unknown);
    assert_eq!(server.commands().len(), 2);
}

#[tokio::test]
async fn repositories_of_other_clients_are_refused() {
    use crate::common::json::*;
    let server = Server::shared().unwrap();
    let (one, other) = (connect(server, 3).await, connect(server, 3).await);
    let drafts: Repository<Draft> = other.repository();
    let mut tx = one.begin();
    tx.push(drafts.save(&draft(1, "one")));
    let error = tx.commit().await.unwrap_err();
    assert_eq!((error.kind(), error.sent()), (ErrorKind::Usage, Sent::No), "{error}");
}

#[test]
fn all_of_it_works_without_a_runtime() {
    use crate::common::json::*;
    use alizarin::blocking::Run as _;
    let server = Server::start().unwrap();
    for protocol in [2, 3] {
        let url = crate::common::url(&server, &format!("protocol={protocol}"));
        let client = alizarin::blocking::Client::connect(url.as_str()).unwrap();
        let drafts: Repository<Draft> = client.repository();
        let drafts = drafts.with_namespace(crate::common::namespace(&server));
        let mut tx = client.begin();
        let saved = tx.push(drafts.save(&draft(1, "one")));
        tx.push(drafts.insert(&draft(2, "two")));
        let done = tx.commit().run().unwrap();
        assert_eq!(done.get(saved).unwrap().version, Some(1));
        let (left, replies) = client
            .transact(async |tx| {
                let mut one = tx.get(&drafts, &1).await?.expect("the first");
                one.count += 2;
                let saved = tx.push(drafts.save(&one));
                Ok((one.count, saved))
            })
            .run()
            .unwrap();
        assert_eq!((left.0, replies.get(left.1).unwrap().version), (2, Some(2)));
        let mut tx = client.begin();
        tx.get(&drafts, &1).run().unwrap();
        drafts.set(&1, |d| d.count.add(1)).run().unwrap();
        tx.push(drafts.delete(&2));
        assert_eq!(tx.commit().run().unwrap_err().kind(), ErrorKind::Conflict);
        assert!(drafts.exists(&2).run().unwrap());
    }
}
