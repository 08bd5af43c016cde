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
    id: u32,
}

#[derive(RedisModel)]
#[redis(hash, prefix = "other")]
struct Other {
    #[redis(id)]
    id: u32,
}

fn other(others: &Repository<Other>) {
    let _ = others.get(&1).project::<Card>();
}

fn whole(films: &Repository<Film>) {
    let _ = films.get(&1).project::<Film>();
}

fn main() {}
