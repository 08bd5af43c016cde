use alizarin::prelude::*;

#[derive(RedisTimeSeries)]
struct Weather {
    #[redis(label)]
    station: String,
}

fn main() {}
