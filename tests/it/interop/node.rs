//! Redis OM for Node.js 0.4.7, whose ids lie in the keys alone.

use alizarin::prelude::*;
use alizarin_testkit::Server;
use chrono::{DateTime, Utc};
use ulid::Ulid;

use super::agrees;
use super::sample::{bio, finds_both, here, joined, ulid};
use crate::common::{everywhere, on};

const FIXTURE: &str = include_str!("../../interop/fixtures/redis-om-node.txt");

#[derive(Debug, Clone, PartialEq, RedisNested)]
#[redis(layout = "redis-om-node")]
pub(super) struct Address {
    #[redis(tag)]
    city: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, layout = "redis-om-node", prefix = "person", index)]
pub(super) struct Person {
    #[redis(id)]
    pub(super) id: Ulid,
    #[redis(tag(case_sensitive))]
    pub(super) name: String,
    #[redis(text, sortable)]
    bio: String,
    #[redis(numeric, sortable)]
    age: u32,
    #[redis(tag)]
    active: bool,
    #[redis(numeric, sortable)]
    joined: DateTime<Utc>,
    #[redis(tag)]
    nick: Option<String>,
    #[redis(geo)]
    loc: GeoPoint,
    #[redis(tag)]
    tags: Vec<String>,
    #[redis(numeric)]
    nums: Vec<f64>,
    #[redis(nested)]
    addr: Address,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, layout = "redis-om-node", prefix = "card", index)]
pub(super) struct Card {
    #[redis(id)]
    pub(super) id: Ulid,
    #[redis(tag(case_sensitive), sortable)]
    name: String,
    #[redis(text, sortable)]
    bio: String,
    #[redis(numeric, sortable)]
    age: u32,
    #[redis(tag)]
    active: bool,
    #[redis(numeric, sortable)]
    joined: DateTime<Utc>,
    #[redis(tag)]
    nick: Option<String>,
    #[redis(geo)]
    loc: GeoPoint,
    #[redis(tag(separator = ";"))]
    tags: Vec<String>,
}

pub(super) fn person(last: char, name: &str, nick: Option<&str>, active: bool) -> Person {
    Person {
        id: ulid(last),
        name: name.to_owned(),
        bio: bio(),
        age: 38,
        active,
        joined: joined(),
        nick: nick.map(str::to_owned),
        loc: here(),
        tags: vec!["a".to_owned(), "b c".to_owned()],
        nums: vec![1.0, 2.5],
        addr: Address { city: "Rome".to_owned() },
    }
}

fn card(last: char, name: &str, nick: Option<&str>, active: bool) -> Card {
    let Person { id, name, bio, age, active, joined, nick, loc, tags, .. } =
        person(last, name, nick, active);
    Card { id, name, bio, age, active, joined, nick, loc, tags }
}

pub(super) fn people() -> Vec<Person> {
    vec![person('G', "Ann", None, true), person('H', "Zoë", Some("None"), false)]
}

pub(super) fn cards() -> Vec<Card> {
    vec![card('J', "Ann", None, true), card('K', "Zoë", Some("Z"), false)]
}

#[tokio::test]
async fn json_documents() {
    let people = people();
    agrees(FIXTURE, "person:", &people, async |all| {
        finds_both!(all, people);
        assert_eq!(all.find(|p| p.name.eq("ann")).count().await.unwrap(), 0);
        assert_eq!(all.find(|p| p.bio.matches("tea")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.addr.city.eq("Rome")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.nums.gt(2)).count().await.unwrap(), 2);
        let late = all.find(|p| p.joined.ge(joined())).sort_by(|p| p.age.asc());
        assert_eq!(late.all().await.unwrap().len(), 2);
        let mut ids: Vec<Ulid> = Vec::new();
        let mut scan = all.scan();
        while let Some(person) = scan.next().await.transpose().unwrap() {
            ids.push(person.id);
        }
        ids.sort();
        assert_eq!(ids, [people[0].id, people[1].id]);
    })
    .await;
}

#[tokio::test]
async fn hashes() {
    let cards = cards();
    agrees(FIXTURE, "card:", &cards, async |all| {
        finds_both!(all, cards);
        assert_eq!(all.find(|c| c.tags.has("b c")).count().await.unwrap(), 2);
        let ids: Vec<Ulid> = cards.iter().map(|card| card.id).collect();
        let found: Vec<_> = all.get_many(&ids).await.unwrap().into_iter().flatten().collect();
        assert_eq!(found, cards);
    })
    .await;
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, layout = "redis-om-node", prefix = "note", hooks)]
struct Note {
    #[redis(id)]
    id: String,
    text: Option<String>,
    #[redis(skip)]
    seen: String,
}

impl alizarin::model::Hooks for Note {
    fn after_load(&mut self) -> Result<()> {
        self.seen.clone_from(&self.id);
        Ok(())
    }
}

fn note(id: &str, text: &str) -> Note {
    Note { id: id.to_owned(), text: Some(text.to_owned()), seen: id.to_owned() }
}

#[tokio::test]
async fn the_id_comes_from_the_key() {
    everywhere::<Note>(async |all| {
        let one = note("a:b", "x");
        assert!(all.save(&one).await.unwrap().created);
        assert_eq!(all.get(&one.id).await.unwrap().as_ref(), Some(&one));
        let fields: Vec<String> =
            all.client().command("HGETALL").key(all.key(&one.id)).await.unwrap();
        assert_eq!(fields, ["text", "x"]);
        let two = all.update(&one.id, |note| note.text = Some("y".to_owned())).await.unwrap();
        assert_eq!(two, note("a:b", "y"));
        // Not even where the namespace holds the prefix.
        let deeper = all.with_namespace(format!("{}note:", all.namespace()));
        deeper.save(&one).await.unwrap();
        assert_eq!(deeper.get(&one.id).await.unwrap(), Some(one.clone()));

        let error = all.save(&note("note:c", "x")).await.unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("id")));
        let error = all.save(&Note { text: None, ..note("c", "") }).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
    })
    .await;
}

#[tokio::test]
async fn integers_are_doubles() {
    #[derive(Debug, RedisModel)]
    #[redis(json, layout = "redis-om-node", prefix = "count")]
    struct Count {
        #[redis(id)]
        id: Ulid,
        all: u64,
    }
    let counts = on::<Count>(Server::shared().unwrap(), 3).await;
    let error = counts.save(&Count { id: ulid('G'), all: (1 << 53) + 1 }).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("all")));
    let cache = counts.client().cache(alizarin::CacheConfig::new()).await.unwrap();
    counts.save(&Count { id: ulid('G'), all: 1 << 53 }).await.unwrap();
    let error = counts.cached(&cache).get(&ulid('G')).await.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}
