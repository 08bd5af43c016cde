use alizarin::prelude::*;

#[derive(RedisTimeSeries)]
struct Weather {
    #[redis(timestamp)]
    at: u64,
    #[redis(timestamp)]
    seen: u64,
    #[redis(value)]
    low: f64,
    #[redis(value)]
    high: f64,
}

fn main() {}
