use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Movie<T> {
    #[redis(id)]
    id: u32,
    extra: T,
}

fn main() {}
