use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, key = "order:{number}:{tenant}")]
struct Order {
    #[redis(id)]
    tenant: String,
    #[redis(id)]
    number: u32,
}

fn main() {}
