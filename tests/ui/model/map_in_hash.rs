use std::collections::BTreeMap;

use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Item {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    labels: BTreeMap<String, String>,
}

fn main() {}
