//! Rules of keys and ids.

use crate::ast::Struct;
use crate::attr::Key;
use crate::ctxt::Ctxt;

/// A key leads to one document, and back to its id.
pub(super) fn template(cx: &Ctxt, model: &Struct) {
    let Some(key) = &model.container.key else { return };
    let ids = model.fields.iter().filter(|field| field.id.is_some());
    let ids: Vec<String> = ids.map(|field| field.ident.to_string()).collect();
    if key.fields != ids {
        let ids = ids.iter().map(|id| format!("`{{{id}}}`")).collect::<Vec<_>>().join(", ");
        let message =
            format!("a key names each field marked `id` once, in the struct's order: {ids} here");
        cx.error(&key.word, message);
        return;
    }
    if key.texts.first().is_some_and(String::is_empty) {
        cx.error(
            &key.word,
            "a key begins with a word of the model's own: every key of the server would belong to it",
        );
    }
    if key.texts.first().is_some_and(|text| text.starts_with('@')) {
        cx.error(&key.word, "names that begin with `@` are those of tenants");
    }
    let between = key.texts.get(1..key.fields.len()).unwrap_or_default();
    if between.iter().any(String::is_empty) {
        cx.error(&key.word, "two fields of a key need a text between them, such as `:`");
    }
    if key.texts.iter().skip(1).any(|text| text.starts_with('%')) {
        // It marks what is written in another way.
        cx.error(&key.word, "the text after a field of a key cannot begin with `%`");
    }
    word_comes_first(cx, model, key);
}

/// An index takes all keys that begin alike.
fn word_comes_first(cx: &Ctxt, model: &Struct, key: &Key) {
    let later = key.texts.get(1..).unwrap_or_default();
    let has_word = later.iter().any(|text| text.contains(char::is_alphanumeric));
    if model.container.index.is_some() && has_word {
        let first = key.texts.first().map(String::as_str).unwrap_or_default();
        let message = format!(
            "the index would take every key that begins with `{first}`, those of other models too: \
             with `index` the words of a key stand before its fields, as in `order:{{tenant}}:{{id}}`"
        );
        cx.error(&key.word, message);
    }
}

/// A generated id is the whole of it.
pub(super) fn generated(cx: &Ctxt, model: &Struct) {
    let ids = model.fields.iter().filter(|field| field.id.is_some()).count();
    for field in &model.fields {
        let Some((word, _)) = &field.generate else { continue };
        if field.id.is_none() {
            cx.error(word, "only ids are generated: put `id` beside it");
        } else if ids > 1 {
            cx.error(word, "an id of several fields is put together by you: take `generate` off");
        }
    }
}
