use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, key = "order:{id")]
struct Order {
    #[redis(id)]
    id: u32,
}

#[derive(RedisModel)]
#[redis(hash, key = "{id}:order")]
struct Backwards {
    #[redis(id)]
    id: u32,
}

#[derive(RedisModel)]
#[redis(hash, key = "order:{tenant}{id}%x")]
struct Close {
    #[redis(id)]
    tenant: String,
    #[redis(id)]
    id: u32,
}

#[derive(RedisModel)]
#[redis(hash, key = "@order:{id}")]
struct Tenants {
    #[redis(id)]
    id: u32,
}

fn main() {}
