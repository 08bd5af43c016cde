//! Raw commands: what is found before anything is written, and what is found too late.

use alizarin::commands::{get, incr, set};
use alizarin::prelude::*;
use alizarin::{Command, ServerCode};

use super::{commit, in_one_slot, refused, stored};
use crate::common::{everywhere, somebody};

crate::each_storage! {
    async fn what_cannot_run_is_found_before_anything_is_written() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let (client, namespace) = (drafts.client(), drafts.namespace());
            let key = |name: &str| format!("{namespace}{name}");
            let (text, list, counter) = (key("text"), key("list"), key("counter"));
            client.set(&text, "seven").await.unwrap();
            somebody(&["RPUSH", &list, "x"]);
            let keys = [drafts.key(&1), text.clone(), list.clone(), counter.clone()];
            let before = stored(client, &keys).await;
            let raw = |name: &str, key: &str| Command::<()>::new(name).key(key);
            let wrong_type = ErrorKind::Server(ServerCode::WrongType);
            let err = ErrorKind::Server(ServerCode::Err);
            for (command, kind) in [
                (raw("LPUSH", &text).arg("x"), wrong_type),
                (raw("HSET", &list).arg(("f", "v")), wrong_type),
                (raw("zadd", &text).arg((1, "x")), wrong_type),
                (raw("SADD", &list).arg("x"), wrong_type),
                (raw("XADD", &list).arg(("*", "f", "v")), wrong_type),
                (raw("INCR", &list), wrong_type),
                (raw("INCR", &text), err),
                (raw("DECRBY", &text).arg(2), err),
                (raw("LPUSH", &list), err),
                (raw("GET", &text).arg("more"), err),
                (raw("NOSUCH", &list).arg("x"), ErrorKind::Unsupported),
                (raw("XGROUP", &list), ErrorKind::Unsupported),
                (Command::new("EVAL").arg(("return 1", 0)), ErrorKind::Usage),
                (Command::new("flushall"), ErrorKind::Usage),
                (raw("BLPOP", &list).arg(0), ErrorKind::Usage),
                (Command::new("SUBSCRIBE").arg("x"), ErrorKind::Usage),
                (Command::new("MULTI"), ErrorKind::Usage),
                (raw("SADD", &list).arg(vec![1; 8_000]), ErrorKind::Usage),
            ] {
                let name = command.packed().name();
                let mut tx = client.begin();
                tx.push(incr(&counter));
                tx.push(drafts.save(&draft(1, "late")));
                tx.push(command);
                let (error, step) = refused(tx, 3).await;
                assert_eq!((error.kind(), &step.name), (kind, &name), "{error}");
                assert_eq!(stored(client, &keys).await, before, "{name}");
            }
            // As many arguments as there may be.
            let many = format!("{namespace}many");
            let mut tx = client.begin();
            let members: Vec<u32> = (0..6_998).collect();
            let added = tx.push(Command::<u64>::new("SADD").key(&many).arg(members));
            assert_eq!(commit(tx).await.get(added).unwrap(), 6_998);
            // A command before it may have made the key what it has to be.
            let mut tx = client.begin();
            tx.push(Command::<u64>::new("DEL").key(&text));
            let length = tx.push(Command::<u64>::new("LPUSH").key(&text).arg("x"));
            tx.push(set(&list, 3));
            let next = tx.push(incr(&list));
            let done = commit(tx).await;
            assert_eq!((done.get(length).unwrap(), done.get(next).unwrap()), (1, 4));
        })
        .await;
    }

    async fn what_fails_when_it_runs_is_named_with_what_was_done() {
        everywhere(async |drafts: Repository<Draft>| {
            let drafts = in_one_slot(&drafts);
            let (client, namespace) = (drafts.client(), drafts.namespace());
            let (hash, one, two) =
                (format!("{namespace}h"), format!("{namespace}1"), format!("{namespace}2"));
            somebody(&["HSET", &hash, "f", "seven"]);
            drafts.save(&draft(1, "before")).await.unwrap();
            let before = stored(client, &[drafts.key(&1), drafts.key(&2)]).await;
            let mut tx = client.begin();
            tx.push(drafts.save(&draft(1, "late")));
            tx.push(incr(&one));
            tx.push(drafts.insert(&draft(2, "late")));
            tx.push(Command::<i64>::new("HINCRBY").key(&hash).arg(("f", 1)));
            tx.push(incr(&two));
            let error = tx.commit().await.unwrap_err();
            let step = error.step().unwrap();
            assert_eq!((step.number, step.name.as_str()), (4, "HINCRBY"));
            assert_eq!((step.key.as_deref(), step.model.as_ref()), (Some(&*hash), None));
            assert_eq!(step.done, [2], "{error}");
            assert!(error.to_string().contains("took place: 2"), "{error}");
            assert!(error.message().contains("hash value is not an integer"), "{error}");
            // No document was written, and nothing ran after it.
            assert_eq!(stored(client, &[drafts.key(&1), drafts.key(&2)]).await, before);
            assert_eq!(client.get::<Option<u32>>(&one).await.unwrap(), Some(1));
            assert_eq!(client.get::<Option<u32>>(&two).await.unwrap(), None);
            // A single one leaves nothing behind.
            let mut tx = client.begin();
            tx.push(drafts.save(&draft(1, "late")));
            tx.push(Command::<i64>::new("HINCRBY").key(&hash).arg(("f", 1)));
            refused(tx, 2).await;
            assert_eq!(stored(client, &[drafts.key(&1), drafts.key(&2)]).await, before);
        })
        .await;
    }
}

#[tokio::test]
async fn replies_are_what_they_are_alone() {
    use crate::common::hash::*;
    everywhere(async |drafts: Repository<Draft>| {
        let drafts = in_one_slot(&drafts);
        let (client, namespace) = (drafts.client(), drafts.namespace());
        let key = |name: &str| format!("{namespace}{name}");
        let (hash, zset, set, bytes) = (key("h"), key("z"), key("s"), key("b"));
        let all = [0, 1, 13, 10, 128, 255];
        let mut tx = client.begin();
        tx.push(Command::<()>::new("HSET").key(&hash).arg(("a", 1, "b", "\u{e9}")));
        tx.push(Command::<()>::new("ZADD").key(&zset).arg((1.5, "x", "inf", "y")));
        tx.push(Command::<()>::new("SADD").key(&set).arg(("x", "y")));
        let ok = tx.push(alizarin::commands::set(&bytes, &all[..]));
        let map = tx
            .push(Command::<std::collections::BTreeMap<String, String>>::new("HGETALL").key(&hash));
        let scores = tx.push(Command::<Vec<(String, f64)>>::new("ZRANGE").key(&zset).arg((
            0,
            -1,
            "WITHSCORES",
        )));
        let score = tx.push(Command::<Option<f64>>::new("ZSCORE").key(&zset).arg("x"));
        let members =
            tx.push(Command::<std::collections::BTreeSet<String>>::new("SMEMBERS").key(&set));
        let raw = tx.push(get::<Vec<u8>>(&bytes));
        let is = tx.push(Command::<bool>::new("SISMEMBER").key(&set).arg("x"));
        let wrong = tx.push(get::<u32>(&bytes));
        let done = commit(tx).await;
        done.get(ok).unwrap();
        assert_eq!(
            done.get(map).unwrap().into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "\u{e9}".to_owned())]
        );
        let want = [("x".to_owned(), 1.5), ("y".to_owned(), f64::INFINITY)];
        assert_eq!(done.get(scores).unwrap(), want);
        assert_eq!(done.get(score).unwrap(), Some(1.5));
        assert_eq!(done.get(members).unwrap().len(), 2);
        assert_eq!(done.get(raw).unwrap(), all);
        assert!(done.get(is).unwrap());
        assert_eq!(done.get(wrong).unwrap_err().kind(), ErrorKind::Decode);
    })
    .await;
}

#[tokio::test]
async fn numbers_that_scripts_cannot_give_are_never_given_wrong() {
    use crate::common::hash::*;
    everywhere(async |drafts: Repository<Draft>| {
        let drafts = in_one_slot(&drafts);
        let client = drafts.client();
        let key = format!("{}n", drafts.namespace());
        client.set(&key, (1u64 << 53) - 2).await.unwrap();
        let mut tx = client.begin();
        let [exact, inexact, text] =
            [tx.push(incr(&key)), tx.push(incr(&key)), tx.push(incr(&key))];
        let read = tx.push(get::<u64>(&key));
        let done = commit(tx).await;
        assert_eq!(done.get(exact).unwrap(), (1 << 53) - 1);
        for handle in [inexact, text] {
            let error = done.get(handle).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        }
        // Text is exact, and all of it took place.
        assert_eq!(done.get(read).unwrap(), (1 << 53) + 1);
    })
    .await;
}
