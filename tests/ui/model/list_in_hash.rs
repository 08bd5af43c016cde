use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(numeric)]
    marks: Vec<f64>,
    #[redis(geo)]
    places: Option<Vec<GeoPoint>>,
    #[redis(tag)]
    fine: Vec<u32>,
    #[redis(vector(flat, l2))]
    fine_too: Vector<f32, 2>,
}

fn main() {}
