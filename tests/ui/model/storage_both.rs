use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, json)]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
