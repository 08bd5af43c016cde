//! What is known of a model before any server is asked: constants made by the derive.

use std::time::Duration;

use super::vector_schema::VectorSchema;
use super::{IndexSchema, Layout, ValueKind};

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
/// assert_eq!((schema.ids, schema.version), (&["id"][..], Some("version")));
/// assert_eq!(schema.key, ["account:", ""]);
/// assert!(schema.events && schema.index.is_none() && schema.ttl.is_none());
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct ModelSchema {
    /// The struct's name, for messages.
    pub name: &'static str,
    /// The model's word in the names of its index, channel and companion keys, and what its keys
    /// begin with unless it has a template of its own.
    pub prefix: &'static str,
    /// The texts around the parts of the id in a key: one before each part, one after the last.
    pub key: &'static [&'static str],
    /// Hash or JSON.
    pub storage: Storage,
    /// Whose forms its documents and its index have.
    pub layout: Layout,
    /// The stored fields in the struct's order.
    pub fields: &'static [FieldSchema],
    /// The stored names of the id's fields, in the order of its parts.
    pub ids: &'static [&'static str],
    /// The stored name of the version field.
    pub version: Option<&'static str>,
    /// The search index, for models with `#[redis(index)]`.
    pub index: Option<IndexSchema>,
    /// Whether writes publish change events.
    pub events: bool,
    /// The time to live that a save sets, unless the call says otherwise.
    pub ttl: Option<Duration>,
    /// What the server does to single fields with each write.
    pub writes: WriteSchema,
    /// What no two documents have in common.
    pub unique: &'static [UniqueSchema],
}

/// What the server does to single fields of a document when it is written.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// use alizarin::model::WriteSchema;
///
/// assert_eq!(Account::SCHEMA.writes, WriteSchema::NONE);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct WriteSchema {
    /// The field that holds when the document was created.
    pub created_at: Option<StampSchema>,
    /// The field that holds when it was last written.
    pub updated_at: Option<StampSchema>,
    /// The fields with `ttl`: those that can expire alone, in a hash.
    pub limits: &'static [LimitSchema],
}

impl WriteSchema {
    /// Nothing.
    pub const NONE: WriteSchema = WriteSchema { created_at: None, updated_at: None, limits: &[] };

    /// How long a field lives, where it can expire alone.
    pub(crate) fn limit(&self, field: &str) -> Option<&'static LimitSchema> {
        self.limits.iter().find(|limit| limit.field == field)
    }
}

/// A field that the server stamps with its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct StampSchema {
    /// The stored name.
    pub field: &'static str,
    /// Whether it counts milliseconds since 1970; else nanoseconds.
    pub milliseconds: bool,
    /// Whether it is a string in JSON, for a TAG index.
    pub text: bool,
}

/// A field of a hash that can expire alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct LimitSchema {
    /// The stored name.
    pub field: &'static str,
    /// How long it lives from the write on, where no limit runs; `None` for ever.
    pub after: Option<Duration>,
}

impl ModelSchema {
    /// The first field that is worked out from the rest of the document, which writes of single
    /// fields cannot do: on the way to it, nested structs included.
    pub(crate) fn computed(&self) -> Option<&'static FieldSchema> {
        fn first(fields: &'static [FieldSchema]) -> Option<&'static FieldSchema> {
            fields.iter().find_map(|field| match &field.nested {
                Some(nested) => first(nested.fields),
                None => field.computed.then_some(field),
            })
        }
        first(self.fields)
    }
}

/// A field, or several together, whose value only one document may have.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Member;
/// let names: Vec<&str> = Member::SCHEMA.unique.iter().map(|unique| unique.name).collect();
/// assert_eq!(names, ["email", "team+number"]);
/// assert_eq!(Member::SCHEMA.unique[1].fields, ["team", "number"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct UniqueSchema {
    /// Its name in keys and errors: that of the field or group, or the fields' joined by `+`.
    pub name: &'static str,
    /// The stored names of the fields.
    pub fields: &'static [&'static str],
}

/// One stored field.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// let mut fields = Film::SCHEMA.fields.iter();
/// let not_indexed = fields.find(|field| field.attributes.is_empty());
/// assert_eq!(not_indexed.map(|field| field.name), Some("id"));
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct FieldSchema {
    /// The hash field or JSON member.
    pub name: &'static str,
    /// The entries in the index: none for a field that is only stored, several where a field is
    /// searched in several ways. The first one says how the value is stored.
    pub attributes: &'static [Attribute],
    /// The fields of a nested struct, where this is one.
    pub nested: Option<NestedSchema>,
    /// Whether the value is a list: in JSON the index then looks at each element.
    pub many: bool,
    /// Whether the value is a map: in JSON the index then looks at the value of each key.
    pub map: bool,
    /// Whether each write works the value out from the rest of the document.
    pub computed: bool,
    /// Whose forms its value has.
    pub layout: Layout,
    /// What the value is, to a layout.
    pub value: ValueKind,
}

impl Attribute {
    /// An entry without options.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use alizarin::model::{Attribute, IndexKind};
    ///
    /// assert!(!Attribute::plain(IndexKind::Numeric).sortable);
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub const fn plain(kind: IndexKind) -> Attribute {
        Attribute {
            alias: None,
            kind,
            sortable: false,
            unf: false,
            no_index: false,
            index_missing: false,
            index_empty: false,
        }
    }
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
        FieldSchema {
            name,
            attributes: &[],
            nested: None,
            many: false,
            map: false,
            computed: false,
            layout: Layout::Alizarin,
            value: ValueKind::Other,
        }
    }

    /// The first entry in the index, which says how the value is stored.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Film;
    /// let title = Film::SCHEMA.fields.iter().find(|field| field.name == "title");
    /// assert!(title.and_then(|title| title.attribute()).is_some_and(|index| index.sortable));
    /// # Ok::<(), alizarin::Error>(())
    /// ```
    pub const fn attribute(&self) -> Option<&'static Attribute> {
        self.attributes.first()
    }

    /// What kind of index entry the field has; of several, the first one's.
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
    pub fn kind(&self) -> Option<&'static IndexKind> {
        self.attribute().map(|attribute| &attribute.kind)
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
            // That of the server.
            Some(IndexKind::Tag { separator: '\0', .. }) => Some(','),
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
    /// Whether its fields stand among those of the struct around it, under their own names.
    pub flat: bool,
}

/// A field's entry in the search index.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Film;
/// let sortable = Film::SCHEMA.fields.iter();
/// let sortable = sortable.filter(|field| field.attributes.iter().any(|index| index.sortable));
/// let names: Vec<&str> = sortable.map(|field| field.name).collect();
/// assert_eq!(names, ["title", "director", "year", "rating"]);
/// # Ok::<(), alizarin::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the derive writes it as a literal")]
pub struct Attribute {
    /// The name in the index, where it is not the field's own: the last part of it for fields of
    /// nested structs.
    pub alias: Option<&'static str>,
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
        /// Splits a stored string into several tags. The default is U+001F, which no text holds; NUL
        /// stands for the server's own, which is a comma in a hash and none in JSON.
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
