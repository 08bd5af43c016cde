//! `on_delete = "cascade"`

use syn::Ident;

use super::{Item, string};
use crate::ctxt::Ctxt;
use crate::symbol;

/// What becomes of a document when one that it refers to is deleted.
pub(crate) struct OnDelete {
    pub(crate) word: Ident,
    pub(crate) policy: Policy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Cascade,
    Restrict,
    Unset,
}

impl OnDelete {
    pub(crate) fn read(cx: &Ctxt, item: &Item) -> Option<OnDelete> {
        let text = string(cx, item)?;
        let policy = match text.as_str() {
            "cascade" => Policy::Cascade,
            "restrict" => Policy::Restrict,
            "unset" => Policy::Unset,
            _ => {
                let legal = symbol::list(symbol::POLICIES);
                cx.error(item, format!("there is no policy {text:?}; there are {legal}"));
                return None;
            }
        };
        Some(OnDelete { word: item.name.clone(), policy })
    }
}
