use alizarin::prelude::*;

#[derive(RedisTimeSeries)]
struct Weather {
    #[redis(timestamp)]
    at: String,
    #[redis(value)]
    degrees: String,
}

fn main() {}
