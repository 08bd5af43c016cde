use alizarin::prelude::*;

#[derive(RedisNested)]
enum Address {
    Here,
    There,
}

fn main() {}
