use alizarin::prelude::*;

#[derive(RedisNested)]
struct Address {
    #[redis(id)]
    city: String,
    #[redis(version)]
    version: u64,
}

fn main() {}
