use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, ttl = "soon")]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
