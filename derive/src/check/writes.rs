//! Rules of what the server does to single fields with each write.

use proc_macro2::Ident;
use syn::Type;

use crate::ast::Struct;
use crate::attr::{Field, Storage};
use crate::ctxt::Ctxt;

/// The server counts the limits of fields up to the year 4199.
const LONGEST: u64 = 1_000 * 365 * 86_400_000;

/// Checks a model.
pub(super) fn model(cx: &Ctxt, model: &Struct) {
    one_of_each_stamp(cx, model);
    stamps_stand_alone(cx, model);
    limits_fit(cx, model);
    for field in &model.fields {
        let Some(validate) = &field.validate else { continue };
        if field.skip {
            cx.error(&validate.word, "a skipped field is not written, so it is not validated");
        } else if field.with.is_some() {
            cx.error(&validate.word, "the codec named by `with` validates: it can refuse values");
        }
    }
}

/// Checks a nested struct: the document that it is a part of has all of them.
pub(super) fn nested(cx: &Ctxt, nested: &Struct) {
    for field in &nested.fields {
        let words = field.created_at.iter().chain(&field.updated_at);
        let words = words.chain(field.limit.as_ref().map(|limit| &limit.word));
        for word in words.chain(field.validate.as_ref().map(|validate| &validate.word)) {
            let message = format!("`{word}` belongs on the model, not on a struct inside it");
            cx.error(word, message);
        }
    }
}

/// A second one would say the same.
fn one_of_each_stamp(cx: &Ctxt, model: &Struct) {
    let word: [fn(&Field) -> Option<&Ident>; 2] =
        [|field| field.created_at.as_ref(), |field| field.updated_at.as_ref()];
    for word in word {
        for other in model.fields.iter().filter_map(word).skip(1) {
            cx.error(other, format!("another field is `{other}` already; a model has one"));
        }
    }
}

/// The server writes them: they can be nothing else.
fn stamps_stand_alone(cx: &Ctxt, model: &Struct) {
    for field in &model.fields {
        if let (Some(_), Some(word)) = (&field.created_at, &field.updated_at) {
            cx.error(word, "a field is `created_at` or `updated_at`, not both");
        }
        let Some(word) = field.created_at.as_ref().or(field.updated_at.as_ref()) else { continue };
        if field.skip
            || field.nested.is_some()
            || field.id.is_some()
            || field.version.is_some()
            || field.with.is_some()
            || field.computed.is_some()
        {
            let message = format!("`{word}` is a plain field that the server stamps: nothing else");
            cx.error(word, message);
        }
    }
}

/// A field that expires is not there any more: the rest has to be readable, and a server has to be
/// able to do it.
fn limits_fit(cx: &Ctxt, model: &Struct) {
    for field in &model.fields {
        let Some(limit) = &field.limit else { continue };
        let word = &limit.word;
        if limit.after.is_some_and(|after| after > LONGEST) {
            cx.error(word, "a field expires within a thousand years");
        }
        if model.container.storage == Some(Storage::Json) {
            cx.error(word, "a member of a JSON document cannot expire: store the model as `hash`");
        } else if field.id.is_some() || field.version.is_some() {
            cx.error(word, "the id and the version cannot expire");
        } else if field.created_at.is_some()
            || field.updated_at.is_some()
            || field.computed.is_some()
        {
            cx.error(word, "what the server stamps cannot expire");
        } else if field.nested.is_some() || field.skip {
            cx.error(word, "only a field that is stored as one value can expire");
        } else if !is_option(&field.ty) && field.default.is_none() && !model.container.default {
            let message =
                "a field that expired is missing: make it an `Option`, or give it a `default`";
            cx.error(word, message);
        }
    }
}

fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Option")
}
