//! Rules of what becomes of documents when those that they refer to are deleted.

use crate::ast::Struct;
use crate::attr::{Field, Kind, Policy};
use crate::ctxt::Ctxt;

use super::is_named;

/// Checks a model.
pub(super) fn model(cx: &Ctxt, model: &Struct) {
    let computed = model.fields.iter().find(|field| field.computed.is_some());
    for field in &model.fields {
        let Some(policy) = &field.on_delete else { continue };
        let word = &policy.word;
        if stands_alone(cx, field) {
            is_found(cx, field);
        }
        if policy.policy != Policy::Unset {
            continue;
        }
        if is_named(&field.ty, &["Ref"]) {
            let message = "a document cannot be without this reference: make it an `Option<Ref<_>>`, \
                           or take `restrict` or `cascade`";
            cx.error(word, message);
        }
        if let Some(validate) = &field.validate {
            let message = format!(
                "only the server sees what `unset` leaves, so that `{}` could not see it: take \
                 `restrict` or `cascade`",
                validate.word
            );
            cx.error(word, message);
        }
        if let Some(computed) = computed {
            let message = format!(
                "`{}` is worked out from the whole document, which `unset` does not have: take \
                 `restrict` or `cascade`",
                computed.ident
            );
            cx.error(word, message);
        }
    }
}

/// Checks a nested struct: nothing finds the document by a field inside it.
pub(super) fn nested(cx: &Ctxt, nested: &Struct) {
    for policy in nested.fields.iter().filter_map(|field| field.on_delete.as_ref()) {
        let message = format!(
            "`{}` belongs on the model's own fields, not on those of a struct inside it",
            policy.word
        );
        cx.error(&policy.word, message);
    }
}

/// It is a field of references, stored as they are.
fn stands_alone(cx: &Ctxt, field: &Field) -> bool {
    let Some(policy) = &field.on_delete else { return false };
    let with = field.with.as_ref().map(|(word, _)| word);
    let computed = field.computed.as_ref().map(|(word, _)| word);
    let others = field.id.iter().chain(&field.version).chain(&field.nested).chain(with);
    let mut others = others.chain(computed).chain(&field.created_at).chain(&field.updated_at);
    if let Some(other) = others.next() {
        let message = format!(
            "`{}` stands on fields of `Ref<_>`, `Option<Ref<_>>` and `Vec<Ref<_>>`: take `{other}` off",
            policy.word
        );
        cx.error(&policy.word, message);
        return false;
    }
    if field.skip {
        cx.error(&policy.word, "a skipped field is not stored, so that nothing refers by it");
    }
    !field.skip
}

/// Without an index nobody knows who refers.
fn is_found(cx: &Ctxt, field: &Field) {
    let Some(policy) = &field.on_delete else { return };
    let exact = field.indexes.iter().any(|index| {
        matches!(index.kind, Kind::Tag { .. } | Kind::Numeric) && index.no_index.is_none()
    });
    if !exact {
        let message = "who refers is found by an index of the field: add `tag`, or `numeric` for ids \
                       that are numbers";
        cx.error(&policy.word, message);
    }
}
