use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, index)]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(text)]
    title: String,
    #[redis(tag)]
    genre: Option<String>,
    #[redis(numeric)]
    rating: Option<f32>,
    #[redis(vector(hnsw, cosine))]
    plot: Vector<f32, 4>,
    blurb: String,
}

fn query(movies: &Repository<Movie>) {
    let _ = movies.find(|m| m.genre.is_empty());
}

fn main() {}
