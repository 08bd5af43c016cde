//! Every word the attributes know, once.

/// On the struct of a model.
pub(crate) const MODEL: &[&str] = &[
    "hash",
    "json",
    "prefix",
    "key",
    "layout",
    "class",
    "index",
    "events",
    "ttl",
    "hooks",
    "rename_all",
    "stop_words",
    "no_stop_words",
    "language",
    "unique",
    "language_field",
    "score",
    "score_field",
    "filter",
    "prefixes",
    "temporary",
    "no_offsets",
    "no_highlight",
    "no_frequencies",
    "max_text_fields",
    "skip_initial_scan",
    "upgrade_from",
];

/// What `language` can be.
pub(crate) const LANGUAGES: &[&str] = &[
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "chinese",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

/// On a row, a value.
pub(crate) const PLAIN: &[&str] = &["rename_all"];
/// On a nested struct.
pub(crate) const NESTED: &[&str] = &["rename_all", "layout"];

/// What `layout` can be.
pub(crate) const LAYOUTS: &[&str] =
    &["redis-om-dotnet", "redis-om-node", "redis-om-python", "redis-om-spring", "redisvl"];

/// On a field of a model.
pub(crate) const FIELD: &[&str] = &[
    "id",
    "version",
    "created_at",
    "updated_at",
    "ttl",
    "validate",
    "rename",
    "skip",
    "default",
    "generate",
    "nested",
    "flatten",
    "computed",
    "with",
    "text",
    "tag",
    "numeric",
    "geo",
    "geoshape",
    "vector",
    "sortable",
    "unf",
    "no_index",
    "index_missing",
    "index_empty",
    "unique",
    "on_delete",
];

/// What `on_delete` can be.
pub(crate) const POLICIES: &[&str] = &["cascade", "restrict", "unset"];

/// Words that may stand on one struct or field several times.
pub(crate) const REPEATED: &[&str] = &["unique"];

/// The kinds of index entries.
pub(crate) const KINDS: &[&str] = &["text", "tag", "numeric", "geo", "geoshape", "vector"];

/// Options that change an index entry of whatever kind.
pub(crate) const MODIFIERS: &[&str] =
    &["sortable", "unf", "no_index", "index_missing", "index_empty"];

/// Inside `text(..)`.
pub(crate) const TEXT: &[&str] = &["weight", "no_stem", "phonetic", "suffix_trie", "alias"];
/// What `phonetic` can be.
pub(crate) const PHONETIC: &[&str] = &["dm:en", "dm:fr", "dm:pt", "dm:es"];
/// Inside `tag(..)`.
pub(crate) const TAG: &[&str] = &["separator", "case_sensitive", "suffix_trie", "alias"];
/// Inside `geoshape(..)`.
pub(crate) const GEOSHAPE: &[&str] = &["flat", "alias"];
/// Inside `numeric(..)` and `geo(..)`.
pub(crate) const PLAIN_INDEX: &[&str] = &["alias"];
/// Inside `vector(..)`.
pub(crate) const VECTOR: &[&str] = &[
    "hnsw",
    "flat",
    "svs_vamana",
    "cosine",
    "ip",
    "l2",
    "m",
    "ef_construction",
    "ef_runtime",
    "epsilon",
    "block_size",
    "initial_cap",
    "graph_max_degree",
    "construction_window_size",
    "search_window_size",
    "compression",
    "training_threshold",
    "reduce",
    "alias",
];
/// What `compression` can be, and its variant's name.
pub(crate) const COMPRESSION: &[&str] =
    &["LVQ4", "LVQ4x4", "LVQ4x8", "LVQ8", "LeanVec4x8", "LeanVec8x8"];
/// On a value.
pub(crate) const VALUE: &[&str] = &["rename_all", "integer"];

/// On the struct of a time series.
pub(crate) const SERIES: &[&str] =
    &["prefix", "retention", "duplicate", "chunk_size", "rename_all"];
/// On a field of a time series.
pub(crate) const SERIES_FIELD: &[&str] = &["label", "timestamp", "value", "rename"];
/// What a second sample at one time may do.
pub(crate) const DUPLICATE: &[&str] = &["block", "first", "last", "min", "max", "sum"];

/// On the struct of a patch, and on its fields.
pub(crate) const PATCH: &[&str] = &["of"];
pub(crate) const PATCH_FIELD: &[&str] = &["at"];
/// On a projection.
pub(crate) const PROJECTION: &[&str] = &["of"];
/// On a field of a projection.
pub(crate) const PROJECTED: &[&str] = &["at", "nested"];

/// On a variant or a newtype.
pub(crate) const VARIANT: &[&str] = &["rename"];

/// `a`, `b` and `c`, for messages.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
