//! Servers that refuse, forget, lack something or go away.

use alizarin::prelude::*;
use alizarin::{Sent, ServerCode};
use alizarin_testkit::Server;

use crate::common::{connect, namespace, on, soon};

/// A client that is logged in as `user`.
async fn login(server: &Server, user: &str, protocol: u8) -> Client {
    let url = server.url().replacen("redis://", &format!("redis://{user}:secret@"), 1);
    Client::connect(format!("{url}?protocol={protocol}").as_str()).await.unwrap()
}

crate::each_storage! {
    async fn a_channel_that_is_refused_stops_the_write() {
        let server = Server::builder().private().start().unwrap();
        let words = ["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all", "resetchannels"];
        server.command(&words).unwrap();
        for protocol in [2, 3] {
            let all: Repository<Alert> = on(&server, protocol).await;
            let mut changes = all.changes().await.unwrap();
            let few: Repository<Alert> = login(&server, "ann", protocol).await.repository();
            let few = few.with_namespace(all.namespace());
            let id = "a".to_owned();
            let error = few.save(&alert("a", "x")).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Server(ServerCode::NoPerm), "{error}");
            assert!(!all.exists(&id).await.unwrap());

            all.save(&alert("a", "x")).await.unwrap();
            few.save(&alert("a", "y")).await.unwrap_err();
            few.set(&id, |m| m.text.to("y")).await.unwrap_err();
            few.update(&id, |alert| alert.text.clear()).await.unwrap_err();
            few.locked(&id, async |alert| { alert.text.clear(); Ok(()) }).await.unwrap_err();
            few.save_all(&[alert("a", "y")]).await.unwrap_err();
            few.delete(&id).await.unwrap_err();
            let stored = all.get(&id).await.unwrap();
            assert_eq!(stored, Some(Alert { version: 1, ..alert("a", "x") }));
            few.changes().await.unwrap_err();

            all.save(&alert("end", "x")).await.unwrap();
            for id in ["a", "end"] {
                let change = soon("a change", changes.next()).await.unwrap().unwrap();
                assert_eq!(change.id().unwrap(), id);
            }
        }
    }

    async fn without_memory_nothing_is_written_and_nothing_told() {
        let server = Server::builder().private().start().unwrap();
        for protocol in [2, 3] {
            let alerts: Repository<Alert> = on(&server, protocol).await;
            let notes: Repository<Note> = on(&server, protocol).await;
            let id = "a".to_owned();
            alerts.save(&alert("a", "x")).await.unwrap();
            notes.save(&note(1, "x")).await.unwrap();
            let mut changes = alerts.changes().await.unwrap();
            server.command(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
            let errors = [
                alerts.save(&alert("a", "y")).await.unwrap_err(),
                alerts.insert(&alert("b", "y")).await.unwrap_err(),
                alerts.set(&id, |m| m.text.to("y")).await.unwrap_err(),
                alerts.update(&id, |alert| alert.text.clear()).await.unwrap_err(),
                alerts.save_all(&[alert("c", "y")]).await.unwrap_err(),
                notes.save(&note(1, "y")).await.unwrap_err(),
                notes.save(&Note { label: Some("l".into()), ..note(2, "y") }).await.unwrap_err(),
                notes.update(&1, |note| note.count += 1).await.unwrap_err(),
            ];
            for (at, error) in errors.iter().enumerate() {
                assert_eq!(error.kind(), ErrorKind::Server(ServerCode::OutOfMemory), "{at}: {error}");
            }
            // Reading and deleting go on.
            let stored = alerts.get(&id).await.unwrap();
            assert_eq!(stored, Some(Alert { version: 1, ..alert("a", "x") }));
            assert_eq!(notes.get(&1).await.unwrap(), Some(note(1, "x")));
            server.command(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
            assert!(!alerts.exists(&"b".to_owned()).await.unwrap());
            alerts.save(&alert("end", "x")).await.unwrap();
            let change = soon("a change", changes.next()).await.unwrap().unwrap();
            assert_eq!(change.id().unwrap(), "end");
        }
    }

    async fn deleting_needs_no_memory() {
        let server = Server::builder().private().start().unwrap();
        for protocol in [2, 3] {
            let alerts: Repository<Alert> = on(&server, protocol).await;
            let notes: Repository<Note> = on(&server, protocol).await;
            alerts.save(&alert("a", "x")).await.unwrap();
            notes.save(&note(1, "x")).await.unwrap();
            server.command(&["CONFIG", "SET", "maxmemory", "1"]).unwrap();
            let deleted = (notes.delete(&1).await, alerts.delete(&"a".to_owned()).await);
            server.command(&["CONFIG", "SET", "maxmemory", "0"]).unwrap();
            assert!(deleted.0.unwrap());
            assert!(deleted.1.unwrap());
        }
    }

    async fn forgotten_scripts_are_sent_again() {
        let server = Server::builder().private().start().unwrap();
        for protocol in [2, 3] {
            let drafts: Repository<Draft> = on(&server, protocol).await;
            let notes: Repository<Note> = on(&server, protocol).await;
            let forget = || server.command(&["SCRIPT", "FLUSH"]).unwrap();
            drafts.save(&draft(1, "a")).await.unwrap();
            forget();
            drafts.save(&draft(1, "b")).await.unwrap();
            forget();
            drafts.update(&1, |draft| { forget(); draft.count += 1; }).await.unwrap();
            drafts
                .locked(&1, async |draft| { forget(); draft.count += 1; Ok(()) })
                .await
                .unwrap();
            forget();
            drafts.set(&1, |m| m.text.to("c")).await.unwrap();
            forget();
            let many: Vec<Draft> = (2..20).map(|id| draft(id, "d")).collect();
            drafts.save_all(&many).await.unwrap();
            forget();
            let stored = drafts.get(&1).await.unwrap();
            assert_eq!(stored, Some(Draft { count: 2, version: 5, ..draft(1, "c") }));
            for read in drafts.get_many(many.iter().map(|draft| &draft.id)).await.unwrap() {
                assert_eq!(read.unwrap().version, 1, "written once");
            }
            assert!(drafts.delete(&1).if_version(5).await.unwrap());
            notes.save(&note(1, "x")).await.unwrap();
            forget();
            assert_eq!(notes.update(&1, |note| { forget(); note.count += 1; }).await.unwrap().count, 1);
        }
    }

    async fn a_field_that_does_not_parse_is_named_with_its_key() {
        let server = Server::shared().unwrap();
        for protocol in [2, 3] {
            let notes: Repository<Note> = on(server, protocol).await;
            notes.save(&Note { label: Some("l".into()), ..note(1, "x") }).await.unwrap();
            notes.save(&note(2, "x")).await.unwrap();
            let key = notes.key(&1);
            let spoil = |field: &str, text: &str, json: &str| match STORAGE {
                "hash" => server.command(&["HSET", &key, field, text]).unwrap(),
                _ => server.command(&["JSON.SET", &key, &format!("$.{field}"), json]).unwrap(),
            };
            for (field, text, json, good) in [
                ("count", "many", "\"many\"", "7"),
                ("count", "-1", "-1", "7"),
                ("count", "18446744073709551616", "1.5", "7"),
                ("place.zip", "x", "[]", "7"),
            ] {
                spoil(field, text, json);
                let errors = [
                    notes.get(&1).await.unwrap_err(),
                    notes.get_many(&[2, 1]).await.unwrap_err(),
                    notes.update(&1, |note| note.count += 1).await.unwrap_err(),
                ];
                for error in errors {
                    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
                    assert_eq!(error.field(), Some(field), "{error}");
                    assert!(error.message().contains(&key), "{error}");
                }
                spoil(field, good, good);
            }
            notes.get(&1).await.unwrap().unwrap();
            match STORAGE {
                "hash" => server.command(&["HDEL", &key, "text"]).unwrap(),
                _ => server.command(&["JSON.DEL", &key, "$.text"]).unwrap(),
            };
            let error = notes.get(&1).await.unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Decode, Some("text")), "{error}");
            assert!(error.message().contains(&key), "{error}");
        }
    }

    async fn a_server_without_modules_is_named() {
        let server = Server::builder().modules(false).private().start().unwrap();
        for protocol in [2, 3] {
            let drafts: Repository<Draft> = on(&server, protocol).await;
            let notes: Repository<Note> = on(&server, protocol).await;
            let coins: Repository<Coin> = on(&server, protocol).await;
            if STORAGE == "json" {
                let errors = [
                    notes.save(&note(1, "x")).await.unwrap_err(),
                    notes.get(&1).await.unwrap_err(),
                    notes.get_many(&[1]).await.unwrap_err(),
                    notes.save_all(&[note(1, "x")]).await.unwrap_err(),
                    drafts.save(&draft(1, "x")).await.unwrap_err(),
                    drafts.insert(&draft(1, "x")).await.unwrap_err(),
                    drafts.update(&1, |draft| draft.count += 1).await.unwrap_err(),
                ];
                for (at, error) in errors.iter().enumerate() {
                    assert_eq!(error.kind(), ErrorKind::Unsupported, "{at}: {error}");
                    assert!(error.message().contains("RedisJSON"), "{at}: {error}");
                }
                assert!(!notes.exists(&1).await.unwrap());
            } else {
                drafts.save(&draft(1, "x")).await.unwrap();
                drafts.update(&1, |draft| draft.count += 1).await.unwrap();
                assert_eq!(drafts.get(&1).await.unwrap().unwrap().count, 1);
            }
            let errors = [
                coins.index().sync().await.unwrap_err(),
                coins.find(|m| m.kind.eq("gold")).all().await.unwrap_err(),
                coins.find(|m| m.kind.eq("gold")).count().await.unwrap_err(),
            ];
            for (at, error) in errors.iter().enumerate() {
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{at}: {error}");
                assert!(error.message().to_lowercase().contains("search"), "{at}: {error}");
            }
        }
    }

    async fn a_connection_that_is_cut_during_an_update_comes_back() {
        let server = Server::builder().private().start().unwrap();
        for protocol in [2, 3] {
            let drafts: Repository<Draft> = on(&server, protocol).await;
            drafts.save(&draft(1, "a")).await.unwrap();
            let mut cut = 0;
            let outcome = drafts
                .update(&1, |draft| {
                    cut += 1;
                    if cut == 1 {
                        server.command(&["CLIENT", "KILL", "TYPE", "normal"]).unwrap();
                    }
                    draft.count += 1;
                })
                .await;
            // Whether it was written is what the outcome says, and never is it written twice.
            let stored = drafts.get(&1).await.unwrap().unwrap();
            match outcome {
                Ok(written) => assert_eq!(stored, written),
                Err(error) => {
                    if error.sent() == Sent::No {
                        assert_eq!(stored.count, 0, "{error}");
                    }
                }
            }
            assert!(stored.count <= 1);
            drafts.update(&1, |draft| draft.count = 9).await.unwrap();
            assert_eq!(drafts.get(&1).await.unwrap().unwrap().count, 9);
        }
    }

    async fn a_restarted_server_is_found_again() {
        let mut server = Server::builder().private().start().unwrap();
        let client = connect(&server, 3).await;
        let drafts: Repository<Draft> = client.repository().with_namespace(namespace(&server));
        drafts.save(&draft(1, "a")).await.unwrap();
        server.restart().unwrap();
        crate::common::eventually("the server answers again", || {
            let drafts = drafts.clone();
            async move { drafts.save(&draft(1, "b")).await.is_ok() }
        })
        .await;
        assert_eq!(drafts.get(&1).await.unwrap().unwrap().text, "b");
    }
}
