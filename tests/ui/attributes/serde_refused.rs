use std::collections::BTreeMap;

use alizarin::prelude::*;
use serde::Serialize;

#[derive(Serialize, RedisAttributes)]
struct Facts {
    #[serde(flatten)]
    more: BTreeMap<String, u32>,
    #[serde(skip_serializing)]
    secret: String,
    #[serde(serialize_with = "in_words")]
    year: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    fine: Option<u32>,
    #[serde(skip)]
    fine_too: u32,
}

#[derive(Clone, Serialize, RedisAttributes)]
#[serde(into = "u32")]
struct Number {
    year: u32,
}

impl From<Number> for u32 {
    fn from(number: Number) -> u32 {
        number.year
    }
}

fn in_words<S: serde::Serializer>(year: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format!("the year {year}"))
}

fn main() {}
