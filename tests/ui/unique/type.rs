use std::collections::BTreeMap;

use alizarin::{GeoPoint, RedisModel, RedisValue};

#[derive(RedisValue)]
struct Degrees(f64);

#[derive(RedisModel)]
#[redis(json, unique(a, b))]
struct Thing {
    #[redis(id)]
    id: u32,
    #[redis(unique)]
    float: f64,
    #[redis(unique)]
    newtype: Option<Degrees>,
    #[redis(unique)]
    list: Vec<String>,
    #[redis(unique)]
    map: BTreeMap<String, String>,
    a: GeoPoint,
    b: String,
}

fn main() {}
