use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(version)]
    version: u64,
    #[redis(version)]
    revision: u64,
}

fn main() {}
