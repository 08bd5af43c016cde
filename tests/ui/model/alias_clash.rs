use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Page {
    #[redis(id)]
    id: u32,
    #[redis(tag, text)]
    title: String,
    #[redis(numeric)]
    title_text: u32,
    #[redis(tag(alias = "__x"))]
    other: String,
}

#[derive(RedisModel)]
#[redis(hash, index)]
struct Entry {
    #[redis(id)]
    id: u32,
    #[redis(tag, text)]
    title: String,
    #[redis(numeric)]
    title_text: u32,
}

fn main() {}
