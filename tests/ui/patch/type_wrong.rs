use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, prefix = "account")]
struct Account {
    #[redis(id)]
    id: u32,
    cents: i64,
}

#[derive(RedisPatch)]
#[redis(of = Account)]
struct Request {
    cents: Patch<String>,
}

fn main() {}
