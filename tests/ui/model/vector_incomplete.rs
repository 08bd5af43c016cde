use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(vector)]
    plot: Vector<f32, 4>,
    #[redis(vector(flat))]
    poster: Vector<f32, 4>,
}

fn main() {}
