//! 3,200 real films: saved, searched by words and by meaning, counted, updated under a lock.
//!
//! `cargo run --release --example movies` needs no server: it starts one, or uses `REDIS_URL`.

mod data;
mod screen;

use std::time::Instant;

use alizarin::prelude::*;
use alizarin_testkit::Server;
use screen::{Screen, film};

/// A film, stored as a JSON document and indexed by everything it can be found by.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "movie", index, events)]
struct Movie {
    #[redis(id, numeric)]
    id: u32,
    #[redis(text(weight = 2.0), sortable)]
    title: String,
    #[redis(text)]
    director: Option<String>,
    #[redis(tag)]
    genre: Option<Genre>,
    #[redis(numeric, sortable)]
    year: Option<i32>,
    #[redis(numeric, sortable)]
    rating: Option<f32>,
    #[redis(numeric, sortable)]
    votes: Option<u32>,
    gross: Option<u64>,
    /// What the film is about: a sentence model's view of it.
    #[redis(vector(hnsw, cosine))]
    plot: Vector<f32, 384>,
}

/// The genres of the data set, under the names it gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RedisValue, Deserialize)]
enum Genre {
    Action,
    Adventure,
    #[serde(rename = "Black Comedy")]
    BlackComedy,
    Comedy,
    #[serde(rename = "Concert/Performance")]
    Concert,
    Documentary,
    Drama,
    Horror,
    Musical,
    #[serde(rename = "Romantic Comedy")]
    RomanticComedy,
    #[serde(rename = "Thriller/Suspense")]
    Thriller,
    Western,
}

/// One row of the aggregation.
#[derive(Debug, RedisRow)]
struct GenreStats {
    genre: Option<Genre>,
    films: u64,
    mean: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start()?;
    let client = Client::connect(server.url().as_str()).await?;
    let movies: Repository<Movie> = client.repository().with_namespace(server.namespace());
    let mut screen = Screen::new(&format!("Redis {}", server.version()));

    let films = data::load()?;
    let started = Instant::now();
    movies.index().sync().await?;
    movies.save_all(&films).on_progress(|done| screen::bar(done, 3_200)).await?;
    movies.index().wait().await?;
    screen.title(&format!("{} films saved and indexed", films.len()), started);

    let started = Instant::now();
    let hits = movies.find(|m| m.title.matches("star trek")).limit(5).all().await?;
    screen.title("Full text: “star trek” in the title", started);
    screen.rows(hits.iter().map(film));

    let started = Instant::now();
    let hits = movies
        .find(|m| m.genre.eq(Genre::Adventure) & m.rating.ge(7.5) & m.votes.gt(50_000))
        .sort_by(|m| m.votes.desc())
        .limit(5)
        .all()
        .await?;
    screen.title("Adventures rated 7.5 or better, most voted first", started);
    screen.rows(hits.iter().map(film));

    let apollo = movies.find(|m| m.title.phrase("apollo 13")).first().await?;
    let apollo = apollo.ok_or("Apollo 13 is not in the data")?;
    let started = Instant::now();
    let alike = movies
        .nearest(6, |m| m.plot.to(&apollo.plot))
        .filter(|m| m.votes.gt(1_000) & m.id.ne(apollo.id))
        .all()
        .await?;
    screen.title("Films like Apollo 13, with more than 1,000 votes", started);
    screen.rows(alike.iter().map(|hit| format!("{}   {:.3}", film(hit), hit.distance)));

    let started = Instant::now();
    let genres = movies
        .aggregate(|m| m.votes.gt(100))
        .group_by(|m| m.genre)
        .reduce(|m| (count().alias("films"), m.rating.avg().alias("mean")))
        .rows::<GenreStats>()
        .all()
        .await?;
    screen.title("Mean rating by genre", started);
    screen.chart(genres.iter().map(|row| (name(row.genre), row.mean, row.films)));

    let started = Instant::now();
    let mut changes = movies.changes().await?;
    let votes = apollo.votes;
    movies
        .locked(&apollo.id, async |m| {
            m.votes = votes.map(|votes| votes + 1);
            Ok(())
        })
        .await?;
    let change = changes.next().await.ok_or("the change stream ended")??;
    screen.title("One more vote for Apollo 13, under a lock, watched live", started);
    screen.rows([format!("{change:?}")]);

    let started = Instant::now();
    let bytes: u64 = client.command("MEMORY").arg("USAGE").key(movies.key(&apollo.id)).await?;
    screen.title("A raw command: MEMORY USAGE of its document", started);
    screen.rows([format!("{bytes} bytes")]);
    Ok(())
}

/// A genre as people write it.
fn name(genre: Option<Genre>) -> String {
    match genre {
        None => "(none given)".to_owned(),
        Some(Genre::BlackComedy) => "Black comedy".to_owned(),
        Some(Genre::RomanticComedy) => "Romantic comedy".to_owned(),
        Some(genre) => format!("{genre:?}"),
    }
}
