//! Repositories without a runtime.

use std::time::Duration;

use alizarin::blocking::prelude::*;
use alizarin_testkit::Server;

macro_rules! in_storage {
    ($storage:ident) => {
        mod $storage {
            use super::*;

            #[derive(Debug, Clone, PartialEq, RedisModel)]
            #[redis($storage, prefix = "blocked", index, events)]
            struct Note {
                #[redis(id)]
                id: u32,
                #[redis(text)]
                text: String,
                #[redis(numeric, sortable)]
                stars: u32,
                #[redis(version)]
                version: u64,
            }

            fn note(id: u32) -> Note {
                Note { id, text: format!("note number {id}"), stars: id % 5, version: 0 }
            }

            fn both(test: impl Fn(Repository<Note>)) {
                let server = Server::start().unwrap();
                for protocol in [2, 3] {
                    let url = format!("{}?protocol={protocol}", server.url());
                    let client = Client::connect(url.as_str()).unwrap();
                    let namespace = crate::common::namespace(&server);
                    test(client.repository().with_namespace(namespace));
                }
            }

            #[test]
            fn documents_are_written_read_and_found() {
                both(|notes| {
                    notes.index().sync().run().unwrap();
                    let all: Vec<Note> = (0..50).map(note).collect();
                    notes.save_all(&all).run().unwrap();
                    notes.index().wait().run().unwrap();
                    assert_eq!(notes.get(&7).run().unwrap().map(|note| note.stars), Some(2));
                    let found = notes.find(|n| n.stars.ge(3)).limit(100).all().run().unwrap();
                    assert_eq!(found.len(), 20);
                    let mut stream = notes.find(|n| n.text.matches("note")).stream().unwrap();
                    assert_eq!(stream.iter().map(|note| note.unwrap().id).count(), 50);
                    let seventh = |note: &Note| note.id % 7 == 0;
                    let kept = notes.find(|n| n.stars.ge(3)).keep(seventh);
                    assert_eq!(kept.all().run().unwrap().len(), 3);
                    let mut kept = notes.find(|n| n.stars.ge(3)).keep(seventh).stream().unwrap();
                    assert_eq!(kept.iter().filter(|note| note.is_ok()).count(), 3);
                    let mut scan = notes.scan();
                    assert_eq!(scan.iter().filter(|note| note.is_ok()).count(), 50);
                    assert!(notes.delete(&7).run().unwrap());
                    assert_eq!(notes.get(&7).run().unwrap(), None);
                });
            }

            #[test]
            fn no_update_of_many_threads_is_lost() {
                both(|notes| {
                    notes.save(&note(1)).run().unwrap();
                    let threads: Vec<_> = (0..6)
                        .map(|thread| {
                            let notes = notes.clone();
                            std::thread::spawn(move || {
                                for _ in 0..5 {
                                    // Both wait for their turns on the thread itself.
                                    if thread % 2 == 0 {
                                        let update = notes.update(&1, |note| note.stars += 1);
                                        update.attempts(1_000).run().unwrap();
                                        continue;
                                    }
                                    loop {
                                        let locked = notes.locked(&1, async |note| {
                                            note.stars += 1;
                                            Ok(())
                                        });
                                        match locked.wait(Duration::from_secs(30)).run() {
                                            Ok(_) => break,
                                            // Those that take no lock may be faster.
                                            Err(error) => {
                                                assert_eq!(error.kind(), ErrorKind::Conflict);
                                            }
                                        }
                                    }
                                }
                            })
                        })
                        .collect();
                    threads.into_iter().for_each(|thread| thread.join().unwrap());
                    assert_eq!(notes.get(&1).run().unwrap().unwrap().stars, 31);
                });
            }

            #[test]
            fn changes_come_one_by_one() {
                both(|notes| {
                    let mut changes = notes.changes().run().unwrap();
                    notes.save(&note(1)).run().unwrap();
                    notes.set(&1, |n| n.stars.to(9)).run().unwrap();
                    notes.delete(&1).run().unwrap();
                    let told: Vec<Change<Note>> =
                        changes.iter().take(3).map(|change| change.unwrap()).collect();
                    assert!(told.iter().all(|change| change.id() == Some(&1)));
                    assert!(matches!(told.last(), Some(Change::Deleted { .. })), "{told:?}");
                });
            }
        }
    };
}

in_storage!(hash);
in_storage!(json);

#[derive(Debug, Clone, PartialEq, RedisTimeSeries)]
#[redis(prefix = "blocked_series")]
struct Degree {
    #[redis(label)]
    city: String,
    #[redis(timestamp)]
    at: i64,
    #[redis(value)]
    celsius: f64,
}

#[test]
fn series_and_vector_sets() {
    let server = Server::start().unwrap();
    let client = Client::connect(server.url().as_str()).unwrap();
    let namespace = crate::common::namespace(&server);
    let series = client.series::<Degree>().with_namespace(&namespace);
    let degree = |at, celsius| Degree { city: "Oslo".to_owned(), at, celsius };
    series.add_many(&[degree(1, 2.0), degree(2, 4.0)]).run().unwrap().all().unwrap();
    let read = series.range(&degree(0, 0.0).labels(), ..).models().run().unwrap();
    assert_eq!(read, [degree(1, 2.0), degree(2, 4.0)]);

    let set = client.vector_set::<u32, ()>(format!("{namespace}vectors"));
    set.add(&1, &[1.0, 0.0]).run().unwrap();
    set.add(&2, &[0.0, 1.0]).run().unwrap();
    let alike = set.similar_to(&[0.9, 0.1]).count(1).run().unwrap();
    assert_eq!(alike[0].id, 1);
}

#[test]
fn locks_are_extended_by_a_thread() {
    use crate::common::hash::{Note, note};

    for cluster in [false, true] {
        let server = Server::start().unwrap();
        let url = match cluster {
            true => alizarin_testkit::Cluster::shared().unwrap().url(),
            false => server.url(),
        };
        let client = Client::connect(url.as_str()).unwrap();
        let namespace = format!("{}:", alizarin_testkit::unique("it"));
        let notes: Repository<Note> = client.repository().with_namespace(namespace);
        notes.save(&note(1, "a")).run().unwrap();
        let (key, lease) = (
            format!("{}alizarin:lock:{{{}}}", notes.namespace(), notes.key(&1)),
            Duration::from_millis(200),
        );
        let long = || {
            let start = std::time::Instant::now();
            while start.elapsed() < lease * 3 {
                let there: bool = client.command("EXISTS").key(&key).run().unwrap();
                assert!(there, "after {:?}", start.elapsed());
            }
        };
        let changed = notes.locked(&1, async |note| {
            long();
            note.count += 1;
            Ok(())
        });
        assert_eq!(changed.lease(lease).run().unwrap().count, 1);
        let changed = notes.lock(&1).lease(lease).change(async |note| {
            note.count += 1;
            Ok(())
        });
        assert_eq!(changed.run().unwrap().count, 2);
        let mut lock = notes.lock(&1).lease(lease).run().unwrap();
        assert_eq!(notes.try_lock(&1).run().unwrap_err().kind(), ErrorKind::Locked);
        lock.during(async {
            long();
            Ok(())
        })
        .run()
        .unwrap();
        lock.extend(lease).run().unwrap();
        assert_eq!(lock.save(&note(1, "b")).run().unwrap().version, None);
        // Somebody takes it away: the thread tells.
        let lock = notes.lock(&1).lease(lease).run().unwrap();
        let stolen = lock.during(async {
            client.command("SET").key(&key).arg("theirs").exec().run()?;
            let start = std::time::Instant::now();
            while start.elapsed() < lease {
                client.command("PING").exec().run()?;
            }
            Ok(())
        });
        assert_eq!(stolen.run().unwrap_err().kind(), ErrorKind::LockLost);
        assert!(!lock.release().run().unwrap());
        client.command("DEL").key(&key).exec().run().unwrap();
    }
}

#[test]
fn unique_fields_without_a_runtime() {
    use crate::unique::models::json::{User, user};

    for cluster in [false, true] {
        let server = Server::start().unwrap();
        let url = match cluster {
            true => alizarin_testkit::Cluster::shared().unwrap().url(),
            false => server.url(),
        };
        let client = Client::connect(url.as_str()).unwrap();
        let namespace = format!("{}:", alizarin_testkit::unique("it"));
        let users: Repository<User> = client.repository().with_namespace(namespace);
        let threads: Vec<_> = (1..=8)
            .map(|id| {
                let users = users.clone();
                std::thread::spawn(move || users.insert(&user(id, "a@x")).run())
            })
            .collect();
        let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!((error.kind(), error.field()), (ErrorKind::Taken, Some("email")));
        }
        let winner = users.by(|u| u.email, "a@x").run().unwrap().unwrap();
        users.set(&winner.id, |u| u.email.to("b@x")).run().unwrap();
        users.insert(&user(9, "a@x")).run().unwrap();
        assert!(users.delete(&9).run().unwrap());
        assert!(users.unique().check().run().unwrap().is_sound());
        client.command("DEL").key(users.key(&winner.id)).exec().run().unwrap();
        assert_eq!(users.unique().repair().run().unwrap().stale, 1);
    }
}
