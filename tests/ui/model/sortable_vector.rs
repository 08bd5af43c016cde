use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(vector(hnsw, cosine), sortable)]
    plot: Vector<f32, 4>,
    #[redis(geoshape, sortable)]
    area: GeoShape,
}

fn main() {}
