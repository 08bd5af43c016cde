//! What a model says of its index as a whole.

use std::time::Duration;

/// A model's search index: the options of the index as a whole, from the struct's `#[redis(..)]`.
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
    /// `STOPWORDS`: `None` for the server's own list, an empty list for none at all.
    pub stop_words: Option<&'static [&'static str]>,
    /// `LANGUAGE` for stemming, where it is not English.
    pub language: Option<&'static str>,
    /// `LANGUAGE_FIELD`: the stored field in which a document says its own language.
    pub language_field: Option<&'static str>,
    /// `SCORE` of documents that do not say their own, from 0 to 1; 1 by default.
    pub score: Option<f64>,
    /// `SCORE_FIELD`: the stored field in which a document says its own score.
    pub score_field: Option<&'static str>,
    /// `FILTER`: only documents for which this expression holds are indexed.
    pub filter: Option<&'static str>,
    /// Further prefixes of keys to index, without their colon.
    pub prefixes: &'static [&'static str],
    /// `TEMPORARY`: the index ends when nobody used it for so long, in whole seconds.
    pub temporary: Option<Duration>,
    /// Options without a value.
    pub options: &'static [IndexOption],
}

impl IndexSchema {
    /// An index with the server's defaults.
    ///
    /// ```
    /// use alizarin::model::IndexSchema;
    ///
    /// let index = IndexSchema { language: Some("german"), ..IndexSchema::named("film_idx") };
    /// assert_eq!((index.name, index.filter), ("film_idx", None));
    /// ```
    pub const fn named(name: &'static str) -> IndexSchema {
        IndexSchema {
            name,
            stop_words: None,
            language: None,
            language_field: None,
            score: None,
            score_field: None,
            filter: None,
            prefixes: &[],
            temporary: None,
            options: &[],
        }
    }
}

/// An option of an index that has no value.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::model::IndexOption;
///
/// #[derive(RedisModel)]
/// #[redis(hash, prefix = "note", index, no_offsets, no_frequencies)]
/// struct Note {
///     #[redis(id)]
///     id: u32,
///     #[redis(text)]
///     text: String,
/// }
///
/// let options = Note::SCHEMA.index.map(|index| index.options);
/// assert_eq!(options, Some(&[IndexOption::NoOffsets, IndexOption::NoFrequencies][..]));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum IndexOption {
    /// `MAXTEXTFIELDS`: room for more than 32 TEXT fields, also by `FT.ALTER`.
    MaxTextFields,
    /// `NOFREQS`: how often a word occurs in a document is not kept.
    NoFrequencies,
    /// `NOHL`: no highlighting.
    NoHighlight,
    /// `NOOFFSETS`: where a word occurs is not kept: no phrases, no highlighting.
    NoOffsets,
    /// `SKIPINITIALSCAN`: documents that are there before the index are not indexed.
    SkipInitialScan,
}

impl IndexOption {
    /// The word in `FT.CREATE`.
    ///
    /// ```
    /// use alizarin::model::IndexOption;
    ///
    /// assert_eq!(IndexOption::NoFrequencies.word(), "NOFREQS");
    /// ```
    pub const fn word(self) -> &'static str {
        match self {
            IndexOption::MaxTextFields => "MAXTEXTFIELDS",
            IndexOption::NoFrequencies => "NOFREQS",
            IndexOption::NoHighlight => "NOHL",
            IndexOption::NoOffsets => "NOOFFSETS",
            IndexOption::SkipInitialScan => "SKIPINITIALSCAN",
        }
    }
}
