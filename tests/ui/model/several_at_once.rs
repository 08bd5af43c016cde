use alizarin::prelude::*;

#[derive(RedisModel)]
#[redis(hash, json, ttl = "1 week")]
struct Movie {
    #[redis(id)]
    id: u32,
    #[redis(text(wieght = 2.0), sorted)]
    title: String,
    #[redis(tag(separator = ""))]
    genre: String,
    #[redis(version)]
    version: i64,
}

// The struct is a model nevertheless: its uses add no errors.
async fn find(movies: &Repository<Movie>) -> Result<Option<Movie>> {
    movies.find(|m| m.title.matches("star wars") & m.genre.eq("x")).sort_by(|m| m.title.asc()).all().await?;
    movies.get(&1).await
}

fn main() {}
