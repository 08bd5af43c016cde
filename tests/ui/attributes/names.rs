use alizarin::prelude::*;

#[derive(RedisAttributes)]
#[redis(rename_all = "UPPERCASE")]
struct Renamed {
    #[redis(rename = "released")]
    year: u32,
    #[redis(tag)]
    genre: String,
}

#[derive(serde::Serialize, RedisAttributes)]
struct Alike {
    year: u32,
    #[serde(rename = "year")]
    released: u32,
}

fn main() {}
