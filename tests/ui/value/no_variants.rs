use alizarin::prelude::*;

#[derive(RedisValue)]
enum Genre {}

fn main() {}
