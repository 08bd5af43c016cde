use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    title: String,
    #[redis(rename = "title")]
    name: String,
}

fn main() {}
