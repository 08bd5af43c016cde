use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(vector(hnsw, cosine))]
    field: Vec<f32>,
}

fn main() {}
