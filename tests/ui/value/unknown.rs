use alizarin::prelude::*;

#[derive(RedisValue)]
#[redis(tag)]
enum Genre {
    #[redis(name = "drama")]
    Drama,
}

fn main() {}
