use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(version, skip)]
    version: u64,
}

fn main() {}
