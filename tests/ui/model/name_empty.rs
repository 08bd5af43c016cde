use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(rename = "")]
    score: f32,
}

fn main() {}
