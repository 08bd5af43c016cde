use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(sortable)]
    title: String,
    #[redis(index_missing)]
    genre: Option<String>,
}

fn main() {}
