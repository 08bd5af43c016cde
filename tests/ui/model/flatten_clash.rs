use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Page {
    #[redis(id)]
    id: u32,
    author: String,
    #[redis(flatten)]
    audit: Audit,
}

#[derive(RedisNested)]
struct Audit {
    author: String,
}

fn main() {}
