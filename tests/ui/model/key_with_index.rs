use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, key = "tenant:{tenant}:order:{id}", index)]
struct Order {
    #[redis(id, tag)]
    tenant: String,
    #[redis(id)]
    id: u32,
}

fn main() {}
