//! What is known of a model before any server is asked: constants made by the derive.

use std::time::Duration;

/// How a model's documents are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Storage {
    /// One hash a document: `HSET`, `HGETALL`.
    Hash,
    /// One JSON document: `JSON.SET`, `JSON.GET`.
    Json,
}

/// A model's constants.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct ModelSchema {
    /// The struct's name, for messages.
    pub name: &'static str,
    /// What keys begin with, without the colon before the id.
    pub prefix: &'static str,
    /// Hash or JSON.
    pub storage: Storage,
    /// The stored fields in the struct's order.
    pub fields: &'static [FieldSchema],
    /// The stored name of the id field.
    pub id: &'static str,
    /// The stored name of the version field.
    pub version: Option<&'static str>,
    /// The search index, for models with `#[redis(index)]`.
    pub index: Option<IndexSchema>,
    /// Whether writes publish change events.
    pub events: bool,
    /// The time to live that a save sets, unless the call says otherwise.
    pub ttl: Option<Duration>,
}

/// A model's search index.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct IndexSchema {
    /// The index's name on the server.
    pub name: &'static str,
    /// The stop words: `None` for the server's own list, an empty list for none at all.
    pub stop_words: Option<&'static [&'static str]>,
    /// The language for stemming, where it is not English.
    pub language: Option<&'static str>,
}

/// One stored field.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct FieldSchema {
    /// The hash field or JSON member.
    pub name: &'static str,
    /// The entry in the index, if any.
    pub attribute: Option<Attribute>,
    /// The fields of a nested struct, where this is one.
    pub nested: Option<NestedSchema>,
    /// Whether the value is a list: in JSON the index then looks at each element.
    pub many: bool,
}

impl FieldSchema {
    /// A field that is stored and not indexed.
    pub const fn plain(name: &'static str) -> FieldSchema {
        FieldSchema { name, attribute: None, nested: None, many: false }
    }

    /// What kind of index entry the field has.
    pub fn kind(&self) -> Option<&IndexKind> {
        self.attribute.as_ref().map(|attribute| &attribute.kind)
    }

    /// The separator of a TAG field.
    pub fn tag_separator(&self) -> Option<char> {
        match self.kind() {
            Some(IndexKind::Tag { separator, .. }) => Some(*separator),
            _ => None,
        }
    }
}

/// The fields of a struct inside a model.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct NestedSchema {
    /// Its fields.
    pub fields: &'static [FieldSchema],
    /// Whether there is a list of such structs (JSON only).
    pub many: bool,
}

/// A field's entry in the search index.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct Attribute {
    /// What is indexed, and how.
    pub kind: IndexKind,
    /// `SORTABLE`
    pub sortable: bool,
    /// `UNF`: sort by the value as it is, not folded.
    pub unf: bool,
    /// `NOINDEX`: only sortable.
    pub no_index: bool,
    /// `INDEXMISSING`: documents without the field can be found.
    pub index_missing: bool,
    /// `INDEXEMPTY`: empty strings can be found.
    pub index_empty: bool,
}

/// The index field types of RediSearch with their own options.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum IndexKind {
    /// `GEO`
    Geo,
    /// `GEOSHAPE`
    GeoShape {
        /// `FLAT` coordinates; else `SPHERICAL` (longitude, latitude).
        flat: bool,
    },
    /// `NUMERIC`
    Numeric,
    /// `TAG`
    Tag {
        /// Splits a stored string into several tags. The default is U+001F, which no text holds.
        separator: char,
        /// `CASESENSITIVE`
        case_sensitive: bool,
        /// `WITHSUFFIXTRIE`
        suffix_trie: bool,
    },
    /// `TEXT`
    Text {
        /// `WEIGHT`, 1.0 by default.
        weight: f64,
        /// `NOSTEM`
        no_stem: bool,
        /// `PHONETIC`, such as `dm:en`.
        phonetic: Option<&'static str>,
        /// `WITHSUFFIXTRIE`
        suffix_trie: bool,
    },
    /// `VECTOR`
    Vector(VectorSchema),
}

/// The options of a `VECTOR` field.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct VectorSchema {
    /// `FLAT` or `HNSW` with its options.
    pub algorithm: VectorAlgorithm,
    /// `DISTANCE_METRIC`
    pub metric: Metric,
    /// `TYPE`: `FLOAT32`, `FLOAT64`, `FLOAT16` or `BFLOAT16`.
    pub element: &'static str,
    /// `DIM`: the number of elements.
    pub dimension: usize,
}

/// How vectors are searched.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum VectorAlgorithm {
    /// Compares with every vector: exact.
    Flat {
        /// `BLOCK_SIZE`
        block_size: Option<u64>,
        /// `INITIAL_CAP`
        initial_cap: Option<u64>,
    },
    /// A graph: approximate and fast.
    Hnsw {
        /// `M`: neighbours a node, 16 by default.
        m: Option<u64>,
        /// `EF_CONSTRUCTION`, 200 by default.
        ef_construction: Option<u64>,
        /// `EF_RUNTIME`, 10 by default.
        ef_runtime: Option<u64>,
        /// `EPSILON`, 0.01 by default.
        epsilon: Option<f64>,
        /// `INITIAL_CAP`
        initial_cap: Option<u64>,
    },
}

/// How far apart two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metric {
    /// `COSINE`: 0 for the same direction, 2 for the opposite one.
    Cosine,
    /// `IP`: one minus the inner product.
    InnerProduct,
    /// `L2`: the squared Euclidean distance.
    Euclidean,
}

impl Metric {
    /// The word RediSearch uses.
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "COSINE",
            Metric::InnerProduct => "IP",
            Metric::Euclidean => "L2",
        }
    }
}
