use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Movie {
    title: String,
}

fn main() {}
