use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    stops: Vec<Address>,
}

#[derive(RedisNested)]
struct Address {
    city: String,
}

fn main() {}
