//! `FT.CREATE` and `FT.ALTER` from the model.

use super::entry::Entry;
use super::target::Target;
use crate::Command;
use crate::model::{IndexKind, IndexOption, VectorAlgorithm, VectorSchema};

/// The command that creates an index as the model wants it, under the name `name`.
pub(crate) fn create(name: &str, target: &Target) -> Command<()> {
    let index = target.index;
    let mut command = Command::new("FT.CREATE")
        .arg((name, "ON", target.storage(), "PREFIX", target.prefixes.len()))
        .arg(&target.prefixes)
        .arg(index.filter.map(|filter| ("FILTER", filter)))
        .arg(index.language.map(|language| ("LANGUAGE", language)))
        .arg(index.language_field.map(|field| ("LANGUAGE_FIELD", target.path(field))))
        .arg(index.score.map(|score| ("SCORE", score)))
        .arg(index.score_field.map(|field| ("SCORE_FIELD", target.path(field))))
        .arg(target.has(IndexOption::MaxTextFields).then_some("MAXTEXTFIELDS"))
        .arg(index.temporary.map(|life| ("TEMPORARY", life.as_secs())))
        .arg(target.has(IndexOption::NoOffsets).then_some("NOOFFSETS"))
        .arg(target.has(IndexOption::NoHighlight).then_some("NOHL"))
        .arg(target.has(IndexOption::NoFrequencies).then_some("NOFREQS"));
    if let Some(stop_words) = index.stop_words {
        command = command.arg(("STOPWORDS", stop_words.len())).arg(stop_words);
    }
    command = command
        .arg(target.has(IndexOption::SkipInitialScan).then_some("SKIPINITIALSCAN"))
        .arg("SCHEMA");
    for entry in &target.entries {
        command = field(command, entry);
    }
    command
}

/// The command that adds fields to an index.
pub(crate) fn alter<'e>(name: &str, added: impl IntoIterator<Item = &'e Entry>) -> Command<()> {
    let mut command = Command::new("FT.ALTER").arg((name, "SCHEMA", "ADD"));
    for entry in added {
        command = field(command, entry);
    }
    command
}

/// A command as one would type it: arguments with spaces or without letters in quotes.
pub(crate) fn line(command: &Command<()>) -> String {
    let words = command.packed().arguments().map(|word| {
        let word = String::from_utf8_lossy(word);
        let plain = !word.is_empty()
            && word.chars().all(|letter| letter.is_ascii_graphic() && !"\"'\\".contains(letter));
        if plain { word.into_owned() } else { format!("{word:?}") }
    });
    words.collect::<Vec<_>>().join(" ")
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
            .arg("TAG")
            .arg((separator != '\0').then_some(("SEPARATOR", separator)))
            .arg(case_sensitive.then_some("CASESENSITIVE"))
            .arg(suffix_trie.then_some("WITHSUFFIXTRIE")),
        IndexKind::Text { weight, no_stem, phonetic, suffix_trie } => command
            .arg("TEXT")
            .arg(no_stem.then_some("NOSTEM"))
            .arg(("WEIGHT", weight))
            .arg(phonetic.map(|phonetic| ("PHONETIC", phonetic)))
            .arg(suffix_trie.then_some("WITHSUFFIXTRIE")),
        IndexKind::Vector(schema) => {
            let (algorithm, options) = vector_options(&schema);
            let command = command.arg(("VECTOR", algorithm, options.len() * 2));
            options.into_iter().fold(command, |command, option| command.arg(option))
        }
    };
    command
        .arg(attribute.index_empty.then_some("INDEXEMPTY"))
        .arg(attribute.index_missing.then_some("INDEXMISSING"))
        .arg(attribute.sortable.then_some("SORTABLE"))
        .arg((attribute.sortable && attribute.unf).then_some("UNF"))
        .arg(attribute.no_index.then_some("NOINDEX"))
}

/// The algorithm of a vector field, and its options with their names.
pub(super) fn vector_options(schema: &VectorSchema) -> (&'static str, Vec<(&'static str, String)>) {
    let mut options = vec![
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
    (algorithm, options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::model::{
        Attribute, Compression, FieldSchema, IndexSchema, Metric, ModelSchema, Storage,
    };
    use crate::query::sample::SCHEMA;

    fn target(model: &'static ModelSchema, index: &'static IndexSchema) -> Target {
        Target::new("film_idx".into(), vec!["film:".into()], model, index).unwrap()
    }

    fn leak(model: ModelSchema) -> &'static ModelSchema {
        Box::leak(Box::new(model))
    }

    fn words(command: &Command<()>) -> String {
        line(command).replace("\"\\u{1f}\"", "␟")
    }

    #[test]
    fn every_option_stands_where_the_server_takes_it() {
        const INDEX: IndexSchema = IndexSchema {
            stop_words: Some(&["foo", "bar"]),
            language: Some("german"),
            ..IndexSchema::named("film_idx")
        };
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
            \"Major Genre\" AS \"Major Genre\" TAG SEPARATOR ␟";
        assert_eq!(words(&create("film_idx", &target(&SCHEMA, &INDEX))), expected);
    }

    #[test]
    fn json_paths_look_into_lists_and_quote_odd_names() {
        let json = leak(ModelSchema { storage: Storage::Json, ..SCHEMA });
        const INDEX: IndexSchema =
            IndexSchema { stop_words: Some(&[]), ..IndexSchema::named("film_idx") };
        let words = words(&create("i", &target(json, &INDEX)));
        assert!(
            words.starts_with("FT.CREATE i ON JSON PREFIX 1 film: STOPWORDS 0 SCHEMA $.id AS id"),
            "{words}"
        );
        assert!(words.contains(" $.tags[*] AS tags TAG"));
        assert!(words.contains(" $.address.city AS address_city TAG"));
        let last = r#""$[\"Major Genre\"]" AS "Major Genre" TAG SEPARATOR ␟"#;
        assert!(words.ends_with(last), "{words}");
    }

    #[test]
    fn the_options_of_the_whole_have_an_order() {
        let json = leak(ModelSchema { storage: Storage::Json, ..SCHEMA });
        const INDEX: IndexSchema = IndexSchema {
            filter: Some("@votes > 0"),
            language_field: Some("code"),
            score: Some(0.5),
            score_field: Some("rating"),
            temporary: Some(std::time::Duration::from_secs(600)),
            options: &[
                IndexOption::SkipInitialScan,
                IndexOption::NoFrequencies,
                IndexOption::NoHighlight,
                IndexOption::NoOffsets,
                IndexOption::MaxTextFields,
            ],
            ..IndexSchema::named("film_idx")
        };
        let mut target = target(json, &INDEX);
        target.prefixes.push("old:".into());
        let words = words(&create("i", &target));
        let start = "FT.CREATE i ON JSON PREFIX 2 film: old: FILTER \"@votes > 0\" LANGUAGE_FIELD $.code \
            SCORE 0.5 SCORE_FIELD $.rating MAXTEXTFIELDS TEMPORARY 600 NOOFFSETS NOHL NOFREQS \
            SKIPINITIALSCAN SCHEMA $.id AS id";
        assert!(words.starts_with(start), "{words}");
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
        const INDEX: IndexSchema = IndexSchema::named("i");
        let schema = leak(ModelSchema { fields: FIELDS, ..SCHEMA });
        let words = words(&create("i", &target(schema, &INDEX)));
        let expected = "v AS v VECTOR SVS-VAMANA 18 TYPE FLOAT16 DIM 4 DISTANCE_METRIC COSINE \
            GRAPH_MAX_DEGREE 40 CONSTRUCTION_WINDOW_SIZE 250 SEARCH_WINDOW_SIZE 20 REDUCE 2 \
            EPSILON 0.01 COMPRESSION LeanVec4x8";
        assert!(words.ends_with(expected), "{words}");
    }

    #[test]
    fn an_index_without_fields_is_refused() {
        let empty = leak(ModelSchema { fields: &[], ..SCHEMA });
        const INDEX: IndexSchema = IndexSchema::named("film_idx");
        let target = Target::new("i".into(), Vec::new(), empty, &INDEX);
        assert_eq!(target.unwrap_err().kind(), ErrorKind::Usage);
    }
}
