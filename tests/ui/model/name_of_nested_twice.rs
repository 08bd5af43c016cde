use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(json, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    set: Place,
    #[redis(nested)]
    set_city: City,
}

#[derive(RedisNested)]
struct Place {
    #[redis(tag)]
    city_name: String,
}

#[derive(RedisNested)]
struct City {
    #[redis(tag)]
    name: String,
}

#[derive(RedisNested)]
struct Deeper {
    #[redis(nested)]
    city: Option<City>,
    #[redis(tag)]
    city_name: String,
}

#[derive(RedisModel)]
#[redis(json)]
struct Reserved {
    #[redis(id)]
    id: u32,
    #[redis(nested, rename = "_")]
    city: City,
}

fn main() {}
