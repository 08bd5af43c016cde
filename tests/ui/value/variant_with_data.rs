use alizarin::prelude::*;

#[derive(RedisValue)]
enum Genre {
    Drama,
    Other(String),
}

fn main() {}
