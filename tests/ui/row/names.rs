use alizarin::prelude::*;

#[derive(RedisRow)]
struct Stats {
    mean: f64,
    #[redis(rename = "mean")]
    average: f64,
}

fn main() {}
