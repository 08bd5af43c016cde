//! Rules of layouts: what would be no document of the other mapper any more.

use crate::ast::Struct;
use crate::attr::{Kind, Storage};
use crate::ctxt::Ctxt;
use crate::layout::Layout;

/// Checks a model.
pub(super) fn model(cx: &Ctxt, model: &Struct) {
    let container = &model.container;
    let layout = container.layout;
    if let Some((class, _)) = &container.class
        && (layout, container.storage) != (Layout::Spring, Some(Storage::Hash))
    {
        cx.error(class, "only the hashes of redis-om-spring name their class");
    }
    let Some(word) = container.layout_word.as_ref().filter(|_| layout != Layout::Alizarin) else {
        return;
    };
    let name = layout.name();
    if container.prefixed.is_none() {
        let example = match layout {
            Layout::Python => "`prefix = \"global:module.Model\"`",
            Layout::Spring => "`prefix = \"com.example.Model\"`",
            Layout::Dotnet => "`prefix = \"Namespace.Model\"`",
            Layout::Alizarin | Layout::Node | Layout::Redisvl => "`prefix = \"model\"`",
        };
        cx.error(word, format!("the keys of {name} begin with a prefix of its own: {example}"));
    }
    if let Some(key) = &container.key {
        let message =
            format!("the keys of {name} are the prefix, a colon and the id: take `key` off");
        cx.error(&key.word, message);
    }
    if let (Layout::Redisvl, Some(word)) = (layout, &container.unnamed) {
        cx.error(word, "redisvl has no name for an index that is not given: `index = \"name\"`");
    }
    for field in model.fields.iter().filter(|field| field.id.is_some()).skip(1) {
        cx.error(&field.id, format!("an id of {name} is one field"));
    }
    for field in model.fields.iter().filter(|field| field.keyed) {
        for index in &field.indexes {
            let message = "redis-om-node keeps the id in the key alone: no index holds it";
            cx.error(&index.word, message);
        }
    }
    fields(cx, model);
}

/// Checks the fields of a model or of a nested struct.
pub(super) fn fields(cx: &Ctxt, item: &Struct) {
    if item.container.layout != Layout::Python {
        return;
    }
    for field in &item.fields {
        let is_text = |kind: &Kind| matches!(kind, Kind::Text { .. });
        if let [index] = field.indexes.as_slice()
            && is_text(&index.kind)
        {
            let message = "redis-om-python indexes a text both ways: write `tag, text`";
            cx.error(&index.word, message);
        }
    }
}
