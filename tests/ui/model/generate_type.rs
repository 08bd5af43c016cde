use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Number {
    #[redis(id, generate)]
    id: u32,
}

#[derive(RedisModel)]
#[redis(hash)]
struct Text {
    #[redis(id, generate(counter))]
    id: String,
}

fn main() {}
