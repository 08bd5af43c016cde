use alizarin::prelude::*;

#[derive(RedisValue)]
struct Minutes<T>(T);

fn main() {}
