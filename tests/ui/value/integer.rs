use alizarin::prelude::*;

#[derive(RedisValue)]
#[redis(integer)]
struct Level(u8);

fn main() {}
