use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(vector(flat, l2, m = 16))]
    plot: Vector<f32, 4>,
    #[redis(vector(hnsw, l2, block_size = 16))]
    poster: Vector<f32, 4>,
}

fn main() {}
