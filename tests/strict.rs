//! What the derives write passes strict lints, outside and inside functions.

#![deny(missing_docs, missing_debug_implementations, warnings, unreachable_pub, clippy::pedantic)]
#![deny(clippy::panic)]
#![deny(rust_2018_idioms, single_use_lifetimes, unused_qualifications, non_ascii_idents)]
#![cfg(feature = "ulid")]

use alizarin::prelude::*;

/// A model with everything.
#[derive(Debug, Clone, PartialEq, RedisModel)]
#[redis(json, prefix = "movie", index = "movies", events, ttl = "24h", no_stop_words)]
#[redis(language = "german", rename_all = "camelCase")]
pub struct Movie {
    /// The id.
    #[redis(id)]
    pub id: MovieId,
    /// Counted by the server.
    #[redis(version)]
    pub version: u64,
    /// Words.
    #[redis(text(weight = 2.0, no_stem, phonetic = "dm:en", suffix_trie), sortable, unf)]
    pub title: String,
    /// Words.
    #[redis(tag(separator = "|", case_sensitive, suffix_trie), index_missing, index_empty)]
    pub genre: Option<String>,
    /// A keyword as its name.
    #[redis(numeric, sortable, no_index)]
    pub r#type: u8,
    /// Where.
    #[redis(geo)]
    pub place: Option<GeoPoint>,
    /// Where.
    #[redis(geoshape(flat))]
    pub area: Option<GeoShape>,
    /// Near.
    #[redis(vector(hnsw, cosine, m = 16, ef_construction = 200, ef_runtime = 10, epsilon = 0.01))]
    pub plot: Vector<f32, 4>,
    /// Near.
    #[redis(vector(flat, l2, block_size = 1024, initial_cap = 10))]
    pub poster: Option<Embedding>,
    /// Whole structs.
    #[redis(nested)]
    pub scenes: Vec<Scene>,
    /// A struct.
    #[redis(nested, default)]
    pub best: Option<Scene>,
    #[redis(tag)]
    country: Country,
    #[redis(skip)]
    cached: Option<std::sync::Arc<()>>,
    #[redis(default = "seven")]
    seven: u8,
}

fn seven() -> u8 {
    7
}

/// A struct in a model.
#[derive(Debug, Clone, PartialEq, Default, RedisNested)]
pub struct Scene {
    /// Searched through the model.
    #[redis(text)]
    pub name: String,
    #[redis(nested)]
    deeper: Option<Deeper>,
}

/// A struct in a struct in a model.
#[derive(Debug, Clone, PartialEq, Default, RedisNested)]
pub struct Deeper {
    /// A list.
    #[redis(tag)]
    pub cast: Vec<String>,
}

/// A newtype as an id.
#[derive(Debug, Clone, PartialEq, RedisValue)]
pub struct MovieId(Ulid);

/// A newtype around a vector.
#[derive(Debug, Clone, PartialEq, RedisValue)]
pub struct Embedding(Vector<f32, 4>);

/// An enum, also as an id.
#[derive(Debug, Clone, Copy, PartialEq, RedisValue)]
pub enum Country {
    /// Austria.
    #[redis(rename = "at")]
    Austria,
    /// Poland.
    #[redis(rename = "pl")]
    Poland,
}

/// A row.
#[derive(Debug, RedisRow)]
pub struct Stats {
    /// A column.
    pub films: u64,
    /// A column that may be missing.
    #[redis(rename = "avg")]
    pub mean: Option<f64>,
}

/// A sample.
#[derive(Debug, Clone, PartialEq, RedisTimeSeries)]
#[redis(prefix = "weather", retention = "365d", duplicate = "last", chunk_size = 4096)]
pub struct Weather {
    /// Where.
    #[redis(label)]
    pub station: String,
    /// When.
    #[redis(timestamp)]
    pub at: std::time::SystemTime,
    /// How much.
    #[redis(value)]
    pub degrees: f64,
}

/// With nothing but another struct.
#[derive(Debug, Clone, PartialEq, RedisNested)]
pub struct Wrapper {
    /// Inside.
    #[redis(nested)]
    pub inside: Wrapped,
}

/// Inside of it.
#[derive(Debug, Clone, PartialEq, RedisNested)]
pub struct Wrapped {
    /// A name.
    pub name: String,
}

/// Queries of all kinds.
pub fn query(movies: &Repository<Movie>, plot: &Vector<f32, 4>) {
    let _ = movies
        .find(|m| m.title.matches("star") & m.genre.eq("drama") & m.country.eq(Country::Poland))
        .sort_by(|m| m.r#type.asc());
    let _ = movies.find(|m| m.scenes.name.matches("duel") & m.best.deeper.cast.has("Anna"));
    let _ = movies.find(|m| m.genre.is_missing() | m.genre.is_empty());
    let _ = movies.nearest(10, |m| m.plot.to(plot));
}

#[test]
fn strict_lints_have_nothing_to_say() {
    #[derive(Debug, Clone, PartialEq, RedisModel)]
    #[redis(hash, index)]
    struct Local {
        #[redis(id)]
        id: Country,
        #[redis(nested)]
        inner: Inner,
    }

    #[derive(Debug, Clone, PartialEq, RedisNested)]
    struct Inner {
        #[redis(tag)]
        city: Newtype,
    }

    #[derive(Debug, Clone, PartialEq, RedisValue)]
    struct Newtype(String);

    fn local(all: &Repository<Local>) {
        let _ = all.find(|l| l.inner.city.eq(Newtype("Vienna".into())));
    }

    let _ = local;
    let inner = Inner { city: Newtype("Vienna".into()) };
    let local = Local { id: Country::Austria, inner };
    assert_eq!(*local.id(), Country::Austria);
    assert_eq!(Local::SCHEMA.index.map(|index| index.name), Some("local_idx"));
    assert_eq!(Movie::SCHEMA.fields.iter().map(|field| field.name).nth(4), Some("type"));
}
