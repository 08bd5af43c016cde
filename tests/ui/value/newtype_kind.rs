use alizarin::prelude::*;

#[derive(RedisValue)]
struct Minutes(u32);

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(text)]
    runtime: Minutes,
}

fn main() {}
