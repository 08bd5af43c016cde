//! What the compiler checks of a model with a layout: that the other mapper has a form for all of it.

use super::{Forms, Layout, Lists, ValueKind};
use crate::model::fit::Misfit;
use crate::model::{FieldSchema, IndexKind, ModelSchema, StampSchema, Storage};

/// Why the layout has no form for a model.
pub(in crate::model) const fn layout_misfit(schema: &ModelSchema) -> Option<Misfit> {
    let layout = schema.layout;
    let found = fields_misfit(schema.fields, layout, schema.storage);
    if found.is_some() || layout.is_native() {
        return found;
    }
    let stamps = [schema.writes.created_at, schema.writes.updated_at];
    let mut stamps: &[Option<StampSchema>] = &stamps;
    while let [stamp, left @ ..] = stamps {
        stamps = left;
        if let Some(StampSchema { field, milliseconds: false, .. }) = stamp {
            let text = about(field).push("the server stamps times in nanoseconds, which ");
            let text = text.push(layout.name()).push(" would read as others; make it a `u64`");
            return Some(text.push(", which counts milliseconds"));
        }
    }
    None
}

const fn fields_misfit(fields: &[FieldSchema], layout: Layout, storage: Storage) -> Option<Misfit> {
    let forms = layout.forms();
    let hash = matches!(storage, Storage::Hash);
    let mut fields = fields;
    while let [field, left @ ..] = fields {
        fields = left;
        if let Some(nested) = &field.nested {
            if hash && !nested.flat && !forms.nested_in_hash {
                let text = about(field.name).push(layout.name());
                let text = text.push(" stores no nested structs in a hash; store the model as ");
                return Some(text.push("`json`, or take `flatten`"));
            }
            if let [inner, ..] = nested.fields
                && inner.layout as u8 != layout as u8
            {
                return Some(other_layout(field, layout, inner.layout));
            }
            let found = fields_misfit(nested.fields, layout, storage);
            if found.is_some() {
                return found;
            }
            continue;
        }
        if layout.is_native() {
            continue;
        }
        let legal = if hash { forms.hash } else { forms.json };
        if !holds(legal, field.value) {
            return Some(no_form(field, layout, legal, hash));
        }
        if hash && field.many && !field.map {
            let tags =
                matches!(field.attribute(), Some(tag) if matches!(tag.kind, IndexKind::Tag { .. }));
            if matches!(forms.lists, Lists::None) || !tags {
                return Some(no_list(field, layout, forms));
            }
        }
    }
    None
}

const fn holds(legal: &[ValueKind], kind: ValueKind) -> bool {
    let mut legal = legal;
    while let [one, left @ ..] = legal {
        if *one as u8 == kind as u8 {
            return true;
        }
        legal = left;
    }
    false
}

const fn about(field: &str) -> Misfit {
    Misfit::new().push("the field `").push(field).push("`: ")
}

const fn other_layout(field: &FieldSchema, layout: Layout, inner: Layout) -> Misfit {
    let text = about(field.name).push("its struct has ");
    let text = match inner {
        Layout::Alizarin => text.push("no `layout`"),
        _ => text.push("the layout \"").push(inner.name()).push("\""),
    };
    if layout.is_native() {
        return text.push(", and the model has none: both have the same");
    }
    text.push("; put `#[redis(layout = \"").push(layout.name()).push("\")]` on it, as on the model")
}

const fn no_form(
    field: &FieldSchema,
    layout: Layout,
    legal: &'static [ValueKind],
    hash: bool,
) -> Misfit {
    let text = about(field.name).push(layout.name()).push(" has no form for ");
    let text = text.push(field.value.plural()).push(if hash { " in a hash" } else { " in JSON" });
    let mut text = text.push("; it has ");
    let mut legal = legal;
    while let [one, left @ ..] = legal {
        legal = left;
        text = text.push(one.plural());
        text = match left {
            [] => text,
            [_] => text.push(" and "),
            _ => text.push(", "),
        };
    }
    text
}

const fn no_list(field: &FieldSchema, layout: Layout, forms: &Forms) -> Misfit {
    let text = about(field.name).push(layout.name());
    match forms.lists {
        Lists::None => text.push(" has no lists in one field of a hash; store the model as `json`"),
        _ => text.push(
            " has lists of tags only in a hash; index it as `tag`, or store the model as `json`",
        ),
    }
}
