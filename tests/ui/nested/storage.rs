use alizarin::prelude::*;

#[derive(RedisNested)]
#[redis(hash)]
struct Address {
    city: String,
}

fn main() {}
