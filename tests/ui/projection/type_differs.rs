use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(json, prefix = "film", rename_all = "camelCase")]
struct Film {
    #[redis(id)]
    id: u32,
    full_title: String,
    rating: Option<f32>,
    #[redis(nested)]
    maker: Maker,
    #[redis(nested)]
    cast: Vec<Maker>,
}

#[derive(RedisNested)]
struct Maker {
    name: String,
}

#[derive(RedisProjection)]
#[redis(of = Film)]
struct Card {
    full_title: u32,
    rating: f32,
}

fn main() {}
