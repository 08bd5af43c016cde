use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index, language = "klingon")]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
