use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, language = "german")]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    genre: String,
}

fn main() {}
