//! What the compiler checks of a model with its nested structs. A derive sees one struct alone.

use super::{FieldSchema, IndexKind, ModelSchema, Storage};

/// How many bytes of a message or name are kept: more than any name in an index has.
const LONGEST: usize = 1024;

/// Why a model cannot be stored or indexed as it is.
pub const fn model_misfit(schema: &ModelSchema) -> Option<Misfit> {
    if matches!(schema.storage, Storage::Hash) {
        let misfit = list_misfit(schema.fields);
        if misfit.is_some() {
            return misfit;
        }
    }
    if schema.index.is_some() { name_misfit(schema.fields) } else { None }
}

/// Which two fields would have one name in the index: the names of nested fields are joined by
/// `_`, so `a.b_c` and `a_b.c` are both `a_b_c`.
pub const fn name_misfit(fields: &[FieldSchema]) -> Option<Misfit> {
    let mut outers = fields;
    while let [outer, left @ ..] = outers {
        outers = left;
        let Some(nested) = &outer.nested else { continue };
        let before = Misfit::new().push(outer.name).push("_");
        let mut others = fields;
        while let [other, left @ ..] = others {
            others = left;
            if let Some(rest) = after(other.name.as_bytes(), before.bytes())
                && let Some(name) = common(nested.fields, other, Misfit::new().push_bytes(rest))
            {
                let full = before.push_bytes(name.bytes());
                let what = if other.nested.is_some() { "one in" } else { "the other is" };
                return Some(
                    Misfit::new()
                        .push("two fields would have the name `")
                        .push_bytes(full.bytes())
                        .push("` in the index: one in `")
                        .push(outer.name)
                        .push("`, ")
                        .push(what)
                        .push(" `")
                        .push(other.name)
                        .push("`; rename one of them"),
                );
            }
        }
    }
    None
}

/// The index name of `field`, or of a field inside it, that one of `fields` has too; `name` is
/// what `field` itself is called.
const fn common(fields: &[FieldSchema], field: &FieldSchema, name: Misfit) -> Option<Misfit> {
    if field.attribute.is_some() && named(fields, name.bytes()) {
        return Some(name);
    }
    let Some(nested) = &field.nested else { return None };
    let mut inner = nested.fields;
    while let [field, left @ ..] = inner {
        inner = left;
        let found = common(fields, field, name.push("_").push(field.name));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether the index calls one of `fields` by this name.
const fn named(fields: &[FieldSchema], name: &[u8]) -> bool {
    let mut fields = fields;
    while let [field, left @ ..] = fields {
        fields = left;
        let found = match (after(name, field.name.as_bytes()), &field.nested) {
            (Some([]), _) => field.attribute.is_some(),
            (Some([b'_', rest @ ..]), Some(nested)) => named(nested.fields, rest),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// A hash has no place for lists of structs, and its index takes lists of tags only.
const fn list_misfit(fields: &[FieldSchema]) -> Option<Misfit> {
    let mut fields = fields;
    while let [field, left @ ..] = fields {
        fields = left;
        let why = match (&field.nested, &field.attribute) {
            (Some(nested), _) if nested.many => "a hash cannot hold a list of structs",
            (Some(nested), _) => {
                let misfit = list_misfit(nested.fields);
                if misfit.is_some() {
                    return misfit;
                }
                continue;
            }
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
    const fn new() -> Misfit {
        Misfit { bytes: [0; LONGEST], length: 0 }
    }

    const fn push(self, text: &str) -> Misfit {
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

    const fn indexed(name: &'static str, kind: IndexKind, many: bool) -> FieldSchema {
        let attribute = Some(Attribute {
            kind,
            sortable: false,
            unf: false,
            no_index: false,
            index_missing: false,
            index_empty: false,
        });
        FieldSchema { name, attribute, nested: None, many }
    }

    const fn number(name: &'static str) -> FieldSchema {
        indexed(name, IndexKind::Numeric, false)
    }

    const fn inside(name: &'static str, fields: &'static [FieldSchema], many: bool) -> FieldSchema {
        FieldSchema {
            name,
            attribute: None,
            nested: Some(NestedSchema { fields, many }),
            many: false,
        }
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
            assert!(why.contains("`a_b_c`") && why.contains("in `a`"), "{why}");
        }
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
        const NUMBERS: &[FieldSchema] = &[indexed("n", IndexKind::Numeric, true)];
        const POINTS: &[FieldSchema] = &[indexed("n", IndexKind::Geo, true)];
        const INSIDE: &[FieldSchema] = &[number("a"), inside("b", NUMBERS, false)];
        const MANY: &[FieldSchema] = &[inside("n", C, true)];
        for fields in [NUMBERS, POINTS, INSIDE, MANY] {
            let misfit = list_misfit(fields).expect("it is found");
            let why = misfit.text();
            assert!(why.contains("`n`") && why.contains("json"), "{why}");
        }
        const TAG: IndexKind =
            IndexKind::Tag { separator: ',', case_sensitive: false, suffix_trie: false };
        const FINE: &[FieldSchema] = &[
            indexed("t", TAG, true),
            FieldSchema { many: true, ..FieldSchema::plain("p") },
            inside("b", C, false),
        ];
        assert!(list_misfit(FINE).is_none());
    }
}
