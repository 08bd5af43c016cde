use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Cell {
    #[redis(id)]
    a: u32,
    #[redis(id)]
    b: u32,
    #[redis(id)]
    c: u32,
    #[redis(id)]
    d: u32,
    #[redis(id)]
    e: u32,
}

fn main() {}
