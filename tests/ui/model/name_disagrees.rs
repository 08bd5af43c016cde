use alizarin::prelude::*;

#[derive(Serialize, RedisModel)]
#[redis(hash)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(rename = "name")]
    #[serde(rename = "label")]
    title: String,
}

fn main() {}
