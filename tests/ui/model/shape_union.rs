use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
union Movie {
    id: u32,
    other: f32,
}

fn main() {}
