//! A model for the tests of this folder, written by hand: one field of each sort.

use std::borrow::Cow;

use crate::Result;
use crate::model::{
    Attribute, Document, DocumentWriter, FieldSchema, GeoPoint, GeoShape, IndexKind, IndexSchema,
    Metric, ModelSchema, NestedSchema, RedisModel, Storage, StoredValue, Vector, VectorAlgorithm,
    VectorSchema,
};
use crate::query::{
    Field, FieldPath, FieldSpec, HasEmpty, HasMissing, IsExact, IsGeo, IsGeoShape, IsNumeric,
    IsSortable, IsTag, IsText, IsVector,
};

/// Stored as a hash.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Film {
    pub(crate) id: u32,
}

const fn field(name: &'static str, attributes: &'static [Attribute]) -> FieldSchema {
    FieldSchema { attributes, ..FieldSchema::plain(name) }
}

const fn sortable(kind: IndexKind) -> Attribute {
    Attribute { sortable: true, ..Attribute::plain(kind) }
}

const TAG: Attribute = Attribute::plain(IndexKind::Tag {
    separator: '\u{1f}',
    case_sensitive: false,
    suffix_trie: false,
});
const TEXT: Attribute = Attribute::plain(IndexKind::Text {
    weight: 1.0,
    no_stem: false,
    phonetic: None,
    suffix_trie: false,
});

pub(crate) static FIELDS: &[FieldSchema] = &[
    field("id", &[Attribute::plain(IndexKind::Numeric)]),
    field(
        "title",
        &[sortable(IndexKind::Text {
            weight: 2.0,
            no_stem: true,
            phonetic: Some("dm:en"),
            suffix_trie: true,
        })],
    ),
    field("genre", &[TAG]),
    FieldSchema { many: true, ..field("tags", &[TAG]) },
    field(
        "code",
        &[Attribute::plain(IndexKind::Tag {
            separator: ';',
            case_sensitive: true,
            suffix_trie: true,
        })],
    ),
    field("votes", &[sortable(IndexKind::Numeric)]),
    field("rating", &[Attribute::plain(IndexKind::Numeric)]),
    field("seen", &[TAG]),
    field("place", &[Attribute::plain(IndexKind::Geo)]),
    field("area", &[Attribute::plain(IndexKind::GeoShape { flat: true })]),
    field(
        "plot",
        &[Attribute::plain(IndexKind::Vector(VectorSchema {
            algorithm: VectorAlgorithm::Hnsw {
                m: Some(8),
                ef_construction: None,
                ef_runtime: Some(20),
                epsilon: Some(0.05),
                initial_cap: None,
            },
            metric: Metric::Cosine,
            element: "FLOAT32",
            dimension: 2,
        }))],
    ),
    field("note", &[Attribute { index_missing: true, index_empty: true, ..TEXT }]),
    FieldSchema {
        nested: Some(NestedSchema { fields: ADDRESS, many: false, flat: false }),
        ..FieldSchema::plain("address")
    },
    field("Major Genre", &[TAG]),
    FieldSchema::plain("budget"),
];

static ADDRESS: &[FieldSchema] = &[field("city", &[TAG])];

pub(crate) static SCHEMA: ModelSchema = ModelSchema {
    writes: crate::model::WriteSchema::NONE,
    name: "Film",
    prefix: "film",
    storage: Storage::Hash,
    layout: crate::model::Layout::Alizarin,
    fields: FIELDS,
    key: &["film:", ""],
    ids: &["id"],
    version: None,
    index: Some(IndexSchema::named("film_idx")),
    events: false,
    ttl: None,
    unique: &[],
};

macro_rules! markers {
    ($($name:ident: $stored:ty = [$($path:ident $at:literal)+] $($capability:ident)*;)+) => {
        #[expect(non_camel_case_types, reason = "named as the derive names them")]
        pub(crate) mod fields {
            $(pub(crate) struct $name;)+
        }

        #[derive(Debug, Clone, Copy, Default)]
        pub(crate) struct Fields {
            $(pub(crate) $name: Field<fields::$name>,)+
        }

        $(
            impl FieldPath for fields::$name {
                type Model = Film;

                fn walk(each: &mut dyn FnMut(&'static FieldSchema)) {
                    $(each(&$path[$at]);)+
                }
            }

            impl FieldSpec for fields::$name {
                type Stored = $stored;
                type Value = <$stored as crate::model::RedisValue>::Item;
            }

            $(impl $capability for fields::$name {})*
        )+
    };
}

markers! {
    id: u32 = [FIELDS 0] IsNumeric IsExact;
    title: String = [FIELDS 1] IsText IsSortable;
    genre: Option<String> = [FIELDS 2] IsTag IsExact;
    tags: Vec<String> = [FIELDS 3] IsTag IsExact;
    code: String = [FIELDS 4] IsTag IsExact;
    votes: u64 = [FIELDS 5] IsNumeric IsExact IsSortable;
    rating: Option<f32> = [FIELDS 6] IsNumeric IsExact;
    seen: bool = [FIELDS 7] IsTag IsExact;
    place: GeoPoint = [FIELDS 8] IsGeo;
    area: GeoShape = [FIELDS 9] IsGeoShape;
    plot: Vector<f32, 2> = [FIELDS 10] IsVector;
    note: Option<String> = [FIELDS 11] IsText HasMissing HasEmpty;
    address_city: String = [FIELDS 12 ADDRESS 0] IsTag IsExact;
    major_genre: String = [FIELDS 13] IsTag IsExact;
}

impl RedisModel for Film {
    type Id = u32;
    type Fields = Fields;
    const SCHEMA: &'static ModelSchema = &SCHEMA;

    fn id(&self) -> Cow<'_, u32> {
        Cow::Borrowed(&self.id)
    }
}

impl Document for Film {
    const FIELDS: &'static [FieldSchema] = FIELDS;
    type Partial = Option<u32>;

    fn write(&self, out: &mut DocumentWriter) -> Result<()> {
        out.field(&FIELDS[0], &self.id)
    }

    fn accept(partial: &mut Option<u32>, name: &[u8], value: StoredValue<'_>) -> Result<bool> {
        if name != b"id" {
            return Ok(false);
        }
        *partial = Some(value.read(&FIELDS[0])?);
        Ok(true)
    }

    fn finish(partial: Option<u32>) -> Result<Film> {
        let id = partial.ok_or_else(|| crate::model::missing(&FIELDS[0]))?;
        Ok(Film { id })
    }
}
