use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, layout = "redis-om-ruby", prefix = "a")]
struct Unknown {
    #[redis(id)]
    id: u32,
}

fn main() {}
