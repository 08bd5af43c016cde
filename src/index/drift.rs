//! The difference between a model and its index on the server.

use std::fmt;

use super::entry::{Entry, facts};
use super::hidden::Hidden;
use super::info::IndexInfo;
use super::target::{TEXT_FIELDS, Target};
use crate::model::IndexOption;

/// One way in which an index differs from what the model needs; its `Display` says it in words.
/// From [`Index::drift`](super::Index::drift).
///
/// The server does not show `PHONETIC`, `EF_RUNTIME`, `EPSILON`, `INITIAL_CAP`, `BLOCK_SIZE` and
/// `TEMPORARY`: [`Index::sync`](super::Index::sync) keeps them beside the index that it makes. In an
/// index that somebody else made, differences in these go unseen.
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

impl Drift {
    /// Whether the index cannot serve the model as it is. A field too many does no harm.
    pub(crate) fn matters(&self) -> bool {
        !matches!(self, Drift::Extra { .. })
    }
}

/// All differences, and the entries that are missing.
pub(crate) fn compare(
    target: &Target,
    info: &IndexInfo,
    kept: Option<&Hidden>,
) -> (Vec<Drift>, Vec<Entry>) {
    let mut drift = whole(target, info);
    let mut missing = Vec::new();
    for entry in &target.entries {
        let Some(theirs) = info.attributes.iter().find(|theirs| theirs.name == entry.name) else {
            drift.push(Drift::Missing { field: entry.name.clone() });
            missing.push(entry.clone());
            continue;
        };
        let mut server = theirs.facts();
        if !target.model.layout.is_native()
            && let Some(path) = server.get_mut("path")
            && plain(path) == plain(&entry.identifier)
        {
            path.clone_from(&entry.identifier);
        }
        for (property, model) in facts(entry, target.model.storage) {
            let server = server.get(property).map_or("", String::as_str);
            if server != model {
                let (field, server) = (entry.name.clone(), server.to_owned());
                drift.push(Drift::Field { field, property, model, server });
            }
        }
    }
    drift.extend(kept.map(|kept| kept.compare(target)).unwrap_or_default());
    for theirs in &info.attributes {
        if !target.entries.iter().any(|entry| entry.name == theirs.name) {
            drift.push(Drift::Extra { field: theirs.name.clone() });
        }
    }
    (drift, missing)
}

/// A path with all its steps in one form: `$.a.b` for `$["a"]["b"]`.
fn plain(path: &str) -> String {
    path.replace("[\"", ".").replace("\"]", "")
}

fn whole(target: &Target, info: &IndexInfo) -> Vec<Drift> {
    let index = target.index;
    let language = |language: Option<&str>| language.unwrap_or("english").to_ascii_lowercase();
    let stop_words = |words: Option<Vec<String>>| {
        let Some(mut words) = words else { return "the server's own".to_owned() };
        words.iter_mut().for_each(|word| word.make_ascii_lowercase());
        joined(words)
    };
    let ours = index.stop_words.map(|words| words.iter().map(|word| (*word).to_owned()).collect());
    // With the key's colon and without it the same documents are meant.
    let prefixes = |prefixes: &[String]| {
        let end = if target.model.layout.is_native() { '\0' } else { ':' };
        let ends = prefixes.iter().map(|prefix| prefix.strip_suffix(end).unwrap_or(prefix));
        joined(ends.map(str::to_owned).collect())
    };
    let path = |field: Option<&str>| field.map(|field| target.path(field)).unwrap_or_default();
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let properties = [
        ("the storage", target.storage().to_owned(), info.key_type.clone()),
        ("the key prefix", prefixes(&target.prefixes), prefixes(&info.prefixes)),
        ("the filter", index.filter.unwrap_or_default().to_owned(), given(&info.filter)),
        ("the language", language(index.language), language(info.language.as_deref())),
        ("the language field", path(index.language_field), given(&info.language_field)),
        ("the score", index.score.unwrap_or(1.0).to_string(), info.score.to_string()),
        ("the score field", path(index.score_field), given(&info.score_field)),
        ("the payload field", String::new(), given(&info.payload_field)),
        ("the list of options", options(target), joined(info.options.clone())),
        ("the list of stop words", stop_words(ours), stop_words(info.stop_words.clone())),
    ];
    let differing = properties.into_iter().filter(|(_, model, server)| model != server);
    differing.map(|(property, model, server)| Drift::Index { property, model, server }).collect()
}

/// The options that the server would show, with what they imply.
fn options(target: &Target) -> String {
    let mut words: Vec<String> = Vec::new();
    for option in
        target.index.options.iter().filter(|option| **option != IndexOption::SkipInitialScan)
    {
        words.push(option.word().to_owned());
    }
    if target.has(IndexOption::NoOffsets) {
        words.push(IndexOption::NoHighlight.word().to_owned());
    }
    if target.text_fields() > TEXT_FIELDS {
        words.push(IndexOption::MaxTextFields.word().to_owned());
    }
    joined(words)
}

/// In an order that does not tell one way to say it from another.
fn joined(mut words: Vec<String>) -> String {
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}
