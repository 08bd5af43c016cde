use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(text(sortable))]
    title: String,
    #[redis(numeric(sortable))]
    votes: u32,
}

fn main() {}
