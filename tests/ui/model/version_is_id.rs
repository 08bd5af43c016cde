use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Movie {
    #[redis(id, version)]
    id: u64,
}

fn main() {}
