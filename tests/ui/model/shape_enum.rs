use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
enum Movie {
    Short,
    Long,
}

fn main() {}
