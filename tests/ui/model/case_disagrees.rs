use alizarin::prelude::*;

#[derive(Serialize, RedisModel)]
#[redis(hash, rename_all = "camelCase")]
#[serde(rename_all = "kebab-case")]
struct Movie {
    #[redis(id)]
    id: u32,
}

fn main() {}
