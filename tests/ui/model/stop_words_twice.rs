use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index, stop_words = "a the", no_stop_words)]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
