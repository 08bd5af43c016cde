use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Movie {
    #[redis(id)]
    id: f32,
}

fn main() {}
