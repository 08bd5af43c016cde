//! All that a layout decides by itself, told of together.
use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(json, layout = "redis-om-python", key = "a:{id}:{other}", index)]
struct Python {
    #[redis(id, rename = "key")]
    id: String,
    #[redis(id, rename = "pk")]
    other: String,
    #[redis(text)]
    bio: String,
}

#[derive(RedisModel)]
#[redis(json, layout = "redisvl", prefix = "docs", index)]
struct Unnamed {
    #[redis(id, tag)]
    id: String,
}

#[derive(RedisModel)]
#[redis(json, layout = "redis-om-node", prefix = "person", class = "Person", index)]
struct Keyed {
    #[redis(id, tag)]
    id: String,
    #[redis(tag)]
    name: String,
}

fn main() {}
