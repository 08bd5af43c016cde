use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, rename_all = "Camel")]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
