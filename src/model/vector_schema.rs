//! The options of an index of vectors.

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
    /// `FLAT`, `HNSW` or `SVS-VAMANA` with its options.
    pub algorithm: VectorAlgorithm,
    /// `DISTANCE_METRIC`
    pub metric: Metric,
    /// `TYPE`: `FLOAT32`, `FLOAT64`, `FLOAT16`, `BFLOAT16`, `INT8` or `UINT8`.
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
    /// A graph of compressed vectors: approximate, fast, small in memory. For `FLOAT32` and
    /// `FLOAT16`; the server needs to be 8.2 or later.
    SvsVamana {
        /// `GRAPH_MAX_DEGREE`: neighbours a node, 32 by default.
        graph_max_degree: Option<u64>,
        /// `CONSTRUCTION_WINDOW_SIZE`, 200 by default.
        construction_window_size: Option<u64>,
        /// `SEARCH_WINDOW_SIZE`, 10 by default.
        search_window_size: Option<u64>,
        /// `EPSILON`, 0.01 by default.
        epsilon: Option<f64>,
        /// `COMPRESSION`: none by default.
        compression: Option<Compression>,
        /// `TRAINING_THRESHOLD`: how many vectors the compression is learned from, 10,240 by
        /// default.
        training_threshold: Option<u64>,
        /// `REDUCE`: the dimension after compression by LeanVec, half of it by default.
        reduce: Option<u64>,
    },
}

/// How the vectors of an SVS-VAMANA index are compressed; the numbers are bits an element.
///
/// Servers whose processor lacks Intel's library compress by scalars of 8 bits instead.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::Compression;
///
/// assert_eq!(Compression::LeanVec4x8.name(), "LeanVec4x8");
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// `LVQ4`
    Lvq4,
    /// `LVQ4x4`
    Lvq4x4,
    /// `LVQ4x8`
    Lvq4x8,
    /// `LVQ8`
    Lvq8,
    /// `LeanVec4x8`
    LeanVec4x8,
    /// `LeanVec8x8`
    LeanVec8x8,
}

impl Compression {
    /// The word RediSearch uses.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::Compression;
    ///
    /// assert_eq!(Compression::Lvq8.name(), "LVQ8");
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Compression::Lvq4 => "LVQ4",
            Compression::Lvq4x4 => "LVQ4x4",
            Compression::Lvq4x8 => "LVQ4x8",
            Compression::Lvq8 => "LVQ8",
            Compression::LeanVec4x8 => "LeanVec4x8",
            Compression::LeanVec8x8 => "LeanVec8x8",
        }
    }
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
