use alizarin::prelude::*;

struct Mean(f64);

#[derive(RedisRow)]
struct Stats {
    mean: Mean,
}

fn main() {}
