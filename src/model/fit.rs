//! What the compiler checks of a model with its nested structs. A derive sees one struct alone.

use super::layout::layout_misfit;
use super::{FieldSchema, IndexKind, ModelSchema, Storage};

/// How many bytes of a message or name are kept: more than any name in an index has.
const LONGEST: usize = 1024;

/// Why a model cannot be stored or indexed as it is.
pub const fn model_misfit(schema: &ModelSchema) -> Option<Misfit> {
    let found = stored_misfit(schema.fields);
    if found.is_some() {
        return found;
    }
    let found = layout_misfit(schema);
    if found.is_some() {
        return found;
    }
    if matches!(schema.storage, Storage::Hash) {
        let found = list_misfit(schema.fields);
        if found.is_some() {
            return found;
        }
    }
    if schema.index.is_some() { name_misfit(schema.fields) } else { None }
}

/// Which two fields would be stored under one name: those of a flattened struct stand among those
/// around it.
pub const fn stored_misfit(fields: &[FieldSchema]) -> Option<Misfit> {
    stored_clash(fields, fields, Misfit::new())
}

/// A name of `fields` that `all`, the level they stand on, has twice; `place` says where they are.
const fn stored_clash(
    all: &[FieldSchema],
    fields: &[FieldSchema],
    place: Misfit,
) -> Option<Misfit> {
    let mut rest = fields;
    while let [field, left @ ..] = rest {
        rest = left;
        let found = match &field.nested {
            Some(nested) if nested.flat => {
                stored_clash(all, nested.fields, place.push(" of `").push(field.name).push("`"))
            }
            _ if place.length > 0 && stored(all, field.name.as_bytes()) > 1 => {
                let text = Misfit::new().push("two fields would be stored as `").push(field.name);
                let text = text.push("`: one is").push_bytes(place.bytes());
                Some(text.push("; rename one of them"))
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// How many fields are stored under this name.
const fn stored(fields: &[FieldSchema], name: &[u8]) -> usize {
    let (mut fields, mut count) = (fields, 0);
    while let [field, left @ ..] = fields {
        fields = left;
        count += match &field.nested {
            Some(nested) if nested.flat => stored(nested.fields, name),
            _ => matches!(after(name, field.name.as_bytes()), Some([])) as usize,
        };
    }
    count
}

/// Which two fields would have one name in the index: the names of nested fields are joined by
/// `_`, so `a.b_c` and `a_b.c` are both `a_b_c`.
pub const fn name_misfit(fields: &[FieldSchema]) -> Option<Misfit> {
    name_clash(fields, fields, Misfit::new(), Misfit::new())
}

/// An index name below `fields` that `all` has twice. `name` is what theirs begin with in the
/// index, `path` in the document.
const fn name_clash(
    all: &[FieldSchema],
    fields: &[FieldSchema],
    name: Misfit,
    path: Misfit,
) -> Option<Misfit> {
    let mut rest = fields;
    while let [field, left @ ..] = rest {
        rest = left;
        let path = path.push(field.name);
        if let Some(nested) = &field.nested {
            let below = match is_bare(field, nested.flat) {
                true => name,
                false => name.push(field.name).push("_"),
            };
            let found = name_clash(all, nested.fields, below, path.push("."));
            if found.is_some() {
                return found;
            }
        }
        let mut entries = field.attributes;
        while let [entry, left @ ..] = entries {
            entries = left;
            let full = name.push(index_name(field, entry.alias));
            if named(all, full.bytes()) > 1 {
                let text = Misfit::new().push("two fields would have the name `");
                let text = text.push_bytes(full.bytes()).push("` in the index: `");
                let text = text.push_bytes(path.bytes());
                let text = match other(all, full.bytes(), &path, Misfit::new()) {
                    Some(other) => text.push("` and `").push_bytes(other.bytes()),
                    None => text,
                };
                return Some(text.push("`; rename one of them, or give it an `alias`"));
            }
        }
    }
    None
}

/// The path of the field that has this name in the index too.
const fn other(
    fields: &[FieldSchema],
    name: &[u8],
    first: &Misfit,
    path: Misfit,
) -> Option<Misfit> {
    let mut fields = fields;
    while let [field, left @ ..] = fields {
        fields = left;
        let path = path.push(field.name);
        if let Some(nested) = &field.nested {
            let rest = match after(name, field.name.as_bytes()) {
                _ if is_bare(field, nested.flat) => name,
                Some([b'_', rest @ ..]) => rest,
                _ => continue,
            };
            let found = other(nested.fields, rest, first, path.push("."));
            if found.is_some() {
                return found;
            }
        }
        let mut entries = field.attributes;
        while let [entry, left @ ..] = entries {
            entries = left;
            let same = matches!(after(name, index_name(field, entry.alias).as_bytes()), Some([]));
            if same && !matches!(after(path.bytes(), first.bytes()), Some([])) {
                return Some(path);
            }
        }
    }
    None
}

/// Whether the fields of a nested struct have their own names alone in the index.
const fn is_bare(field: &FieldSchema, flat: bool) -> bool {
    flat || field.layout.forms().bare_names
}

const fn index_name(field: &FieldSchema, alias: Option<&'static str>) -> &'static str {
    match alias {
        Some(alias) => alias,
        None => field.name,
    }
}

/// How many entries of the index have this name.
const fn named(fields: &[FieldSchema], name: &[u8]) -> usize {
    let (mut fields, mut count) = (fields, 0);
    while let [field, left @ ..] = fields {
        fields = left;
        if let Some(nested) = &field.nested {
            count += match after(name, field.name.as_bytes()) {
                _ if is_bare(field, nested.flat) => named(nested.fields, name),
                Some([b'_', rest @ ..]) => named(nested.fields, rest),
                _ => 0,
            };
        }
        let mut entries = field.attributes;
        while let [entry, left @ ..] = entries {
            entries = left;
            let same = matches!(after(name, index_name(field, entry.alias).as_bytes()), Some([]));
            count += same as usize;
        }
    }
    count
}

/// A hash has no place for lists of structs, and its index takes lists of tags only, and no maps.
const fn list_misfit(fields: &[FieldSchema]) -> Option<Misfit> {
    let mut fields = fields;
    while let [field, left @ ..] = fields {
        fields = left;
        let why = match (&field.nested, field.attribute()) {
            (Some(nested), _) if nested.many => "a hash cannot hold a list of structs",
            (Some(nested), _) => {
                let misfit = list_misfit(nested.fields);
                if misfit.is_some() {
                    return misfit;
                }
                continue;
            }
            (None, Some(_)) if field.map => "the index of a hash cannot look into maps",
            (None, Some(attribute)) if field.many => match attribute.kind {
                IndexKind::Tag { .. } | IndexKind::Text { .. } => continue,
                _ => "the index of a hash takes lists of tags only",
            },
            _ => continue,
        };
        let misfit = Misfit::new().push("the field `").push(field.name).push("`: ").push(why);
        return Some(misfit.push("; store the model as `json`"));
    }
    None
}

/// What follows `start` in `text`.
const fn after<'a>(text: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    let (mut text, mut start) = (text, start);
    while let [letter, left @ ..] = start {
        match text {
            [first, rest @ ..] if *first == *letter => text = rest,
            _ => return None,
        }
        start = left;
    }
    Some(text)
}

/// Text put together by the compiler: why a model does not fit, or a name.
#[derive(Debug, Clone, Copy)]
pub struct Misfit {
    bytes: [u8; LONGEST],
    /// `0 <= length <= LONGEST`
    length: usize,
}

impl Misfit {
    pub(super) const fn new() -> Misfit {
        Misfit { bytes: [0; LONGEST], length: 0 }
    }

    pub(super) const fn push(self, text: &str) -> Misfit {
        self.push_bytes(text.as_bytes())
    }

    const fn push_bytes(mut self, text: &[u8]) -> Misfit {
        let mut text = text;
        while let [letter, left @ ..] = text {
            text = left;
            assert!(self.length < LONGEST, "the names of these nested fields are too long");
            self.bytes[self.length] = *letter;
            self.length += 1;
        }
        self
    }

    const fn bytes(&self) -> &[u8] {
        self.bytes.split_at(self.length).0
    }

    /// The text.
    pub const fn text(&self) -> &str {
        match std::str::from_utf8(self.bytes()) {
            Ok(text) => text,
            Err(_) => "the model does not fit",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Attribute, NestedSchema};

    const TAG: IndexKind =
        IndexKind::Tag { separator: ',', case_sensitive: false, suffix_trie: false };
    const NUMBER: &[Attribute] = &[Attribute::plain(IndexKind::Numeric)];

    const fn many(name: &'static str, attributes: &'static [Attribute]) -> FieldSchema {
        FieldSchema { attributes, many: true, ..FieldSchema::plain(name) }
    }

    const fn number(name: &'static str) -> FieldSchema {
        FieldSchema { attributes: NUMBER, ..FieldSchema::plain(name) }
    }

    const fn inside(name: &'static str, fields: &'static [FieldSchema], many: bool) -> FieldSchema {
        let nested = Some(NestedSchema { fields, many, flat: false });
        FieldSchema { nested, ..FieldSchema::plain(name) }
    }

    const fn flat(name: &'static str, fields: &'static [FieldSchema]) -> FieldSchema {
        let nested = Some(NestedSchema { fields, many: false, flat: true });
        FieldSchema { nested, ..FieldSchema::plain(name) }
    }

    const C: &[FieldSchema] = &[FieldSchema::plain("x"), number("c")];
    const B_C: &[FieldSchema] = &[number("b_c"), FieldSchema::plain("d")];
    const B: &[FieldSchema] = &[inside("b", C, false)];

    #[test]
    fn one_name_for_two_fields_is_found_at_any_depth() {
        const CLASHES: [&[FieldSchema]; 5] = [
            &[inside("a", B_C, false), number("a_b_c")],
            &[number("a_b_c"), inside("a", B_C, false)],
            &[inside("a", B_C, false), inside("a_b", C, false)],
            &[inside("a_b", C, false), inside("a", B, false)],
            &[inside("a", B, false), number("z"), number("a_b_c")],
        ];
        for fields in CLASHES {
            let misfit = name_misfit(fields).expect("it is found");
            let why = misfit.text();
            assert!(why.contains("`a_b_c`") && why.contains("` and `"), "{why}");
        }
    }

    #[test]
    fn flattened_fields_and_aliases_have_names_of_their_own() {
        const ALIASED: &[Attribute] =
            &[Attribute { alias: Some("x_c"), ..Attribute::plain(IndexKind::Numeric) }];
        const X: FieldSchema = FieldSchema { attributes: ALIASED, ..FieldSchema::plain("a") };
        const CLASHES: [&[FieldSchema]; 3] = [
            &[flat("a", C), number("c")],
            &[number("x"), inside("x", C, false), X],
            &[inside("x", &[flat("y", C)], false), X],
        ];
        for fields in CLASHES {
            assert!(name_misfit(fields).is_some());
        }
        assert!(name_misfit(&[flat("a", C), inside("b", C, false), X]).is_none());
        let misfit = stored_misfit(&[flat("a", C), FieldSchema::plain("x")]).expect("found");
        assert!(misfit.text().contains("`x`: one is of `a`"), "{}", misfit.text());
        const DEEP: &[FieldSchema] = &[flat("b", C)];
        assert!(stored_misfit(&[flat("a", DEEP), number("c")]).is_some());
        assert!(stored_misfit(&[flat("a", C), inside("b", C, false)]).is_none());
    }

    #[test]
    fn names_that_only_begin_alike_are_fine() {
        const FINE: [&[FieldSchema]; 6] = [
            &[],
            &[inside("a", B_C, false), number("a_b"), number("a_"), number("a_b_cd")],
            // Neither the plain one nor the struct itself is in the index.
            &[inside("a", B_C, false), number("a_d")],
            &[inside("a", B_C, false), FieldSchema::plain("a_b_c")],
            &[inside("a", B, false), number("a_b")],
            &[inside("a", B_C, false), inside("ab", C, false), inside("a_c", C, false)],
        ];
        for fields in FINE {
            assert!(name_misfit(fields).is_none());
        }
    }

    #[test]
    fn lists_that_a_hash_cannot_hold_are_found_at_any_depth() {
        const NUMBERS: &[FieldSchema] = &[many("n", NUMBER)];
        const POINTS: &[FieldSchema] = &[many("n", &[Attribute::plain(IndexKind::Geo)])];
        const MAP: &[FieldSchema] = &[FieldSchema { map: true, ..number("n") }];
        const INSIDE: &[FieldSchema] = &[number("a"), inside("b", NUMBERS, false)];
        const MANY: &[FieldSchema] = &[inside("n", C, true)];
        for fields in [NUMBERS, POINTS, INSIDE, MANY, MAP] {
            let misfit = list_misfit(fields).expect("it is found");
            let why = misfit.text();
            assert!(why.contains("`n`") && why.contains("json"), "{why}");
        }
        const FINE: &[FieldSchema] = &[
            many("t", &[Attribute::plain(TAG)]),
            FieldSchema { many: true, ..FieldSchema::plain("p") },
            inside("b", C, false),
        ];
        assert!(list_misfit(FINE).is_none());
    }
}
