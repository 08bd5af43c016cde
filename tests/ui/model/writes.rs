use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(json, hooks = "on")]
struct Login {
    #[redis(id)]
    id: u32,
    #[redis(ttl = "1h")]
    token: Option<String>,
    #[redis(created_at, updated_at)]
    both: u64,
    #[redis(created_at)]
    again: u64,
    #[redis(updated_at, skip)]
    skipped: u64,
    #[redis(validate)]
    name: String,
    #[redis(skip, validate = "path::to")]
    not_stored: String,
}

#[derive(RedisModel)]
#[redis(hash)]
struct Session {
    #[redis(id, ttl = "1h")]
    id: u32,
    #[redis(ttl = "soon")]
    token: Option<String>,
    #[redis(ttl)]
    name: String,
    #[redis(created_at, ttl)]
    created: Option<u64>,
    #[redis(skip, ttl)]
    skipped: u64,
}

#[derive(RedisNested)]
struct Inside {
    #[redis(ttl = "1h")]
    token: Option<String>,
    #[redis(created_at)]
    created: u64,
    #[redis(validate = "check")]
    name: String,
}

fn main() {}
