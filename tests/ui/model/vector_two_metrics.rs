use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(vector(hnsw, cosine, l2))]
    plot: Vector<f32, 4>,
}

fn main() {}
