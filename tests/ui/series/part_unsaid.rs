use alizarin::prelude::*;

#[derive(RedisTimeSeries)]
struct Weather {
    station: String,
    #[redis(timestamp)]
    at: u64,
    #[redis(value)]
    degrees: f64,
}

fn main() {}
