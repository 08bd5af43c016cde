use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Movie(u32, String);

fn main() {}
