//! A model with every sort of index, as a hash.

use alizarin::prelude::*;

use crate::Outcome;

/// A film.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(hash, prefix = "film", index, events)]
pub struct Film {
    /// Its number.
    #[redis(id)]
    pub id: u32,
    /// Searched by words and parts of them.
    #[redis(text(suffix_trie), sortable)]
    pub title: String,
    /// What it is about.
    #[redis(text, index_missing)]
    pub plot: Option<String>,
    /// Found by the exact value.
    #[redis(tag(suffix_trie))]
    pub genres: Vec<String>,
    /// Who made it, when it is known.
    #[redis(tag, sortable, index_missing)]
    pub director: Option<String>,
    /// Of its first showing.
    #[redis(numeric, sortable)]
    pub year: i32,
    /// From 0 to 10.
    #[redis(numeric, sortable)]
    pub rating: f64,
    /// How tense, how funny and how sad it is.
    #[redis(vector(hnsw, cosine))]
    pub mood: Vector<f32, 3>,
}

fn film(id: u32, title: &str, genres: &[&str], year: i32, rating: f64, mood: [f32; 3]) -> Film {
    Film {
        id,
        title: title.to_owned(),
        plot: None,
        genres: genres.iter().map(|&genre| genre.to_owned()).collect(),
        director: None,
        year,
        rating,
        mood: mood.into(),
    }
}

fn all() -> [Film; 4] {
    let by = |name: &str| Some(name.to_owned());
    [
        Film {
            director: by("Ridley Scott"),
            plot: by("A crew far from Earth wakes to an unknown life form aboard their ship"),
            ..film(1, "Alien", &["horror", "science fiction"], 1979, 8.5, [0.9, 0.0, 0.3])
        },
        film(2, "Airplane!", &["comedy"], 1980, 7.7, [0.1, 1.0, 0.0]),
        Film {
            director: by("Ridley Scott"),
            ..film(3, "Blade Runner", &["science fiction"], 1982, 8.1, [0.6, 0.0, 0.7])
        },
        Film {
            director: by("Ron Howard"),
            plot: by("Three astronauts must bring a crippled ship back to Earth"),
            ..film(4, "Apollo 13", &["drama"], 1995, 7.7, [0.8, 0.1, 0.3])
        },
    ]
}

/// Runs an example with four films, in an index that knows them all:
///
/// | id | title | director | year | rating |
/// |---|---|---|---|---|
/// | 1 | Alien | Ridley Scott | 1979 | 8.5 |
/// | 2 | Airplane! | | 1980 | 7.7 |
/// | 3 | Blade Runner | Ridley Scott | 1982 | 8.1 |
/// | 4 | Apollo 13 | Ron Howard | 1995 | 7.7 |
pub fn films(example: impl AsyncFnOnce(Repository<Film>) -> Outcome) {
    crate::client(async |client, namespace| {
        let films = client.repository::<Film>().with_namespace(namespace);
        films.save_all(&all()).await?;
        films.index().sync().await?;
        films.index().wait().await?;
        example(films).await
    });
}
