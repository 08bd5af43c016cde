use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, prefix = "")]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
