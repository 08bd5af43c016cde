use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, hooks)]
struct Login {
    #[redis(id)]
    id: u32,
}

fn main() {}
