//! The difference between a model and its index on the server.

use std::fmt;

use super::entry::{Entry, entries, facts};
use super::info::IndexInfo;
use crate::model::{IndexSchema, ModelSchema, Storage};

/// One way in which an index differs from what the model needs; its `Display` says it in words.
/// From [`Index::drift`](super::Index::drift).
///
/// The server does not show `PHONETIC`, `EF_RUNTIME`, `EPSILON`, `INITIAL_CAP` and `BLOCK_SIZE`:
/// differences in these go unseen.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::index::Drift;
/// use alizarin_samples::Film;
/// # alizarin_samples::client(async |client, prefix| {
/// // Somebody made the index by hand:
/// client
///     .command::<()>("FT.CREATE")
///     .arg((format!("{prefix}film_idx"), "ON", "HASH"))
///     .arg(("PREFIX", 1, format!("{prefix}film:"), "SCHEMA", "year", "TAG"))
///     .await?;
///
/// let films = client.repository::<Film>().with_namespace(prefix);
/// let drift = films.index().drift().await?;
/// assert!(drift.contains(&Drift::Missing { field: "title".into() }));
/// let words: Vec<String> = drift.iter().map(Drift::to_string).collect();
/// let year = r#"field `year`: type is "NUMERIC" in the model and "TAG" on the server"#;
/// assert!(words.iter().any(|word| word == year), "{words:?}");
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// The index has a field that the model does not index.
    Extra {
        /// Its name in queries.
        field: String,
    },
    /// The model indexes a field that the index does not have.
    Missing {
        /// Its name in queries.
        field: String,
    },
    /// A field is indexed in another way.
    Field {
        /// Its name in queries.
        field: String,
        /// Which property differs.
        property: &'static str,
        /// What the model says.
        model: String,
        /// What the server says.
        server: String,
    },
    /// The index as a whole differs.
    Index {
        /// Which property differs.
        property: &'static str,
        /// What the model says.
        model: String,
        /// What the server says.
        server: String,
    },
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Drift::Extra { field } => {
                write!(f, "field `{field}` is in the index, but the model does not index it")
            }
            Drift::Missing { field } => write!(f, "field `{field}` is not in the index"),
            Drift::Field { field, property, model, server } => write!(
                f,
                "field `{field}`: {property} is {model:?} in the model and {server:?} on the server"
            ),
            Drift::Index { property, model, server } => {
                write!(f, "{property} is {model:?} in the model and {server:?} on the server")
            }
        }
    }
}

/// All differences, and the entries that are missing.
pub(crate) fn compare(
    schema: &ModelSchema,
    index: &IndexSchema,
    prefix: &str,
    info: &IndexInfo,
) -> (Vec<Drift>, Vec<Entry>) {
    let mut drift = whole(schema, index, prefix, info);
    let mut missing = Vec::new();
    let entries = entries(schema);
    for entry in &entries {
        let Some(theirs) = info.attributes.iter().find(|theirs| theirs.name == entry.name) else {
            drift.push(Drift::Missing { field: entry.name.clone() });
            missing.push(entry.clone());
            continue;
        };
        let server = theirs.facts();
        for (property, model) in facts(entry, schema.storage) {
            let server = server.get(property).map_or("", String::as_str);
            if server != model {
                let (field, server) = (entry.name.clone(), server.to_owned());
                drift.push(Drift::Field { field, property, model, server });
            }
        }
    }
    for theirs in &info.attributes {
        if !entries.iter().any(|entry| entry.name == theirs.name) {
            drift.push(Drift::Extra { field: theirs.name.clone() });
        }
    }
    (drift, missing)
}

fn whole(schema: &ModelSchema, index: &IndexSchema, prefix: &str, info: &IndexInfo) -> Vec<Drift> {
    let storage = match schema.storage {
        Storage::Hash => "HASH",
        Storage::Json => "JSON",
    };
    let language = |language: Option<&str>| language.unwrap_or("english").to_ascii_lowercase();
    let sorted = |words: Option<Vec<String>>| {
        let Some(mut words) = words else { return "the server's own".to_owned() };
        words.iter_mut().for_each(|word| word.make_ascii_lowercase());
        words.sort_unstable();
        words.join(" ")
    };
    let ours = index.stop_words.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
    let properties = [
        ("the storage", storage.to_owned(), info.key_type.clone()),
        ("the key prefix", prefix.to_owned(), info.prefixes.join(" ")),
        ("the language", language(index.language), language(info.language.as_deref())),
        ("the list of stop words", sorted(ours), sorted(info.stop_words.clone())),
    ];
    let differing = properties.into_iter().filter(|(_, model, server)| model != server);
    differing.map(|(property, model, server)| Drift::Index { property, model, server }).collect()
}
