//! Names that only look alike, and attributes as serde has them.

use alizarin::prelude::*;
use alizarin::vectors::VectorAttributes;
use alizarin_testkit::Server;
use serde::{Deserialize, Serialize};

use crate::common::on;

#[derive(Debug, PartialEq, RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    address: Address,
    #[redis(tag)]
    address_note: String,
    address_city: String,
    #[redis(nested)]
    address_old: Option<Address>,
}

#[derive(Debug, PartialEq, RedisNested)]
struct Address {
    #[redis(tag)]
    city: String,
}

#[derive(Serialize, Deserialize, RedisAttributes)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Facts {
    year: u32,
    #[serde(rename = "kind", alias = "sort")]
    genre: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rating: Option<f32>,
    #[serde(skip)]
    seen: bool,
}

#[test]
fn attributes_are_named_as_serde_does() {
    let FactsFields { year, genre, rating } = <Facts as VectorAttributes>::Fields::default();
    assert_eq!((year.name(), genre.name(), rating.name()), ("YEAR", "kind", "RATING"));
    let read: Facts = serde_json::from_str(r#"{"YEAR": 1977, "sort": "drama"}"#).unwrap();
    assert_eq!(
        (read.year, read.genre.as_str(), read.rating, read.seen),
        (1977, "drama", None, false)
    );
}

#[tokio::test]
async fn names_that_look_alike_are_told_apart() {
    let movies = on::<Movie>(Server::shared().unwrap(), 3).await;
    movies.index().sync().await.unwrap();
    let city = |name: &str| Address { city: name.into() };
    let movie = Movie {
        id: 1,
        address: city("a"),
        address_note: "b".into(),
        address_city: "c".into(),
        address_old: Some(city("d")),
    };
    movies.save(&movie).await.unwrap();
    assert_eq!(movies.get(&1).await.unwrap().as_ref(), Some(&movie));
    movies.index().wait().await.unwrap();
    for (found, wanted) in [
        (movies.find(|m| m.address.city.eq("a") & m.address_note.eq("b")).count().await, 1),
        (movies.find(|m| m.address_old.city.eq("d")).count().await, 1),
        (movies.find(|m| m.address.city.eq("c") | m.address_old.city.eq("a")).count().await, 0),
    ] {
        assert_eq!(found.unwrap(), wanted);
    }
}
