use alizarin::prelude::*;

#[derive(RedisValue)]
enum Genre {
    Drama,
    #[redis(rename = "Drama")]
    Tragedy,
}

fn main() {}
