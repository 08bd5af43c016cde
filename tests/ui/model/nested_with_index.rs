use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(nested, tag)]
    address: Address,
    #[redis(nested, sortable)]
    home: Address,
}

#[derive(RedisNested)]
struct Address {
    city: String,
}

fn main() {}
