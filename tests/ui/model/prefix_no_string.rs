use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, prefix = 7)]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
