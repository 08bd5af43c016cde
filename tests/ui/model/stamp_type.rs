use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash)]
struct Login {
    #[redis(id)]
    id: u32,
    #[redis(created_at)]
    created: String,
}

fn main() {}
