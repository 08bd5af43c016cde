//! Redis OM Spring: `@Document` and `@RedisHash`.

use alizarin::prelude::*;
use alizarin_testkit::Server;
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use ulid::Ulid;

use super::agrees;
use super::sample::{finds_both, here, joined, ulid};
use crate::common::on;

const FIXTURE: &str = include_str!("../../interop/fixtures/redis-om-spring.txt");

#[derive(Debug, Clone, PartialEq, RedisNested)]
#[redis(layout = "redis-om-spring")]
struct Address {
    #[redis(tag)]
    city: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, layout = "redis-om-spring", prefix = "com.x.Person", index)]
struct Person {
    #[redis(id)]
    id: Ulid,
    #[redis(tag)]
    name: String,
    #[redis(text)]
    bio: String,
    #[redis(numeric, sortable)]
    age: u32,
    #[redis(tag)]
    active: bool,
    #[redis(numeric)]
    joined_at: DateTime<Utc>,
    nick: Option<String>,
    #[redis(geo)]
    loc: GeoPoint,
    #[redis(tag)]
    tags: Vec<String>,
    price: Decimal,
    #[redis(nested)]
    address: Address,
    #[redis(vector(hnsw, l2))]
    emb: Vector<f32, 3>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, layout = "redis-om-spring", prefix = "com.x.Card", index)]
struct Card {
    #[redis(id)]
    id: i64,
    #[redis(tag)]
    name: String,
    #[redis(tag)]
    active: bool,
    #[redis(numeric)]
    joined_at: DateTime<Utc>,
    rate: f64,
    nick: Option<String>,
    #[redis(tag)]
    tags: Vec<String>,
    #[redis(nested)]
    address: Address,
}

fn person(last: char, name: &str, nick: Option<&str>, active: bool) -> Person {
    Person {
        id: ulid(last),
        name: name.to_owned(),
        bio: "likes tea".to_owned(),
        age: 38,
        active,
        joined_at: joined(),
        nick: nick.map(str::to_owned),
        loc: here(),
        tags: vec!["a-b".to_owned(), "c".to_owned()],
        price: "1.25".parse().unwrap(),
        address: Address { city: "Rome".to_owned() },
        emb: Vector::from([1.0, 0.5, -1.0]),
    }
}

fn card(id: i64, name: &str, nick: Option<&str>, active: bool) -> Card {
    Card {
        id,
        name: name.to_owned(),
        active,
        joined_at: joined(),
        rate: 1.0,
        nick: nick.map(str::to_owned),
        tags: vec!["a-b".to_owned(), "c d".to_owned()],
        address: Address { city: "Rome".to_owned() },
    }
}

#[tokio::test]
async fn json_documents() {
    let people = [person('G', "Ann", None, true), person('H', "Zoë", Some("Z"), false)];
    agrees(FIXTURE, "com.x.Person", &people, async |all| {
        finds_both!(all, people);
        assert_eq!(all.find(|p| p.joined_at.eq(joined())).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.tags.has("a-b")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.address.city.eq("Rome")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.id.eq(people[0].id)).count().await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn hashes() {
    let cards = [card(7, "Ann", None, true), card(8, "Zoë", Some("Z"), false)];
    agrees(FIXTURE, "com.x.Card", &cards, async |all| {
        finds_both!(all, cards);
        // The index holds what the hash does: with the backslash.
        assert_eq!(all.find(|c| c.tags.has("a-b")).count().await.unwrap(), 2);
        assert_eq!(all.find(|c| c.tags.has("c d")).count().await.unwrap(), 2);
        assert_eq!(all.find(|c| c.id.ge(8)).one().await.unwrap(), cards[1]);
    })
    .await;
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, layout = "redis-om-spring", prefix = "cards", class = "com.x.Other", index)]
struct Other {
    #[redis(id)]
    id: i64,
    #[redis(tag)]
    tags: Vec<String>,
}

#[tokio::test]
async fn classes_and_what_a_list_cannot_hold() {
    let all = on::<Other>(Server::shared().unwrap(), 3).await;
    assert_eq!(all.index().name().unwrap(), format!("{}cardsIdx", all.namespace()));
    let other = |tag: &str| Other { id: 1, tags: vec![tag.to_owned()] };
    for tag in ["a|b", "a\\b"] {
        let error = all.save(&other(tag)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Value);
        assert!(error.field().unwrap().starts_with("tags"), "{error}");
    }
    all.save(&other("a,b")).await.unwrap();
    assert_eq!(all.get(&1).await.unwrap(), Some(other("a,b")));
    let fields: Vec<String> =
        all.client().command("HMGET").key(all.key(&1)).arg(("_class", "tags")).await.unwrap();
    assert_eq!(fields, ["com.x.Other", "a\\,b"]);
}
