//! The films and their vectors, as they lie in `examples/data`.

use std::fs;
use std::path::Path;

use alizarin::prelude::*;

use crate::{Genre, Movie};

/// A line of `movies.jsonl`.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "Title")]
    title: String,
    #[serde(rename = "Director")]
    director: Option<String>,
    #[serde(rename = "Major Genre")]
    genre: Option<Genre>,
    #[serde(rename = "Release Date")]
    released: Option<String>,
    #[serde(rename = "IMDB Rating")]
    rating: Option<f32>,
    #[serde(rename = "IMDB Votes")]
    votes: Option<u32>,
    #[serde(rename = "Worldwide Gross")]
    gross: Option<u64>,
}

/// All films, with their vectors.
pub(crate) fn load() -> Result<Vec<Movie>, Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let lines = fs::read_to_string(folder.join("movies.jsonl"))?;
    let vectors = fs::read(folder.join("movies-minilm-384.f16"))?;
    let films = lines.lines().zip(vectors.chunks_exact(2 * 384)).enumerate();
    films
        .map(|(at, (line, vector))| {
            let line: Line = serde_json::from_str(line)?;
            let plot: Vec<f32> = vector
                .as_chunks::<2>()
                .0
                .iter()
                .map(|pair| half::f16::from_le_bytes(*pair).to_f32())
                .collect();
            Ok(Movie {
                id: u32::try_from(at)? + 1,
                title: line.title,
                director: line.director,
                genre: line.genre,
                year: line.released.as_deref().and_then(year),
                rating: line.rating,
                votes: line.votes,
                gross: line.gross,
                plot: Vector::try_from(plot)?,
            })
        })
        .collect()
}

/// The year of a date such as `Jun 12 1998`. The data set ends in 2010: a later year is one of the
/// last century whose century was guessed wrong.
fn year(date: &str) -> Option<i32> {
    let year: i32 = date.rsplit(' ').next()?.parse().ok()?;
    Some(if year > 2010 { year - 100 } else { year })
}
