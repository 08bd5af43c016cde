use alizarin::prelude::*;

#[derive(RedisTimeSeries)]
#[redis(duplicate = "newest", retention = "1y")]
struct Weather {
    #[redis(timestamp)]
    at: u64,
    #[redis(value)]
    degrees: f64,
}

fn main() {}
