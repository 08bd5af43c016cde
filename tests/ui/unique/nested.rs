use alizarin::{RedisModel, RedisNested};

#[derive(RedisNested)]
struct Address {
    #[redis(unique)]
    street: String,
}

#[derive(RedisModel)]
#[redis(json)]
struct Person {
    #[redis(id)]
    id: u32,
    #[redis(nested, unique)]
    address: Option<Address>,
}

fn main() {}
