//! What is known of a model before any server is asked: constants made by the derive.

use std::time::Duration;

/// How a model's documents are stored.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::{Account, Cafe};
/// use alizarin::model::Storage;
///
/// assert_eq!(Account::SCHEMA.storage, Storage::Hash);
/// assert_eq!(Cafe::SCHEMA.storage, Storage::Json);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Storage {
    /// One hash a document: `HSET`, `HGETALL`.
    Hash,
    /// One JSON document: `JSON.SET`, `JSON.GET`.
    Json,
}

/// A model's constants.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// let schema = Account::SCHEMA;
/// assert_eq!((schema.name, schema.prefix), ("Account", "account"));
/// assert_eq!((schema.id, schema.version), ("id", Some("version")));
/// assert!(schema.events && schema.index.is_none() && schema.ttl.is_none());
/// # Ok::<(), alizarin::Error>(())
/// ```
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
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// let index = Film::SCHEMA.index.expect("films have an index");
/// assert_eq!(index.name, "film_idx");
/// assert_eq!(index.stop_words, None);
/// # Ok::<(), alizarin::Error>(())
/// ```
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
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// let mut fields = Film::SCHEMA.fields.iter();
/// let not_indexed = fields.find(|field| field.attribute.is_none());
/// assert_eq!(not_indexed.map(|field| field.name), Some("id"));
/// # Ok::<(), alizarin::Error>(())
/// ```
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
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::FieldSchema;
    ///
    /// assert_eq!(FieldSchema::plain("note").kind(), None);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub const fn plain(name: &'static str) -> FieldSchema {
        FieldSchema { name, attribute: None, nested: None, many: false }
    }

    /// What kind of index entry the field has.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// use alizarin::model::IndexKind;
    ///
    /// let year = Film::SCHEMA.fields.iter().find(|field| field.name == "year");
    /// assert_eq!(year.and_then(|year| year.kind()), Some(&IndexKind::Numeric));
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn kind(&self) -> Option<&IndexKind> {
        self.attribute.as_ref().map(|attribute| &attribute.kind)
    }

    /// The separator of a TAG field.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// let genres = Film::SCHEMA.fields.iter().find(|field| field.name == "genres");
    /// assert_eq!(genres.and_then(|genres| genres.tag_separator()), Some('\u{1f}'));
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub fn tag_separator(&self) -> Option<char> {
        match self.kind() {
            Some(IndexKind::Tag { separator, .. }) => Some(*separator),
            _ => None,
        }
    }
}

/// The fields of a struct inside a model.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Cafe;
/// let address = Cafe::SCHEMA.fields.iter().find_map(|field| field.nested);
/// let names = address.map(|address| address.fields.iter().map(|field| field.name).collect());
/// assert_eq!(names, Some(vec!["street", "city"]));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct NestedSchema {
    /// Its fields.
    pub fields: &'static [FieldSchema],
    /// Whether there is a list of such structs (JSON only).
    pub many: bool,
}

/// A field's entry in the search index.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// let sortable = Film::SCHEMA.fields.iter();
/// let sortable = sortable.filter(|field| field.attribute.is_some_and(|index| index.sortable));
/// let names: Vec<&str> = sortable.map(|field| field.name).collect();
/// assert_eq!(names, ["title", "director", "year", "rating"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
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
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// use alizarin::model::IndexKind;
///
/// let is_text = |kind| matches!(kind, &IndexKind::Text { .. });
/// let text = Film::SCHEMA.fields.iter().filter(|field| field.kind().is_some_and(is_text));
/// assert_eq!(text.map(|field| field.name).collect::<Vec<_>>(), ["title", "plot"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
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
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// use alizarin::model::IndexKind;
///
/// let mood = Film::SCHEMA.fields.iter().find_map(|field| match field.kind() {
///     Some(IndexKind::Vector(vector)) => Some(vector),
///     _ => None,
/// });
/// assert_eq!(mood.map(|mood| (mood.element, mood.dimension)), Some(("FLOAT32", 3)));
/// # Ok::<(), alizarin::Error>(())
/// ```
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
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::{IndexKind, VectorAlgorithm};
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "note", index)]
/// struct Note {
///     #[redis(id)]
///     id: u32,
///     #[redis(vector(hnsw, cosine, m = 32))]
///     meaning: Vector<f32, 384>,
/// }
///
/// let Some(IndexKind::Vector(vector)) = Note::SCHEMA.fields[1].kind() else { unreachable!() };
/// assert!(matches!(vector.algorithm, VectorAlgorithm::Hnsw { m: Some(32), epsilon: None, .. }));
/// # Ok::<(), alizarin::Error>(())
/// ```
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
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// use alizarin::model::{IndexKind, Metric};
///
/// let mood = Film::SCHEMA.fields.iter().find_map(|field| match field.kind() {
///     Some(IndexKind::Vector(vector)) => Some(vector),
///     _ => None,
/// });
/// assert_eq!(mood.map(|mood| mood.metric), Some(Metric::Cosine));
/// # Ok::<(), alizarin::Error>(())
/// ```
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
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::Metric;
    ///
    /// assert_eq!(Metric::InnerProduct.name(), "IP");
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Metric::Cosine => "COSINE",
            Metric::InnerProduct => "IP",
            Metric::Euclidean => "L2",
        }
    }
}
