//! Rules that concern several attributes. One function a rule, with its reason.

mod key;
mod layout;
mod on_delete;
mod writes;

use syn::{DeriveInput, GenericArgument, Ident, PathArguments, Type};

use crate::ast::Struct;
use crate::attr::{Field, Kind, Projection, Storage};
use crate::ctxt::Ctxt;

/// Checks a model.
pub(crate) fn model(cx: &Ctxt, model: &Struct) {
    ids(cx, model);
    key::template(cx, model);
    key::generated(cx, model);
    layout::model(cx, model);
    one_version(cx, model);
    index_is_wanted(cx, model);
    stop_words_are_said_once(cx, model);
    named_fields_are_there(cx, model);
    prefix_and_index_have_names(cx, model);
    lists_fit_a_hash(cx, model);
    writes::model(cx, model);
    on_delete::model(cx, model);
    crate::unique::check(cx, model);
    fields(cx, model);
}

/// Checks a nested struct.
pub(crate) fn nested(cx: &Ctxt, nested: &Struct) {
    // The document they are a part of has them.
    for field in &nested.fields {
        for word in field.id.iter().chain(&field.version) {
            cx.error(word, format!("`{word}` belongs on the model, not on a struct inside it"));
        }
        for unique in &field.unique {
            let message =
                "`unique` belongs on the model's own fields, not on those of a struct inside it";
            cx.error(&unique.word, message);
        }
    }
    writes::nested(cx, nested);
    layout::fields(cx, nested);
    on_delete::nested(cx, nested);
    fields(cx, nested);
}

/// Checks a projection; the compiler holds its fields to the model's.
pub(crate) fn projection(cx: &Ctxt, input: &DeriveInput, projection: &Projection) {
    if !input.generics.params.is_empty() {
        cx.error(&input.generics, "a projection cannot be generic");
    }
    for (at, column) in projection.columns.iter().enumerate() {
        for earlier in projection.columns.iter().take(at) {
            if earlier.place.to_string() == column.place.to_string() {
                let message = format!("the field `{}` holds it already", earlier.ident);
                cx.error(&column.ident, message);
            }
        }
    }
}

fn fields(cx: &Ctxt, item: &Struct) {
    names_are_free(cx, item);
    names_are_unique(cx, item);
    options_need_an_index(cx, item);
    options_fit(cx, item);
    nested_has_no_index(cx, item);
    flat_has_no_name(cx, item);
    computed_is_no_id(cx, item);
    skipped_has_nothing_else(cx, item);
}

/// The id makes the key.
fn ids(cx: &Ctxt, model: &Struct) {
    let ids: Vec<_> = model.fields.iter().filter_map(|field| field.id.as_ref()).collect();
    if ids.is_empty() && !model.fields.is_empty() {
        cx.error(&model.ident, "no field is the id; mark one with `#[redis(id)]`");
    }
    if let Some(word) = ids.get(4) {
        cx.error(word, "an id has four parts at most");
    }
    for field in model.fields.iter().filter(|field| field.skip) {
        if let Some(id) = &field.id {
            cx.error(id, "the id cannot be skipped");
        }
    }
}

/// The server counts the version up: it has to be a number of 64 bits.
fn one_version(cx: &Ctxt, model: &Struct) {
    let versions = model.fields.iter().filter_map(|field| Some((field.version.as_ref()?, field)));
    for (at, (word, field)) in versions.enumerate() {
        if at > 0 {
            cx.error(word, "another field is the version already; a model has one");
        }
        let is_u64 = matches!(&field.ty, Type::Path(path) if path.path.is_ident("u64"));
        if !is_u64 {
            cx.error(&field.ty, "a version is a `u64`: write the field's type so");
        }
        if field.skip {
            cx.error(word, "the version cannot be skipped: the server counts it");
        }
        if field.id.is_some() {
            cx.error(word, "the id cannot be the version too: it would change with each write");
        }
    }
}

/// An index option on a model without an index would be silently without effect.
fn index_is_wanted(cx: &Ctxt, model: &Struct) {
    if model.container.index.is_some() {
        return;
    }
    let fields = model.fields.iter().flat_map(|field| &field.indexes);
    for word in fields.map(|index| &index.word).chain(&model.container.whole.words) {
        cx.error(
            word,
            format!(
                "`{word}` has no effect: the model has no index; add `index` to its `#[redis(..)]`"
            ),
        );
    }
}

/// They answer the same question.
fn stop_words_are_said_once(cx: &Ctxt, model: &Struct) {
    let words = &model.container.whole.words;
    let find = |name: &str| words.iter().find(|word| *word == name);
    if let (Some(_), Some(word)) = (find("stop_words"), find("no_stop_words")) {
        cx.error(word, "`stop_words` and `no_stop_words` exclude each other");
    }
}

/// A document says its own language or score in a field of its own.
fn named_fields_are_there(cx: &Ctxt, model: &Struct) {
    let whole = &model.container.whole;
    for (word, named) in whole.language_field.iter().chain(&whole.score_field) {
        let nested = |field: &&crate::attr::Field| field.name == *named && field.nested.is_none();
        if !model.stored().any(|field| nested(&field)) {
            cx.error(
                word,
                format!("`{word}` names a stored field of the model; there is no {named:?}"),
            );
        }
    }
}

/// Empty names would make keys and indexes that nobody can tell apart.
fn prefix_and_index_have_names(cx: &Ctxt, model: &Struct) {
    if model.container.prefix.is_empty() {
        cx.error(
            &model.ident,
            "the prefix is empty: every key of the server would belong to the model",
        );
    }
    for name in [Some(&model.container.prefix), model.container.index.as_ref()] {
        if name.is_some_and(|name| name.starts_with('@')) {
            cx.error(&model.ident, "names that begin with `@` are those of tenants");
        }
    }
    if model.container.index.as_deref() == Some("") {
        cx.error(&model.ident, "the index's name is empty");
    }
}

/// A hash has no place for lists of structs, and its index sees no items but tags. Lists under
/// another name, and those in nested structs, are found by the compiler (`model_fits`).
fn lists_fit_a_hash(cx: &Ctxt, model: &Struct) {
    if model.container.storage != Some(Storage::Hash) {
        return;
    }
    for field in model.stored().filter(|field| is_list(&field.ty)) {
        let many = |kind: &Kind| matches!(kind, Kind::Geo | Kind::GeoShape { .. } | Kind::Numeric);
        if field.nested.is_some() {
            cx.error(&field.ty, "a hash cannot hold a list of structs; store the model as `json`");
        } else if field.indexes.iter().any(|index| many(&index.kind)) {
            let message = "the index of a hash takes lists of tags only; store the model as `json`";
            cx.error(&field.ty, message);
        }
    }
}

/// Whether a type's own name is one of these.
fn is_named(ty: &Type, names: &[&str]) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| names.iter().any(|name| last.ident == name))
}

/// Whether a type is written `Vec<..>`, within options.
fn is_list(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    let Some(last) = path.path.segments.last() else { return false };
    match &last.arguments {
        _ if last.ident == "Vec" => true,
        PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
            arguments.args.iter().any(|argument| match argument {
                GenericArgument::Type(ty) => is_list(ty),
                _ => false,
            })
        }
        _ => false,
    }
}

/// Scores and distances come back under names that begin so.
fn names_are_free(cx: &Ctxt, item: &Struct) {
    for field in item.stored().filter(|field| !field.flat) {
        let double = field.nested.is_some() && field.name == "_";
        if double || field.name.starts_with("__") {
            cx.error(
                &field.ident,
                "stored names that begin with `__` are reserved for scores and distances",
            );
        } else if field.name.is_empty() {
            cx.error(&field.ident, "the stored name is empty");
        } else if field.name.contains(['.', '$', '[', ']', '"', '\'', '\\', '\0']) {
            cx.error(&field.ident, format!("the stored name {:?} would be read as a path; use letters, digits, `_` and `-`", field.name));
        }
    }
}

/// Two fields in one place would overwrite each other.
fn names_are_unique(cx: &Ctxt, item: &Struct) {
    // Those of flattened structs are compared by the compiler.
    let stored: Vec<_> = item.stored().filter(|field| !field.flat).collect();
    for (at, field) in stored.iter().enumerate() {
        for earlier in stored.iter().take(at) {
            if earlier.name == field.name {
                cx.error(
                    &field.ident,
                    format!("the field `{}` is stored as `{}` already", earlier.ident, field.name),
                );
            }
        }
    }
}

/// They say how an index entry is made.
fn options_need_an_index(cx: &Ctxt, item: &Struct) {
    for field in &item.fields {
        for word in &field.stray {
            let message = match field.nested {
                Some(_) => format!("`{word}` belongs on the fields of the nested struct"),
                None => format!(
                    "`{word}` needs an index beside it: one of {}",
                    crate::symbol::list(crate::symbol::KINDS)
                ),
            };
            cx.error(word, message);
        }
    }
}

/// What RediSearch refuses, said at the attribute.
fn options_fit(cx: &Ctxt, item: &Struct) {
    for index in item.fields.iter().flat_map(|field| &field.indexes) {
        if let (Some(unf), None) = (&index.unf, &index.sortable) {
            cx.error(unf, "`unf` says how a field is sorted: it needs `sortable`");
        }
        if let (Some(word), Some(_)) = (&index.no_index, &index.index_missing) {
            cx.error(word, "`no_index` and `index_missing` exclude each other");
        }
        if let (Some(word), None) = (&index.no_index, &index.sortable) {
            cx.error(word, "with `no_index` a field is only sorted by: it needs `sortable`");
        }
        if let (Kind::Vector(_) | Kind::GeoShape { .. }, Some(word)) =
            (&index.kind, &index.sortable)
        {
            cx.error(word, format!("a `{}` field has no order to sort by", index.word));
        }
        let has_empty = matches!(index.kind, Kind::Text { .. } | Kind::Tag { .. });
        if let (false, Some(word)) = (has_empty, &index.index_empty) {
            cx.error(word, "only `text` and `tag` fields can hold the empty string");
        }
    }
}

/// Its own fields have the indexes.
fn nested_has_no_index(cx: &Ctxt, item: &Struct) {
    for field in item.fields.iter().filter(|field| field.nested.is_some()) {
        for index in &field.indexes {
            cx.error(
                &index.word,
                format!("`{}` belongs on the fields of the nested struct", index.word),
            );
        }
        for word in field.id.iter().chain(&field.version) {
            cx.error(word, format!("`{word}` cannot be a nested struct"));
        }
    }
}

/// The words that say how one value is stored.
fn one_value(field: &Field) -> impl Iterator<Item = &Ident> {
    let computed = field.computed.as_ref().map(|(word, _)| word);
    computed.into_iter().chain(field.with.as_ref().map(|(word, _)| word))
}

/// Its own fields stand in its place.
fn flat_has_no_name(cx: &Ctxt, item: &Struct) {
    for field in item.fields.iter().filter(|field| field.flat) {
        if is_named(&field.ty, &["Option", "Vec"]) {
            let message = "only a struct itself is flattened, since nothing would tell that it is \
                           not there: take `nested`";
            cx.error(&field.ty, message);
        }
        if let Some(word) = &field.renamed {
            cx.error(word, "a flattened struct has no stored name: its fields have theirs");
        }
        if let (Some(_), Some(word)) = (&field.default, &field.nested) {
            cx.error(word, "a flattened struct takes no `default`: its fields can have theirs");
        }
    }
}

/// Keys and versions are not worked out from the rest.
fn computed_is_no_id(cx: &Ctxt, item: &Struct) {
    for field in &item.fields {
        for word in one_value(field) {
            for other in field.id.iter().chain(&field.version) {
                cx.error(word, format!("`{word}` cannot stand on the {other}"));
            }
            if let Some(nested) = &field.nested {
                cx.error(word, format!("`{word}` and `{nested}` exclude each other"));
            }
        }
    }
}

/// It is not stored.
fn skipped_has_nothing_else(cx: &Ctxt, item: &Struct) {
    for field in item.fields.iter().filter(|field| field.skip) {
        for index in &field.indexes {
            cx.error(&index.word, "a skipped field is not stored, so it cannot be indexed");
        }
        if let Some(nested) = &field.nested {
            let message =
                format!("a skipped field is not stored: take `{nested}` or `skip` off it");
            cx.error(nested, message);
        }
        for word in one_value(field) {
            cx.error(
                word,
                format!("a skipped field is not stored: take `{word}` or `skip` off it"),
            );
        }
    }
}
