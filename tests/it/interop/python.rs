//! Redis OM Python 1.2.0: `JsonModel` and `HashModel`.

use alizarin::prelude::*;
use alizarin::query::everything;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use ulid::Ulid;
use uuid::Uuid;

use super::sample::{bio, finds_both, joined, ulid};
use super::{Raw, agrees, raw};
use crate::common::{everywhere, on};

pub(super) const FIXTURE: &str = include_str!("../../interop/fixtures/redis-om-python.txt");

#[derive(Debug, Clone, PartialEq, RedisValue)]
#[redis(rename_all = "lowercase")]
pub(super) enum Rank {
    Bronze,
    Gold,
}

#[derive(Debug, Clone, PartialEq, RedisNested)]
#[redis(layout = "redis-om-python")]
pub(super) struct Address {
    #[redis(tag)]
    pub(super) city: String,
    pub(super) street: String,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, layout = "redis-om-python", prefix = "app:person", index)]
pub(super) struct Person {
    #[redis(id)]
    pub(super) id: Ulid,
    #[redis(tag, sortable)]
    pub(super) name: String,
    #[redis(tag, text)]
    pub(super) bio: String,
    #[redis(numeric, sortable)]
    pub(super) age: u32,
    #[redis(tag)]
    pub(super) active: bool,
    #[redis(numeric)]
    pub(super) joined: DateTime<Utc>,
    pub(super) born: NaiveDate,
    #[redis(tag)]
    pub(super) nick: Option<String>,
    #[redis(tag)]
    pub(super) tags: Vec<String>,
    pub(super) rank: Rank,
    pub(super) code: Uuid,
    pub(super) price: Decimal,
    pub(super) blob: Vec<u8>,
    #[redis(nested)]
    pub(super) addr: Address,
    #[redis(vector(flat, cosine))]
    pub(super) emb: Vector<f32, 3>,
}

#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, layout = "redis-om-python", prefix = "app:card", index)]
pub(super) struct Card {
    #[redis(id)]
    pub(super) id: Ulid,
    #[redis(tag, sortable)]
    pub(super) name: String,
    #[redis(tag, text)]
    pub(super) bio: String,
    #[redis(numeric, sortable)]
    pub(super) age: u32,
    #[redis(tag)]
    pub(super) active: bool,
    #[redis(numeric)]
    pub(super) joined: DateTime<Utc>,
    pub(super) born: NaiveDate,
    #[redis(tag)]
    pub(super) nick: Option<String>,
    pub(super) rank: Rank,
    pub(super) code: Uuid,
    pub(super) price: Decimal,
    pub(super) blob: Vec<u8>,
}

pub(super) fn person(last: char, name: &str, nick: Option<&str>, active: bool) -> Person {
    Person {
        id: ulid(last),
        name: name.to_owned(),
        bio: bio(),
        age: 38,
        active,
        joined: joined(),
        born: NaiveDate::from_ymd_opt(1985, 2, 3).unwrap(),
        nick: nick.map(str::to_owned),
        tags: vec!["a".to_owned(), "b c".to_owned()],
        rank: Rank::Gold,
        code: "12345678-1234-5678-1234-567812345678".parse().unwrap(),
        price: "1.25".parse().unwrap(),
        blob: (0..=255).collect(),
        addr: Address { city: "Rome".to_owned(), street: "Via 1".to_owned() },
        emb: Vector::from([1.0, 0.5, -1.0]),
    }
}

pub(super) fn card(last: char, name: &str, nick: Option<&str>, active: bool) -> Card {
    let Person { id, name, bio, age, active, joined, born, nick, rank, code, price, blob, .. } =
        person(last, name, nick, active);
    Card { id, name, bio, age, active, joined, born, nick, rank, code, price, blob }
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
    agrees(FIXTURE, "app:person:", &people, async |all| {
        finds_both!(all, people);
        assert_eq!(all.find(|p| p.name.eq("Zoë")).count().await.unwrap(), 1);
        assert_eq!(all.find(|p| p.bio.matches("quotes tea")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.age.ge(38)).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.joined.eq(joined())).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.joined.gt(joined())).count().await.unwrap(), 0);
        assert_eq!(all.find(|p| p.tags.has("b c")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.addr.city.eq("rome")).count().await.unwrap(), 2);
        assert_eq!(all.find(|p| p.id.eq(people[1].id)).count().await.unwrap(), 1);
        assert_eq!(all.find(|p| p.nick.eq("None")).one().await.unwrap(), people[1]);
        let sorted = all.find(|_| everything()).sort_by(|p| p.name.desc()).all().await.unwrap();
        assert_eq!(sorted, [people[1].clone(), people[0].clone()]);
        let near = all.nearest(2, |p| p.emb.to([1.0, 0.5, -1.0])).all().await.unwrap();
        assert_eq!(near.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn hashes() {
    let cards = cards();
    agrees(FIXTURE, "app:card:", &cards, async |all| {
        finds_both!(all, cards);
        assert_eq!(all.find(|c| c.bio.matches("tea")).count().await.unwrap(), 2);
        assert_eq!(all.find(|c| c.joined.between(joined(), joined())).count().await.unwrap(), 2);
        assert_eq!(all.find(|c| c.id.eq(cards[0].id)).count().await.unwrap(), 1);
    })
    .await;
}

/// Single fields are written in the layout's forms too, and what is taken out becomes what the
/// mapper has for it.
#[tokio::test]
async fn single_fields() {
    let server = alizarin_testkit::Server::shared().unwrap();
    let all = on::<Person>(server, 3).await;
    let one = person('G', "Ann", Some("A"), true);
    all.save(&one).await.unwrap();
    let later = joined() + chrono::TimeDelta::days(1);
    all.set(&one.id, |p| (p.joined.to(later), p.nick.clear(), p.active.to(false))).await.unwrap();
    let Raw::Json(json) = raw::<Person>(all.client(), &all.key(&one.id)).await else { panic!() };
    for part in [r#""joined":1704255845.678"#, r#""nick":null"#, r#""active":false"#] {
        assert!(json.contains(part), "{part} in {json}");
    }
    let read = all.get(&one.id).await.unwrap().unwrap();
    assert_eq!(read, Person { joined: later, nick: None, active: false, ..one });

    let all = on::<Card>(server, 3).await;
    let one = card('J', "Ann", Some("A"), true);
    all.save(&one).await.unwrap();
    all.set(&one.id, |c| (c.active.to(false), c.joined.to(later), c.nick.clear())).await.unwrap();
    let Raw::Hash(fields) = raw::<Card>(all.client(), &all.key(&one.id)).await else { panic!() };
    assert_eq!(fields[&b"active"[..]], b"0");
    assert_eq!(fields[&b"joined"[..]], b"1704255845.678");
    assert!(!fields.contains_key(&b"nick"[..]));
}

/// What Python would not keep is refused, with the layout and the field.
#[tokio::test]
async fn what_would_not_come_back_is_refused() {
    let server = alizarin_testkit::Server::shared().unwrap();
    let all = on::<Card>(server, 2).await;
    let mut one = card('J', "Ann", None, true);
    one.joined += chrono::TimeDelta::nanoseconds(1);
    let error = all.save(&one).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("joined")));
    assert!(error.message().contains("redis-om-python keeps microseconds"), "{error}");
    let mut one = card('J', "Ann", None, true);
    one.price = "0.12345678901234567".parse().unwrap();
    let error = all.save(&one).await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("price")));
    assert_eq!(all.get(&one.id).await.unwrap(), None);

    // A tag with the separator in it can lie there, but the index took it apart.
    let error = all.find(|c| c.bio.eq("likes | tea")).count().await.unwrap_err();
    assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("bio")));
}

/// Documents without an index go through everything that documents go through, on clusters too.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, layout = "redis-om-python", prefix = ":shop.Plain", events)]
struct Plain {
    #[redis(id)]
    pk: Ulid,
    seen: std::time::SystemTime,
    place: GeoPoint,
    rate: f64,
    #[redis(version)]
    version: u64,
}

#[tokio::test]
async fn without_an_index_everywhere() {
    everywhere::<Plain>(async |all| {
        let seen = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_micros(1_500_001);
        let place = GeoPoint::new(16.0, 48.5).unwrap();
        let mut one = Plain { pk: ulid('J'), seen, place, rate: 3.0, version: 0 };
        all.save(&one).await.unwrap().apply_to(&mut one);
        assert!(all.key(&one.pk).ends_with("::shop.Plain:01HMQ5ZK3S2N9V6C8X1B4D7F0J"));
        let fields: Vec<String> = {
            let read = all.client().command("HMGET").key(all.key(&one.pk));
            read.arg(("seen", "place", "rate", "pk")).await.unwrap()
        };
        assert_eq!(fields, ["1.500001", "16.0,48.5", "3.0", "01HMQ5ZK3S2N9V6C8X1B4D7F0J"]);
        let updated = all.update(&one.pk, |plain| plain.rate = 0.5).await.unwrap();
        assert_eq!(updated, Plain { rate: 0.5, version: 2, ..one.clone() });
        assert_eq!(all.scan().next().await.unwrap().unwrap(), updated);
        assert!(all.delete(&one.pk).await.unwrap());
    })
    .await;
}
