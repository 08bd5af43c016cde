use alizarin::{Client, Ref, RedisModel, Repositories};

#[derive(RedisModel)]
#[redis(hash)]
struct Author {
    #[redis(id)]
    id: u32,
}

#[derive(RedisModel)]
#[redis(json, index)]
struct Book {
    #[redis(id)]
    id: u32,
    #[redis(tag)]
    author: Ref<Author>,
}

fn authors(client: &Client) {
    client.repository::<Author>().referred_by::<Book>();
}

fn main() {}
