//! The unique fields and groups of a model, gathered from its struct and its fields.

use syn::Ident;

use crate::ast::Struct;
use crate::attr::Field;
use crate::ctxt::Ctxt;

/// Fields whose values no two documents have in common.
pub(crate) struct Constraint<'a> {
    /// Its name in the keys.
    pub(crate) name: String,
    /// Where it was asked for.
    pub(crate) word: &'a Ident,
    pub(crate) fields: Vec<&'a Field>,
}

/// All of a model's constraints, in order: the fields', the groups', the struct's.
pub(crate) fn constraints<'a>(cx: &Ctxt, model: &'a Struct) -> Vec<Constraint<'a>> {
    let mut all: Vec<Constraint<'a>> = Vec::new();
    for field in &model.fields {
        for unique in &field.unique {
            let (name, word) = (unique.group.as_ref().unwrap_or(&field.name).clone(), &unique.word);
            let group = unique.group.as_ref().and_then(|_| {
                all.iter_mut()
                    .find(|other| other.name == name && !alone(other.fields.first(), &name))
            });
            match group {
                Some(group) if group.fields.iter().any(|other| other.ident == field.ident) => {
                    cx.error(word, format!("the field is in the group `{name}` already"));
                }
                Some(group) => group.fields.push(field),
                None => all.push(Constraint { name, word, fields: vec![field] }),
            }
        }
    }
    for group in &model.container.unique {
        let mut fields = Vec::new();
        for ident in &group.fields {
            match model.fields.iter().find(|field| field.ident == *ident) {
                Some(field) => fields.push(field),
                None => cx.error(ident, format!("there is no field `{ident}`")),
            }
        }
        let name = fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join("+");
        all.push(Constraint { name, word: &group.word, fields });
    }
    all
}

/// Whether the field is unique by itself under this name.
fn alone(field: Option<&&Field>, name: &str) -> bool {
    field.is_some_and(|field| {
        field.name == name && field.unique.iter().any(|unique| unique.group.is_none())
    })
}

/// Checks them, each rule with its reason.
pub(crate) fn check(cx: &Ctxt, model: &Struct) {
    let all = constraints(cx, model);
    for (at, one) in all.iter().enumerate() {
        let alone = one.fields.len() == 1 && alone(one.fields.first(), &one.name);
        name_fits_a_key(cx, one, alone);
        if !alone && one.fields.len() == 1 {
            let message =
                format!("the group `{}` has one field only: write `unique` on it", one.name);
            cx.error(one.word, message);
        }
        for (at, field) in one.fields.iter().enumerate() {
            if one.fields.iter().take(at).any(|other| other.ident == field.ident) {
                cx.error(one.word, format!("`{}` is named twice", field.ident));
            }
            field_fits(cx, one.word, model, field);
        }
        for other in all.iter().take(at) {
            let same = |field: &&Field| other.fields.iter().any(|also| also.ident == field.ident);
            if other.name == one.name {
                cx.error(one.word, format!("`{}` is unique already under this name", one.name));
            } else if other.fields.len() == one.fields.len() && one.fields.iter().all(same) {
                cx.error(one.word, format!("the same is unique already, as `{}`", other.name));
            }
        }
    }
}

/// In a key it stands between colons.
fn name_fits_a_key(cx: &Ctxt, one: &Constraint<'_>, alone: bool) {
    let legal = |letter: char| letter.is_alphanumeric() || "_-+".contains(letter);
    if one.name.is_empty() || !one.name.chars().all(legal) {
        let what = if alone { "the stored name of a unique field" } else { "the name of a group" };
        cx.error(
            one.word,
            format!(
                "{what} becomes a part of keys: letters, digits, `_` and `-`, not {:?}",
                one.name
            ),
        );
    }
}

/// What can be reserved: a stored field of its own that may change hands.
fn field_fits(cx: &Ctxt, word: &Ident, model: &Struct, field: &Field) {
    let ids = model.fields.iter().filter(|field| field.id.is_some()).count();
    let why = if field.id.is_some() && ids == 1 {
        "the id is unique already: it makes the key"
    } else if field.version.is_some() {
        "the version is counted by the server; it cannot be unique"
    } else if field.skip {
        "a skipped field is not stored, so it cannot be unique"
    } else if field.nested.is_some() {
        "a nested struct cannot be unique; put the field that should be on the model itself"
    } else {
        return;
    };
    cx.error(word, why);
}
