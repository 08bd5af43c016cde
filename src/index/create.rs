//! `FT.CREATE` and `FT.ALTER` from the model.

use super::entry::{Entry, entries};
use crate::model::{IndexKind, IndexSchema, ModelSchema, Storage, VectorAlgorithm, VectorSchema};
use crate::{Command, Error, ErrorKind, Result};

/// The command that creates a model's index.
pub(crate) fn create(
    name: &str,
    prefix: &str,
    schema: &ModelSchema,
    index: &IndexSchema,
) -> Result<Command<()>> {
    let entries = entries(schema);
    if entries.is_empty() {
        let message = format!(
            "{} has `index`, but none of its fields is indexed: add `tag`, `text`, `numeric`, … to one",
            schema.name
        );
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let storage = match schema.storage {
        Storage::Hash => "HASH",
        Storage::Json => "JSON",
    };
    let mut command = Command::new("FT.CREATE").arg((name, "ON", storage, "PREFIX", 1u32, prefix));
    if let Some(language) = index.language {
        command = command.arg(("LANGUAGE", language));
    }
    if let Some(stop_words) = index.stop_words {
        command = command.arg(("STOPWORDS", stop_words.len())).arg(stop_words);
    }
    command = command.arg("SCHEMA");
    for entry in &entries {
        command = field(command, entry);
    }
    Ok(command)
}

/// The command that adds fields to an index.
pub(crate) fn alter<'e>(name: &str, added: impl IntoIterator<Item = &'e Entry>) -> Command<()> {
    let mut command = Command::new("FT.ALTER").arg((name, "SCHEMA", "ADD"));
    for entry in added {
        command = field(command, entry);
    }
    command
}

/// `path AS name TYPE options`: first what the type alone knows, then what all types share.
fn field(mut command: Command<()>, entry: &Entry) -> Command<()> {
    command = command.arg((entry.identifier.as_str(), "AS", entry.name.as_str()));
    let attribute = &entry.attribute;
    command = match attribute.kind {
        IndexKind::Geo => command.arg("GEO"),
        IndexKind::GeoShape { flat } => {
            command.arg(("GEOSHAPE", if flat { "FLAT" } else { "SPHERICAL" }))
        }
        IndexKind::Numeric => command.arg("NUMERIC"),
        IndexKind::Tag { separator, case_sensitive, suffix_trie } => command
            .arg(("TAG", "SEPARATOR", separator))
            .arg(case_sensitive.then_some("CASESENSITIVE"))
            .arg(suffix_trie.then_some("WITHSUFFIXTRIE")),
        IndexKind::Text { weight, no_stem, phonetic, suffix_trie } => command
            .arg("TEXT")
            .arg(no_stem.then_some("NOSTEM"))
            .arg(("WEIGHT", weight))
            .arg(phonetic.map(|phonetic| ("PHONETIC", phonetic)))
            .arg(suffix_trie.then_some("WITHSUFFIXTRIE")),
        IndexKind::Vector(schema) => vector(command.arg("VECTOR"), &schema),
    };
    command
        .arg(attribute.index_empty.then_some("INDEXEMPTY"))
        .arg(attribute.index_missing.then_some("INDEXMISSING"))
        .arg(attribute.sortable.then_some("SORTABLE"))
        .arg((attribute.sortable && attribute.unf).then_some("UNF"))
        .arg(attribute.no_index.then_some("NOINDEX"))
}

fn vector(command: Command<()>, schema: &VectorSchema) -> Command<()> {
    let mut options: Vec<(&str, String)> = vec![
        ("TYPE", schema.element.to_owned()),
        ("DIM", schema.dimension.to_string()),
        ("DISTANCE_METRIC", schema.metric.name().to_owned()),
    ];
    let mut option = |name, value: Option<u64>| {
        options.extend(value.map(|value| (name, value.to_string())));
    };
    let algorithm = match schema.algorithm {
        VectorAlgorithm::Flat { block_size, initial_cap } => {
            option("INITIAL_CAP", initial_cap);
            option("BLOCK_SIZE", block_size);
            "FLAT"
        }
        VectorAlgorithm::Hnsw { m, ef_construction, ef_runtime, epsilon, initial_cap } => {
            option("INITIAL_CAP", initial_cap);
            option("M", m);
            option("EF_CONSTRUCTION", ef_construction);
            option("EF_RUNTIME", ef_runtime);
            options.extend(epsilon.map(|epsilon| ("EPSILON", epsilon.to_string())));
            "HNSW"
        }
        VectorAlgorithm::SvsVamana {
            graph_max_degree,
            construction_window_size,
            search_window_size,
            epsilon,
            compression,
            training_threshold,
            reduce,
        } => {
            option("GRAPH_MAX_DEGREE", graph_max_degree);
            option("CONSTRUCTION_WINDOW_SIZE", construction_window_size);
            option("SEARCH_WINDOW_SIZE", search_window_size);
            option("TRAINING_THRESHOLD", training_threshold);
            option("REDUCE", reduce);
            options.extend(epsilon.map(|epsilon| ("EPSILON", epsilon.to_string())));
            let compression = compression.map(|compression| compression.name().to_owned());
            options.extend(compression.map(|name| ("COMPRESSION", name)));
            "SVS-VAMANA"
        }
    };
    let mut command = command.arg((algorithm, options.len() * 2));
    for (name, value) in options {
        command = command.arg((name, value));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attribute, Compression, FieldSchema, Metric};
    use crate::query::sample::SCHEMA;

    fn words(command: &Command<()>) -> String {
        let words = command.packed().arguments().map(String::from_utf8_lossy);
        words.collect::<Vec<_>>().join(" ").replace('\u{1f}', "␟")
    }

    #[test]
    fn every_option_stands_where_the_server_takes_it() {
        let index = IndexSchema {
            name: "film_idx",
            stop_words: Some(&["foo", "bar"]),
            language: Some("german"),
        };
        let command = create("film_idx", "film:", &SCHEMA, &index).unwrap();
        let expected = "FT.CREATE film_idx ON HASH PREFIX 1 film: LANGUAGE german STOPWORDS 2 foo bar \
            SCHEMA id AS id NUMERIC \
            title AS title TEXT NOSTEM WEIGHT 2 PHONETIC dm:en WITHSUFFIXTRIE SORTABLE \
            genre AS genre TAG SEPARATOR ␟ \
            tags AS tags TAG SEPARATOR ␟ \
            code AS code TAG SEPARATOR ; CASESENSITIVE WITHSUFFIXTRIE \
            votes AS votes NUMERIC SORTABLE \
            rating AS rating NUMERIC \
            seen AS seen TAG SEPARATOR ␟ \
            place AS place GEO \
            area AS area GEOSHAPE FLAT \
            plot AS plot VECTOR HNSW 12 TYPE FLOAT32 DIM 2 DISTANCE_METRIC COSINE M 8 EF_RUNTIME 20 EPSILON 0.05 \
            note AS note TEXT WEIGHT 1 INDEXEMPTY INDEXMISSING \
            address.city AS address_city TAG SEPARATOR ␟ \
            Major Genre AS Major Genre TAG SEPARATOR ␟";
        assert_eq!(words(&command), expected);
    }

    #[test]
    fn json_paths_look_into_lists_and_quote_odd_names() {
        let schema = ModelSchema { storage: Storage::Json, ..SCHEMA };
        let index = IndexSchema { name: "i", stop_words: Some(&[]), language: None };
        let words = words(&create("i", "film:", &schema, &index).unwrap());
        assert!(
            words.starts_with("FT.CREATE i ON JSON PREFIX 1 film: STOPWORDS 0 SCHEMA $.id AS id")
        );
        assert!(words.contains(" $.tags[*] AS tags TAG"));
        assert!(words.contains(" $.address.city AS address_city TAG"));
        assert!(words.ends_with("$[\"Major Genre\"] AS Major Genre TAG SEPARATOR ␟"));
    }

    #[test]
    fn compressed_graphs_name_their_options() {
        const FIELDS: &[FieldSchema] = &[FieldSchema {
            attributes: &[Attribute::plain(IndexKind::Vector(VectorSchema {
                algorithm: VectorAlgorithm::SvsVamana {
                    graph_max_degree: Some(40),
                    construction_window_size: Some(250),
                    search_window_size: Some(20),
                    epsilon: Some(0.01),
                    compression: Some(Compression::LeanVec4x8),
                    training_threshold: None,
                    reduce: Some(2),
                },
                metric: Metric::Cosine,
                element: "FLOAT16",
                dimension: 4,
            }))],
            ..FieldSchema::plain("v")
        }];
        let schema = ModelSchema { fields: FIELDS, ..SCHEMA };
        let index = IndexSchema { name: "i", stop_words: None, language: None };
        let words = words(&create("i", "film:", &schema, &index).unwrap());
        let expected = "v AS v VECTOR SVS-VAMANA 18 TYPE FLOAT16 DIM 4 DISTANCE_METRIC COSINE \
            GRAPH_MAX_DEGREE 40 CONSTRUCTION_WINDOW_SIZE 250 SEARCH_WINDOW_SIZE 20 REDUCE 2 \
            EPSILON 0.01 COMPRESSION LeanVec4x8";
        assert!(words.ends_with(expected), "{words}");
    }

    #[test]
    fn an_index_without_fields_is_refused() {
        let schema = ModelSchema { fields: &[], ..SCHEMA };
        let index = IndexSchema { name: "i", stop_words: None, language: None };
        assert_eq!(create("i", "film:", &schema, &index).unwrap_err().kind(), ErrorKind::Usage);
    }
}
