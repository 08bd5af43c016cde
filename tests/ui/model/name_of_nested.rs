use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    address: Address,
    #[redis(tag)]
    address_city: String,
}

#[derive(RedisNested)]
struct Address {
    #[redis(tag)]
    city: String,
}

fn main() {}
