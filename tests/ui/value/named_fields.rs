use alizarin::prelude::*;

#[derive(RedisValue)]
struct Address {
    city: String,
}

fn main() {}
