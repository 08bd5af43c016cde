//! Names that only look alike, and attributes as serde has them.

use alizarin::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(RedisModel)]
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

#[derive(RedisNested)]
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

fn main() {
    use alizarin::vectors::VectorAttributes;

    let FactsFields { year, genre, rating } = <Facts as VectorAttributes>::Fields::default();
    assert_eq!((year.name(), genre.name(), rating.name()), ("YEAR", "kind", "RATING"));
}
