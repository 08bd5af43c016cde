use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(tag, sortable, no_index, index_missing)]
    genre: Option<String>,
}

fn main() {}
