use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, prefix = "a", prefix = "b")]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
