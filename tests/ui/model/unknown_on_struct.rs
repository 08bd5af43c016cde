use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, indexed)]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
