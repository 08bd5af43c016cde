use alizarin::prelude::*;

type Marks = Vec<f64>;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(numeric)]
    marks: Marks,
}

#[derive(RedisModel)]
#[redis(hash)]
struct Show {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    rating: Option<Rating>,
}

#[derive(RedisNested)]
struct Rating {
    #[redis(numeric)]
    marks: Vec<f64>,
}

#[derive(RedisModel)]
#[redis(hash)]
struct Series {
    #[redis(id)]
    id: u32,
    #[redis(nested)]
    cast: Cast,
}

#[derive(RedisNested)]
struct Cast {
    #[redis(nested)]
    people: Vec<Person>,
}

#[derive(RedisNested)]
struct Person {
    name: String,
}

fn main() {}
