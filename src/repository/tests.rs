//! Repositories against a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::events::Change;
use crate::prelude::*;
use crate::query::everything;
use crate::{Command, ServerCode, Value};

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "plain", index)]
pub(crate) struct Plain {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    name: String,
    note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
pub(crate) struct Address {
    city: String,
    street: Option<String>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "person", events)]
pub(crate) struct Person {
    #[redis(id)]
    id: String,
    #[redis(version)]
    version: u64,
    name: String,
    rating: Option<f32>,
    tags: Vec<String>,
    #[redis(nested)]
    address: Address,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "note", events)]
pub(crate) struct Note {
    #[redis(id)]
    id: u32,
    #[redis(version)]
    version: u64,
    text: String,
    rating: Option<f32>,
    tags: Vec<String>,
    #[redis(nested)]
    address: Option<Address>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "tally")]
pub(crate) struct Tally {
    #[redis(id)]
    id: u32,
    count: u64,
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

async fn client(server: &alizarin_testkit::Server) -> Result<Client> {
    Client::connect(server.url().as_str()).await
}

fn person(id: &str) -> Person {
    Person {
        id: id.into(),
        version: 0,
        name: "Ada".into(),
        rating: Some(1.5),
        tags: vec!["a".into()],
        address: Address { city: "Ulm".into(), street: Some("Hof".into()) },
    }
}

fn note(id: u32) -> Note {
    Note {
        id,
        version: 0,
        text: "x".into(),
        rating: None,
        tags: vec![],
        address: Some(Address { city: "Ulm".into(), street: None }),
    }
}

async fn next<M: RedisModel>(changes: &mut crate::events::Changes<M>) -> Change<M> {
    let next = tokio::time::timeout(Duration::from_secs(5), changes.next());
    next.await.expect("in time").expect("no end").expect("no error")
}

#[tokio::test]
async fn plain_hash() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let client = client(&server).await?;
    let plains: Repository<Plain> = client.repository();
    let mut one = Plain { id: 1, name: "a".into(), note: Some("n".into()) };
    assert_eq!(plains.save(&one).await?.version, None);
    assert_eq!(plains.get(&1).await?, Some(one.clone()));
    one.note = None;
    plains.save(&one).await?;
    assert_eq!(plains.get(&1).await?, Some(one.clone()));
    assert_eq!(plains.insert(&one).await.unwrap_err().kind(), ErrorKind::Exists);
    let two = Plain { id: 2, ..one.clone() };
    assert_eq!(plains.replace(&two).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(plains.save(&one).if_version(1).await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(plains.get_many(&[2, 1]).await?, [None, Some(one.clone())]);
    assert!(plains.exists(&1).await? && !plains.exists(&2).await?);

    plains.save(&one).ttl(Duration::from_secs(60)).await?;
    assert!(plains.ttl(&1).await?.is_some());
    plains.save(&one).await?;
    assert!(plains.ttl(&1).await?.is_some());
    plains.save(&one).clear_ttl().await?;
    assert_eq!(plains.ttl(&1).await?, None);
    assert!(plains.expire(&1, Duration::from_secs(60)).await? && plains.persist(&1).await?);
    assert_eq!(plains.ttl(&2).await.unwrap_err().kind(), ErrorKind::NotFound);

    let wrong = Command::<Value>::new("LPUSH").key("plain:3").arg("x");
    client.run(wrong).await?;
    let three = Plain { id: 3, ..one.clone() };
    let kind = ErrorKind::Server(ServerCode::WrongType);
    for error in [
        plains.save(&three).await.unwrap_err(),
        plains.insert(&three).await.unwrap_err(),
        plains.get(&3).await.unwrap_err(),
        plains.update(&3, |_| ()).await.unwrap_err(),
    ] {
        assert!(error.kind() == kind && error.message().contains("plain:3"), "{error}");
    }
    assert!(plains.delete(&1).await? && !plains.delete(&1).await?);
    assert_eq!(plains.changes().await.unwrap_err().kind(), ErrorKind::Usage);
    Ok(())
}

#[tokio::test]
async fn versions_and_events() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let client = client(&server).await?;
    let people: Repository<Person> = client.repository::<Person>().with_namespace("t:");
    assert_eq!(people.key(&"a".into()), "t:person:a");
    let mut changes = people.changes().await?;
    let mut ada = person("a\"b");
    for version in 1..12 {
        assert_eq!(people.save(&ada).await?.version, Some(version));
        let fields = vec![];
        let saved = Change::Saved { id: ada.id.clone(), version: Some(version), fields };
        assert_eq!(next(&mut changes).await, saved);
    }
    ada.version = 11;
    assert_eq!(people.get(&ada.id).await?, Some(ada.clone()));
    assert_eq!(people.save(&ada).if_version(10).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(people.save(&ada).if_version(11).await?.version, Some(12));
    next(&mut changes).await;

    let written = people
        .set(&ada.id, |p| {
            (p.rating.to(8.1), p.address.street.clear(), p.tags.to_value(vec![]), p.name.to("Eva"))
        })
        .await?;
    assert_eq!(written.version, Some(13));
    let Change::Saved { fields, .. } = next(&mut changes).await else { panic!("no save") };
    assert_eq!(fields, ["rating", "address.street", "tags", "name"]);
    let read = people.get(&ada.id).await?.expect("there");
    assert_eq!((read.rating, read.name.as_str(), read.tags.len()), (Some(8.1), "Eva", 0));
    assert_eq!(read.address, Address { city: "Ulm".into(), street: None });
    for error in [
        people.set(&ada.id, |p| p.tags.to("x")).await.unwrap_err(),
        people.set(&ada.id, |p| p.version.to(3u64)).await.unwrap_err(),
        people.set(&ada.id, |p| (p.name.to("x"), p.name.to("y"))).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Usage);
    }
    let missing = people.set(&"zz".into(), |p| p.name.to("x")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);

    assert_eq!(people.delete(&ada.id).if_version(1).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(people.delete(&ada.id).if_version(13).await?);
    assert_eq!(next(&mut changes).await, Change::Deleted { id: ada.id.clone() });
    assert!(!people.delete(&ada.id).await?);
    Ok(())
}

#[tokio::test]
async fn json_documents() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let client = client(&server).await?;
    let notes: Repository<Note> = client.repository();
    let mut changes = notes.changes().await?;
    let mut one = note(1);
    one.version = notes.insert(&one).ttl(Duration::from_secs(60)).await?.version.expect("one");
    next(&mut changes).await;
    assert_eq!(notes.get(&1).await?, Some(one.clone()));
    assert!(notes.ttl(&1).await?.is_some());
    let set =
        notes.set(&1, |n| (n.rating.to(7), n.text.to("say \"hi\""), n.address.street.to("Hof")));
    assert_eq!(set.await?.version, Some(2));
    next(&mut changes).await;
    notes.set(&1, |n| (n.rating.clear(), n.tags.to_value(vec!["q".into()]))).await?;
    next(&mut changes).await;
    let read = notes.get(&1).await?.expect("there");
    assert_eq!((read.rating, read.text.as_str(), read.version), (None, "say \"hi\"", 3));
    assert_eq!(read.address.as_ref().and_then(|a| a.street.as_deref()), Some("Hof"));
    assert!(notes.ttl(&1).await?.is_some());

    let updated = notes.update(&1, |n| n.address = None).await?;
    assert_eq!((updated.version, &updated.address), (4, &None));
    next(&mut changes).await;
    let error = notes.set(&1, |n| n.address.city.to("Bonn")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let kept = notes.update(&1, |n| {
        n.text = "no".into();
        Err(Error::new(ErrorKind::Usage, "no"))
    });
    assert_eq!(kept.await.unwrap_err().message(), "no");
    assert_eq!(notes.get(&1).await?, Some(updated));
    assert_eq!(notes.update(&1, |n| n.id = 2).await.unwrap_err().kind(), ErrorKind::Usage);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn updates_and_locks_lose_nothing() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let client = client(&server).await?;
    let tallies: Repository<Tally> = client.repository();
    tallies.insert(&Tally { id: 1, count: 0 }).await?;
    let mut tasks = Vec::new();
    for task in 0..8 {
        let tallies = tallies.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..10 {
                if task % 2 == 0 {
                    tallies.update(&1, |t| t.count += 1).attempts(200).await?;
                } else {
                    loop {
                        let step = 1;
                        let locked = tallies.locked(&1, async |t| {
                            tokio::task::yield_now().await;
                            t.count += step;
                            Ok(())
                        });
                        match locked.lease(Duration::from_secs(5)).await {
                            // An update without the lock was faster.
                            Err(error) if error.kind() == ErrorKind::Conflict => {}
                            outcome => {
                                outcome?;
                                break;
                            }
                        }
                    }
                }
            }
            Ok::<(), Error>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    assert_eq!(tallies.get(&1).await?.map(|t| t.count), Some(80));
    let locks: Vec<String> = client.run(Command::new("KEYS").arg("alizarin:lock:*")).await?;
    assert!(locks.is_empty(), "{locks:?}");
    Ok(())
}

#[tokio::test]
async fn locks_end() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let client = client(&server).await?;
    let tallies: Repository<Tally> = client.repository();
    tallies.insert(&Tally { id: 1, count: 0 }).await?;
    let key = "alizarin:lock:{tally:1}";

    let lost = tallies.locked(&1, async |t| {
        t.count = 9;
        client.del(key).await?;
        Ok(())
    });
    assert_eq!(lost.await.unwrap_err().kind(), ErrorKind::LockLost);
    let failed = tallies.locked(&1, async |_| Err(Error::new(ErrorKind::Usage, "no")));
    assert_eq!(failed.await.unwrap_err().kind(), ErrorKind::Usage);
    assert!(!client.run(Command::<bool>::new("EXISTS").key(key)).await?);

    let nested = tallies.locked(&1, async |_| {
        let inner = tallies.locked(&1, async |_| Ok(())).wait(Duration::ZERO).await;
        assert_eq!(inner.unwrap_err().kind(), ErrorKind::Locked);
        Ok(())
    });
    nested.await?;

    // A future that is dropped gives the lock back.
    let started = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&started);
    let other = tallies.clone();
    let task = tokio::spawn(async move {
        other
            .locked(&1, async |_| {
                seen.fetch_add(1, Ordering::SeqCst);
                std::future::pending::<()>().await;
                Ok(())
            })
            .await
    });
    let deadline = Instant::now() + Duration::from_secs(5);
    while started.load(Ordering::SeqCst) == 0 && Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    task.abort();
    let _ = task.await;
    tallies
        .locked(&1, async |t| {
            t.count = 3;
            Ok(())
        })
        .wait(Duration::from_secs(2))
        .await?;
    assert_eq!(tallies.get(&1).await?, Some(Tally { id: 1, count: 3 }));
    let missing = tallies.locked(&2, async |_| Ok(())).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    Ok(())
}

#[tokio::test]
async fn many_documents() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let client = client(&server).await?;
    let plains: Repository<Plain> = client.repository();
    let people: Repository<Person> = client.repository();
    let all: Vec<Plain> = (0..1200)
        .map(|id| Plain { id, name: format!("n{id}"), note: (id % 2 == 0).then(|| "x".into()) })
        .collect();
    let mut seen = Vec::new();
    assert_eq!(plains.save_all(&all).batch(500).on_progress(|done| seen.push(done)).await?, 1200);
    assert_eq!(seen, [500, 1000, 1200]);
    let many: Vec<Person> = (0..50).map(|id| person(&format!("{id}"))).collect();
    assert_eq!(people.save_all(many.iter().filter(|p| p.id != "7")).await?, 49);
    assert_eq!(people.save_all(&many[..0]).await?, 0);

    let mut found = Vec::new();
    let mut scan = plains.scan();
    while let Some(plain) = scan.next().await {
        found.push(plain?);
    }
    found.sort_by_key(|plain| plain.id);
    found.dedup();
    assert_eq!(found, all);
    let mut ids = people.scan_ids();
    let mut count = std::collections::BTreeSet::new();
    while let Some(id) = ids.next().await {
        count.insert(id?);
    }
    assert_eq!(count.len(), 49);

    client.run(Command::<Value>::new("SET").key("plain:5").arg("x")).await?;
    let error = plains.save_all(&all).await.unwrap_err();
    assert!(error.message().contains("plain:5"), "{error}");

    plains.index().sync().await?;
    plains.index().wait().await?;
    assert_eq!(plains.find(|p| p.name.eq("n7")).all().await?, [all[7].clone()]);
    assert_eq!(plains.find(|_| everything()).count().await?, 1199);
    Ok(())
}

#[tokio::test]
async fn expiry_is_told() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let client = client(&server).await?;
    let notes: Repository<Note> = client.repository();
    let error = notes.changes().expired().await.unwrap_err();
    assert!(error.message().contains("Ex"), "{error}");
    let set = Command::<Value>::new("CONFIG").arg(("SET", "notify-keyspace-events", "Ex"));
    client.run(set).await?;
    let mut changes = notes.changes().expired().await?;
    notes.insert(&note(4)).ttl(Duration::from_millis(1)).await?;
    assert!(matches!(next(&mut changes).await, Change::Saved { id: 4, .. }));
    assert_eq!(next(&mut changes).await, Change::Expired { id: 4 });
    let publish = Command::<Value>::new("PUBLISH").arg(("alizarin:changes:note", "hello"));
    client.run(publish).await?;
    let bad = changes.next().await.expect("no end").unwrap_err();
    assert_eq!(bad.kind(), ErrorKind::Decode);
    Ok(())
}

#[tokio::test]
async fn a_write_that_cannot_be_told_is_not_done() -> Outcome {
    let server = alizarin_testkit::Server::start()?;
    let admin = client(&server).await?;
    let rules = ("SETUSER", "mute", "on", ">pw", "~*", "+@all", "resetchannels");
    admin.run(Command::<Value>::new("ACL").arg(rules)).await?;
    let url = server.url().as_str().replace("://", "://mute:pw@");
    let mute = Client::connect(url.as_str()).await?;
    let people: Repository<Person> = mute.repository();
    let error = people.save(&person("a")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server(ServerCode::NoPerm), "{error}");
    assert!(!people.exists(&"a".into()).await?);
    Ok(())
}
