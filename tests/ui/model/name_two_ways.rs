use alizarin::prelude::*;

#[derive(Serialize, Deserialize, RedisModel)]
#[redis(hash)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[serde(rename(serialize = "name", deserialize = "label"))]
    title: String,
}

fn main() {}
