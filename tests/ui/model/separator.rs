use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(tag(separator = "||"))]
    genre: String,
    #[redis(tag(separator = "é"))]
    cast: Vec<String>,
}

fn main() {}
