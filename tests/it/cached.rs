//! Documents read through a cache: decoded once, and never older than a change that was told of.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use alizarin::prelude::*;
use alizarin::repository::CachedRepository;
use alizarin::{Cache, CacheConfig};
use alizarin_testkit::{Cluster, Server};

use crate::common::{connect, eventually, namespace, on, spoil};

/// A repository, and the same one read through a cache on another connection.
async fn pair<M: RedisModel>() -> (Repository<M>, CachedRepository<M>) {
    let server = Server::shared().unwrap();
    let notes: Repository<M> = on(server, 3).await;
    let cache = connect(server, 3).await.cache(CacheConfig::new()).await.unwrap();
    let cached = notes.cached(&cache);
    (notes, cached)
}

crate::each_storage! {
    async fn a_document_is_decoded_once_and_followed() {
        let (notes, cached) = pair::<Note>().await;
        assert_eq!(cached.get(&1).await.unwrap(), None);
        notes.save(&note(1, "first")).await.unwrap();
        eventually("the first", async || {
            cached.get(&1).await.unwrap().is_some_and(|kept| *kept == note(1, "first"))
        })
        .await;
        let (one, other) = (cached.get(&1).await.unwrap(), cached.get(&1).await.unwrap());
        assert!(Arc::ptr_eq(&one.unwrap(), &other.unwrap()));
        notes.update(&1, |note| note.count = 7).await.unwrap();
        eventually("the update", async || cached.get(&1).await.unwrap().unwrap().count == 7).await;
        notes.set(&1, |n| n.text.to("set")).await.unwrap();
        eventually("the field", async || cached.get(&1).await.unwrap().unwrap().text == "set").await;
        assert!(notes.delete(&1).await.unwrap());
        eventually("the deletion", async || cached.get(&1).await.unwrap().is_none()).await;
    }

    async fn own_writes_are_seen_after_forgetting() {
        let (notes, cached) = pair::<Note>().await;
        for n in 0..50 {
            notes.save(&Note { count: n, ..note(1, "x") }).await.unwrap();
            cached.forget(&1);
            assert_eq!(cached.get(&1).await.unwrap().unwrap().count, n);
        }
    }

    async fn many_are_read_at_once_and_only_those_that_are_missing() {
        let (notes, cached) = pair::<Note>().await;
        let all: Vec<Note> = (0..1_200).map(|id| note(id, "x")).collect();
        notes.save_all(&all).await.unwrap();
        let ids: Vec<u32> = (0..1_300).collect();
        let first = cached.get_many(&ids).await.unwrap();
        for (id, document) in (0..).zip(&first) {
            let expected = (id < 1_200).then(|| note(id, "x"));
            assert_eq!(document.as_deref(), expected.as_ref());
        }
        assert_eq!(cached.cache().metrics().misses, 1_300);
        notes.save(&note(600, "y")).await.unwrap();
        cached.forget(&600);
        let second = cached.get_many(&ids).await.unwrap();
        assert_eq!(cached.cache().metrics().misses, 1_301);
        let same = |one: &Option<Arc<Note>>, other: &Option<Arc<Note>>| {
            one.as_ref().map(Arc::as_ptr) == other.as_ref().map(Arc::as_ptr)
        };
        let changed: HashSet<usize> =
            (0..ids.len()).filter(|at| !same(&first[*at], &second[*at])).collect();
        assert_eq!(changed, HashSet::from([600]));
        assert_eq!(cached.get_many(&[]).await.unwrap(), []);
    }

    async fn a_document_that_expires_is_gone() {
        let (visits, cached) = pair::<Visit>().await;
        visits.save(&Visit { id: 1, text: "x".into(), label: None }).await.unwrap();
        eventually("it is read", async || cached.get(&1).await.unwrap().is_some()).await;
        visits.expire(&1, Duration::from_millis(20)).await.unwrap();
        eventually("its end", async || cached.get(&1).await.unwrap().is_none()).await;
    }

    async fn what_is_no_document_names_its_key() {
        let (notes, cached) = pair::<Note>().await;
        spoil(&notes, &1).await;
        for _ in 0..2 {
            let error = cached.get(&1).await.unwrap_err();
            assert_eq!(error.server_code(), Some(alizarin::ServerCode::WrongType), "{error}");
            assert!(error.to_string().contains(&notes.key(&1)), "{error}");
            let error = cached.get_many(&[1]).await.unwrap_err();
            assert!(error.to_string().contains(&notes.key(&1)), "{error}");
        }
        assert_eq!(cached.cache().metrics().entries, 0);
    }

    async fn many_tasks_read_one_document_once() {
        let (notes, cached) = pair::<Note>().await;
        notes.save(&note(1, "x")).await.unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let cached = cached.clone();
                tokio::spawn(async move { cached.get(&1).await.unwrap().unwrap() })
            })
            .collect();
        let mut seen = HashSet::new();
        for task in tasks {
            seen.insert(Arc::as_ptr(&task.await.unwrap()).addr());
        }
        assert_eq!((seen.len(), cached.cache().metrics().misses), (1, 1));
    }

    async fn a_cache_by_prefixes_serves_its_models() {
        let server = Server::shared().unwrap();
        let client = connect(server, 3).await;
        let space = namespace(server);
        let config = CacheConfig::new().broadcast([format!("{space}note:")]);
        let cache: Cache = client.cache(config).await.unwrap();
        let notes = client.repository::<Note>().with_namespace(space.as_str());
        let cached = notes.cached(&cache);
        notes.save(&note(1, "x")).await.unwrap();
        eventually("read", async || cached.get(&1).await.unwrap().is_some()).await;
        notes.save(&note(1, "y")).await.unwrap();
        eventually("followed", async || cached.get(&1).await.unwrap().unwrap().text == "y").await;
        let cases = client.repository::<Case>().with_namespace(space.as_str()).cached(&cache);
        assert_eq!(cases.get(&1).await.unwrap_err().kind(), ErrorKind::Usage);
    }
}

#[tokio::test]
async fn a_cache_is_one_of_its_database() {
    use crate::common::hash::{Note, note};

    let server = Server::shared().unwrap();
    let space = namespace(server);
    let of = async |database: u32| {
        let config: alizarin::Config = server.url().parse().unwrap();
        Client::connect(config.database(database)).await.unwrap()
    };
    let (first, second) = (of(0).await, of(2).await);
    let notes = |client: &Client| client.repository::<Note>().with_namespace(space.as_str());
    notes(&first).save(&note(1, "first")).await.unwrap();
    notes(&second).save(&note(1, "second")).await.unwrap();
    for (client, text) in [(&first, "first"), (&second, "second")] {
        let cached = notes(client).cached(&client.cache(CacheConfig::new()).await.unwrap());
        assert_eq!(cached.get(&1).await.unwrap().unwrap().text, text);
        notes(client).set(&1, |n| n.text.to("new")).await.unwrap();
        eventually("the new", async || cached.get(&1).await.unwrap().unwrap().text == "new").await;
    }
    let cache = second.cache(CacheConfig::new()).await.unwrap();
    let cached = notes(&first).cached(&cache);
    for error in [cached.get(&1).await.unwrap_err(), cached.get_many(&[1]).await.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("another database"), "{error}");
        assert!(error.to_string().contains(&notes(&first).key(&1)), "{error}");
    }
    assert_eq!(cache.metrics().misses, 0);
    assert!(notes(&second).delete(&1).await.unwrap());
}

#[tokio::test]
async fn a_kept_document_counts_with_its_struct() {
    use alizarin::RedisModel;

    #[derive(RedisModel, Debug, Clone, PartialEq)]
    #[redis(hash, prefix = "wide")]
    struct Wide {
        #[redis(id)]
        id: u32,
        bytes: Option<[u8; 512]>,
    }
    let server = Server::shared().unwrap();
    let wide: Repository<Wide> = on(server, 3).await;
    wide.save(&Wide { id: 1, bytes: None }).await.unwrap();
    let cache = connect(server, 3).await.cache(CacheConfig::new()).await.unwrap();
    wide.cached(&cache).get(&1).await.unwrap().unwrap();
    assert!(cache.metrics().bytes > size_of::<Wide>() + 250, "{:?}", cache.metrics());
}

#[test]
fn a_blocking_client_reads_through_a_cache() {
    use crate::common::hash::{Note, note};
    use alizarin::blocking::prelude::*;

    let (server, cluster) = (Server::shared().unwrap(), Cluster::shared().unwrap());
    for url in [server.url(), cluster.url()] {
        let client = Client::connect(url.as_str()).unwrap();
        let notes: Repository<Note> = client.repository().with_namespace(namespace(server));
        let cache = client.cache(CacheConfig::new()).run().unwrap();
        let cached = notes.cached(&cache);
        for n in 0..20 {
            for id in [1, 2, 3] {
                notes.save(&Note { count: n, ..note(id, "x") }).run().unwrap();
                cached.forget(&id);
                assert_eq!(cached.get(&id).run().unwrap().unwrap().count, n);
            }
        }
        let found = cached.get_many(&[1, 4, 2, 3]).run().unwrap();
        let kept: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(kept, [true, false, true, true]);
    }
}

#[tokio::test]
async fn a_cache_follows_the_documents_of_a_cluster() {
    use crate::common::json::{Note, note};

    let client = Client::connect(Cluster::shared().unwrap().url().as_str()).await.unwrap();
    let space = namespace(Server::shared().unwrap());
    let notes: Repository<Note> = client.repository().with_namespace(space);
    let cached = notes.cached(&client.cache(CacheConfig::new()).await.unwrap());
    for id in 0..30 {
        notes.save(&note(id, "first")).await.unwrap();
        assert_eq!(cached.get(&id).await.unwrap().unwrap().text, "first");
    }
    for id in 0..30 {
        notes.set(&id, |n| n.text.to("second")).await.unwrap();
        let is_new = async || cached.get(&id).await.unwrap().unwrap().text == "second";
        eventually("the second", is_new).await;
    }
}
