use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(index)]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
