//! What the server does not show of an index: kept beside it, in the index's journal.

use std::collections::BTreeMap;

use super::create::vector_options;
use super::drift::Drift;
use super::entry::Entry;
use super::target::Target;
use crate::model::{IndexKind, VectorAlgorithm};

/// Properties by field; those of the whole index are under the empty name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Hidden(BTreeMap<String, BTreeMap<String, String>>);

impl Hidden {
    /// All that a model says.
    pub(crate) fn of(target: &Target) -> Hidden {
        let mut hidden = Hidden::default();
        let life = target.index.temporary.map_or(0, |life| life.as_secs());
        let life = BTreeMap::from([("TEMPORARY".to_owned(), life.to_string())]);
        hidden.0.insert(String::new(), life);
        for entry in &target.entries {
            hidden.add(entry);
        }
        hidden
    }

    /// That of one more field.
    pub(crate) fn add(&mut self, entry: &Entry) {
        self.0.insert(entry.name.clone(), properties(entry));
    }

    /// As the journal keeps it.
    pub(crate) fn text(&self) -> String {
        // Strings cannot fail to serialise.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// What the journal kept; text of another form is none.
    pub(crate) fn parse(text: &str) -> Option<Hidden> {
        serde_json::from_str(text).ok().map(Hidden)
    }

    /// How the model differs from what was kept when the index was made. What was not kept is not
    /// known to differ.
    pub(crate) fn compare(&self, target: &Target) -> Vec<Drift> {
        let model = Hidden::of(target);
        let mut drift = Vec::new();
        for (field, ours) in &model.0 {
            let Some(theirs) = self.0.get(field) else { continue };
            for property in PROPERTIES {
                let value = |all: &BTreeMap<String, String>| all.get(*property).cloned();
                let (model, server) = (value(ours), value(theirs));
                if model == server {
                    continue;
                }
                let (model, server) = (model.unwrap_or_default(), server.unwrap_or_default());
                drift.push(match field.as_str() {
                    "" => Drift::Index { property, model, server },
                    name => Drift::Field { field: name.to_owned(), property, model, server },
                });
            }
        }
        drift
    }
}

/// All that there can be; the server shows the other options.
const PROPERTIES: &[&str] = &[
    "BLOCK_SIZE",
    "COMPRESSION",
    "CONSTRUCTION_WINDOW_SIZE",
    "EF_RUNTIME",
    "EPSILON",
    "GRAPH_MAX_DEGREE",
    "INITIAL_CAP",
    "PHONETIC",
    "REDUCE",
    "SEARCH_WINDOW_SIZE",
    "TEMPORARY",
    "TRAINING_THRESHOLD",
];

fn properties(entry: &Entry) -> BTreeMap<String, String> {
    let all = match &entry.attribute.kind {
        IndexKind::Text { phonetic: Some(phonetic), .. } => {
            vec![("PHONETIC", (*phonetic).to_owned())]
        }
        IndexKind::Vector(vector) => {
            // The server's defaults are the same as none.
            let mut all = match vector.algorithm {
                VectorAlgorithm::Hnsw { .. } => {
                    vec![("EF_RUNTIME", "10".to_owned()), ("EPSILON", "0.01".to_owned())]
                }
                _ => Vec::new(),
            };
            all.extend(vector_options(vector).1);
            all
        }
        _ => Vec::new(),
    };
    let hidden = all.into_iter().filter(|(name, _)| PROPERTIES.contains(name));
    hidden.map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::IndexSchema;
    use crate::query::sample::SCHEMA;

    const INDEX: IndexSchema = IndexSchema::named("film_idx");

    #[test]
    fn what_was_kept_is_compared() {
        let target = Target::new("film_idx".into(), Vec::new(), &SCHEMA, &INDEX).unwrap();
        let kept = Hidden::parse(&Hidden::of(&target).text()).unwrap();
        assert_eq!(kept.compare(&target), []);

        let older = kept.text().replace("0.05", "0.01").replace("dm:en", "dm:fr");
        let drift = Hidden::parse(&older).unwrap().compare(&target);
        let words: Vec<String> = drift.iter().map(Drift::to_string).collect();
        assert_eq!(
            words,
            [
                r#"field `plot`: EPSILON is "0.05" in the model and "0.01" on the server"#,
                r#"field `title`: PHONETIC is "dm:en" in the model and "dm:fr" on the server"#,
            ]
        );
        // A field that somebody else added is not known.
        assert_eq!(Hidden::default().compare(&target), []);
        assert_eq!(Hidden::parse("no json"), None);
    }
}
