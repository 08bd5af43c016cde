use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Movie {
    #[redis(id, skip)]
    id: u32,
}

fn main() {}
