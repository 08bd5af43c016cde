use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Item {
    #[redis(id)]
    id: u32,
    #[redis(vector(svs_vamana, l2, m = 16, compression = "zip"))]
    a: Vector<f32, 2>,
    #[redis(vector(svs_vamana, l2, compression = "LVQ4", reduce = 1))]
    b: Vector<f32, 2>,
    #[redis(vector(svs_vamana, l2, training_threshold = 1024))]
    c: Vector<f32, 2>,
}

fn main() {}
