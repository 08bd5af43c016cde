//! What is unique: one field, or several together.

use syn::Ident;

use super::{Item, Value, string};
use crate::ctxt::Ctxt;

/// `unique` on a field.
pub(crate) struct Unique {
    pub(crate) word: Ident,
    /// `unique = "group"`: with the other fields that say the same.
    pub(crate) group: Option<String>,
}

/// `unique(a, b)` on the struct.
pub(crate) struct Group {
    pub(crate) word: Ident,
    pub(crate) fields: Vec<Ident>,
}

impl Unique {
    /// All that a field's attribute says.
    pub(crate) fn read(cx: &Ctxt, items: &[Item]) -> Vec<Unique> {
        let items = items.iter().filter(|item| item.is("unique"));
        let read = |item: &Item| {
            let group = match &item.value {
                Value::None => None,
                Value::Is(_) => Some(string(cx, item)?),
                Value::List(_) => {
                    cx.error(
                        item,
                        "a list of fields belongs on the struct; a field is `unique`, or \
                         `unique = \"group\"` together with others",
                    );
                    return None;
                }
            };
            Some(Unique { word: item.name.clone(), group })
        };
        items.filter_map(read).collect()
    }
}

impl Group {
    /// All that a struct's attribute says.
    pub(crate) fn read(cx: &Ctxt, items: &[Item]) -> Vec<Group> {
        let items = items.iter().filter(|item| item.is("unique"));
        let read = |item: &Item| {
            let Value::List(list) = &item.value else {
                cx.error(item, "on a struct `unique` names the fields: `unique(tenant, email)`");
                return None;
            };
            for field in list.iter().filter(|field| !matches!(field.value, Value::None)) {
                cx.error(field, "`unique` takes the names of fields: `unique(tenant, email)`");
            }
            let fields = list.iter().map(|field| field.name.clone()).collect();
            Some(Group { word: item.name.clone(), fields })
        };
        items.filter_map(read).collect()
    }
}
