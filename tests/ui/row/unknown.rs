use alizarin::prelude::*;

#[derive(RedisRow)]
struct Stats {
    #[redis(alias = "mean")]
    mean: f64,
}

fn main() {}
