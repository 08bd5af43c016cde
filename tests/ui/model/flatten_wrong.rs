use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Page {
    #[redis(id)]
    id: u32,
    #[redis(flatten, rename = "x")]
    renamed: Audit,
    #[redis(flatten, default)]
    default: Audit,
}

#[derive(RedisModel)]
#[redis(hash)]
struct Optional {
    #[redis(id)]
    id: u32,
    #[redis(flatten)]
    audit: Option<Audit>,
}

#[derive(RedisNested)]
struct Audit {
    author: String,
}

fn main() {}
