use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(vector(hnsw, l2, m = 0))]
    plot: Vector<f32, 4>,
}

fn main() {}
