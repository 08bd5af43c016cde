use std::time::Duration;

use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, layout = "redis-om-python", prefix = "app:a")]
struct Long {
    #[redis(id)]
    id: String,
    takes: Option<Duration>,
}

#[derive(RedisModel)]
#[redis(hash, layout = "redis-om-python", prefix = "app:a", index)]
struct Listed {
    #[redis(id)]
    id: String,
    #[redis(tag)]
    tags: Vec<String>,
}

#[derive(RedisNested)]
#[redis(layout = "redis-om-python")]
struct Address {
    city: String,
    #[redis(nested)]
    place: Place,
}

#[derive(RedisNested)]
struct Place {
    x: f64,
}

#[derive(RedisModel)]
#[redis(hash, layout = "redis-om-python", prefix = "app:a")]
struct Inside {
    #[redis(id)]
    id: String,
    #[redis(nested)]
    address: Address,
}

#[derive(RedisModel)]
#[redis(json, layout = "redis-om-python", prefix = "app:a")]
struct Deeper {
    #[redis(id)]
    id: String,
    #[redis(nested)]
    address: Address,
}

#[derive(RedisModel)]
#[redis(json, prefix = "a")]
struct Native {
    #[redis(id)]
    id: String,
    #[redis(nested)]
    address: Address,
}

#[derive(RedisModel)]
#[redis(json, layout = "redis-om-python", prefix = "app:a")]
struct Stamped {
    #[redis(id)]
    id: String,
    #[redis(created_at)]
    at: std::time::SystemTime,
}

#[derive(RedisModel)]
#[redis(hash, layout = "redis-om-spring", prefix = "com.x.A")]
struct NoTags {
    #[redis(id)]
    id: String,
    tags: Vec<String>,
}

fn main() {}
