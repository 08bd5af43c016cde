//! The entries of a model's index, flattened: one a field, nested structs included.

use std::collections::BTreeMap;

use crate::model::{
    Attribute, FieldSchema, IndexKind, ModelSchema, Paths, Storage, VectorAlgorithm,
};

/// One field of the index.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Where the value lies: a hash field or a JSON path.
    pub(crate) identifier: String,
    /// The name in queries.
    pub(crate) name: String,
    pub(crate) attribute: Attribute,
}

/// All entries in the struct's order.
pub(crate) fn entries(schema: &ModelSchema) -> Vec<Entry> {
    let mut entries = Vec::new();
    let root = match schema.storage {
        Storage::Hash => "",
        Storage::Json => "$",
    };
    collect(schema.fields, schema.storage, root, "", &mut entries);
    entries
}

fn collect(
    fields: &[FieldSchema],
    storage: Storage,
    path: &str,
    name: &str,
    entries: &mut Vec<Entry>,
) {
    for field in fields {
        let mut identifier = path.to_owned();
        push_step(&mut identifier, field, storage);
        let named = |step: &str| match name {
            "" => step.to_owned(),
            _ if field.layout.forms().bare_names => step.to_owned(),
            outer => format!("{outer}_{step}"),
        };
        match &field.nested {
            Some(nested) if nested.flat => collect(nested.fields, storage, path, name, entries),
            Some(nested) => {
                collect(nested.fields, storage, &identifier, &named(field.name), entries);
            }
            None => {}
        }
        entries.extend(field.attributes.iter().map(|attribute| Entry {
            identifier: identifier.clone(),
            name: named(attribute.alias.unwrap_or(field.name)),
            attribute: *attribute,
        }));
    }
}

/// Lengthens a hash field's name or a JSON path by one field.
pub(crate) fn push_step(path: &mut String, field: &FieldSchema, storage: Storage) {
    if field.nested.is_some_and(|nested| nested.flat) {
        return;
    }
    if storage == Storage::Hash {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(field.name);
        return;
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let paths = field.layout.forms().paths;
    if paths != Paths::Brackets
        && field.name.chars().all(plain)
        && !field.name.starts_with(|first: char| first.is_ascii_digit())
    {
        path.push('.');
        path.push_str(field.name);
    } else {
        path.push_str("[\"");
        path.push_str(field.name);
        path.push_str("\"]");
    }
    if field.map {
        path.push_str(".*");
    }
    let many = field.many && paths != Paths::Whole;
    if many || field.nested.is_some_and(|nested| nested.many) {
        path.push_str("[*]");
    }
}

/// What is known of an entry, in words, in the form `FT.INFO` shows it.
pub(crate) type Facts = BTreeMap<&'static str, String>;

/// The facts of an entry as the server would show them, with what it implies.
pub(crate) fn facts(entry: &Entry, storage: Storage) -> Facts {
    let attribute = &entry.attribute;
    let mut facts = Facts::new();
    facts.insert("path", entry.identifier.clone());
    let mut flags = vec![
        ("noindex", attribute.no_index),
        ("index_missing", attribute.index_missing),
        ("index_empty", attribute.index_empty),
        ("sortable", attribute.sortable),
        ("unf", attribute.sortable && (attribute.unf || implies_unf(&attribute.kind, storage))),
    ];
    match attribute.kind {
        IndexKind::Geo => drop(facts.insert("type", "GEO".to_owned())),
        IndexKind::GeoShape { flat } => {
            facts.insert("type", "GEOSHAPE".to_owned());
            facts.insert("coord_system", if flat { "FLAT" } else { "SPHERICAL" }.to_owned());
        }
        IndexKind::Numeric => drop(facts.insert("type", "NUMERIC".to_owned())),
        IndexKind::Tag { separator, case_sensitive, suffix_trie } => {
            facts.insert("type", "TAG".to_owned());
            let separator = match (separator, storage) {
                ('\0', Storage::Hash) => ",".to_owned(),
                ('\0', _) => String::new(),
                _ => separator.to_string(),
            };
            facts.insert("separator", separator);
            flags.push(("case_sensitive", case_sensitive));
            flags.push(("suffix_trie", suffix_trie));
        }
        IndexKind::Text { weight, no_stem, phonetic: _, suffix_trie } => {
            facts.insert("type", "TEXT".to_owned());
            facts.insert("weight", weight.to_string());
            flags.push(("no_stem", no_stem));
            flags.push(("suffix_trie", suffix_trie));
        }
        IndexKind::Vector(vector) => {
            facts.insert("type", "VECTOR".to_owned());
            facts.insert("data_type", vector.element.to_owned());
            facts.insert("dim", vector.dimension.to_string());
            facts.insert("distance_metric", vector.metric.name().to_owned());
            match vector.algorithm {
                VectorAlgorithm::Flat { .. } => {
                    facts.insert("algorithm", "FLAT".to_owned());
                }
                VectorAlgorithm::Hnsw { m, ef_construction, .. } => {
                    facts.insert("algorithm", "HNSW".to_owned());
                    facts.insert("M", m.unwrap_or(16).to_string());
                    facts.insert("ef_construction", ef_construction.unwrap_or(200).to_string());
                }
                VectorAlgorithm::SvsVamana { .. } => {
                    facts.insert("algorithm", "SVS-VAMANA".to_owned());
                }
            }
        }
    }
    for (name, set) in flags {
        facts.insert(name, yes(set));
    }
    facts
}

/// What sorts by the value as it is without being told to.
fn implies_unf(kind: &IndexKind, storage: Storage) -> bool {
    match kind {
        IndexKind::Numeric => true,
        IndexKind::Tag { case_sensitive, .. } => *case_sensitive || storage == Storage::Json,
        _ => storage == Storage::Json,
    }
}

pub(crate) fn yes(set: bool) -> String {
    if set { "yes" } else { "no" }.to_owned()
}
