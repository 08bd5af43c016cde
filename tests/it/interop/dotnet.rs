//! Redis OM .NET: `[Document(StorageType = StorageType.Json)]` and hashes.

use alizarin::prelude::*;
use chrono::{DateTime, FixedOffset, Utc};
use rust_decimal::Decimal;
use ulid::Ulid;

use super::agrees;
use super::sample::{finds_both, here, joined, ulid};

const FIXTURE: &str = include_str!("../../interop/fixtures/redis-om-dotnet.txt");

#[derive(Debug, Clone, PartialEq, RedisNested)]
#[redis(layout = "redis-om-dotnet")]
struct Address {
    #[redis(tag)]
    city: String,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
#[redis(layout = "redis-om-dotnet")]
struct Plain {
    city: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, layout = "redis-om-dotnet", prefix = "Ns.Person", index)]
struct Person {
    #[redis(id)]
    id: Ulid,
    #[redis(text, sortable, index_missing, index_empty)]
    name: String,
    #[redis(tag, index_missing, index_empty)]
    tag: Option<String>,
    #[redis(numeric, sortable)]
    age: u32,
    #[redis(tag)]
    nick_names: Vec<String>,
    #[redis(tag)]
    active: bool,
    #[redis(numeric)]
    joined_at: DateTime<Utc>,
    #[redis(geo)]
    home: GeoPoint,
    #[redis(nested)]
    address: Address,
    #[redis(vector(hnsw, l2))]
    embedding: Vector<f64, 3>,
    seen: DateTime<FixedOffset>,
    price: Decimal,
    blob: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, layout = "redis-om-dotnet", prefix = "Ns.Card", index)]
struct Card {
    #[redis(id)]
    id: Ulid,
    #[redis(tag)]
    name: String,
    #[redis(tag)]
    active: bool,
    #[redis(numeric, sortable)]
    joined_at: DateTime<Utc>,
    #[redis(geo)]
    home: GeoPoint,
    #[redis(vector(flat, cosine))]
    embedding: Vector<f32, 3>,
    rate: f64,
    seen: DateTime<FixedOffset>,
    price: Decimal,
    nick: Option<String>,
    #[redis(nested)]
    address: Plain,
}

fn seen() -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339("2024-01-02T06:24:05.678+02:00").unwrap()
}

fn person(last: char, name: &str, tag: Option<&str>, active: bool) -> Person {
    Person {
        id: ulid(last),
        name: name.to_owned(),
        tag: tag.map(str::to_owned),
        age: 38,
        nick_names: vec!["A".to_owned(), "B".to_owned()],
        active,
        joined_at: joined(),
        home: here(),
        address: Address { city: "Rome".to_owned() },
        embedding: Vector::from([1.0, 0.5, -1.0]),
        seen: seen(),
        price: "1.25".parse().unwrap(),
        blob: vec![0, 1, 2],
    }
}

fn card(last: char, name: &str, nick: Option<&str>, active: bool) -> Card {
    Card {
        id: ulid(last),
        name: name.to_owned(),
        active,
        joined_at: joined(),
        home: here(),
        embedding: Vector::from([1.0, 0.5, -1.0]),
        rate: 1.0,
        seen: seen(),
        price: "1.10".parse().unwrap(),
        nick: nick.map(str::to_owned),
        address: Plain { city: "Rome".to_owned() },
    }
}

#[tokio::test]
async fn json_documents() {
    let people = [person('G', "Ann", Some("a"), true), person('H', "Zoë", None, false)];
    agrees(FIXTURE, "Ns.Person person-idx", &people, async |all| {
        assert_eq!(all.find(|p| p.name.matches("ann")).one().await.unwrap(), people[0]);
        assert_eq!(all.find(|p| p.tag.is_missing()).one().await.unwrap(), people[1]);
        assert_eq!(all.find(|p| p.active.eq(false)).one().await.unwrap(), people[1]);
        assert_eq!(all.find(|p| p.joined_at.eq(joined())).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.nick_names.has("A")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.address.city.eq("Rome")).count().await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn hashes() {
    let cards = [card('J', "Ann", None, true), card('K', "Zoë", Some("Z"), false)];
    agrees(FIXTURE, "Ns.Card card-idx", &cards, async |all| {
        finds_both!(all, cards);
        assert_eq!(all.find(|c| c.joined_at.le(joined())).count().await.unwrap(), 2);
        let near = all.nearest(2, |c| c.embedding.to([1.0, 0.5, -1.0])).all().await.unwrap();
        assert_eq!(near.len(), 2);
    })
    .await;
}
