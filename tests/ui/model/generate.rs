use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct NoId {
    #[redis(id)]
    id: u32,
    #[redis(generate)]
    other: Ulid,
}

#[derive(RedisModel)]
#[redis(hash)]
struct Two {
    #[redis(id, generate)]
    id: Ulid,
    #[redis(id)]
    other: u32,
}

#[derive(RedisModel)]
#[redis(hash)]
struct Words {
    #[redis(id, generate(random))]
    id: u32,
}

fn main() {}
