use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, prefix = "film")]
struct OldFilm {
    #[redis(id)]
    id: u32,
}

#[derive(RedisModel)]
#[redis(hash, prefix = "film", upgrade_from = OldFilm)]
struct Film {
    #[redis(id)]
    id: u32,
    title: String,
}

fn main() {}
