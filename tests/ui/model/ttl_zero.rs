use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, ttl = "0s")]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
