//! What stands on the struct.

use proc_macro2::Span;
use syn::{Data, DeriveInput, Fields, Ident};

use super::{Group, Item, Key, Value, Whole, agreed, duration, items, path, redis, string};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::layout::Layout;
use crate::symbol;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Storage {
    Hash,
    Json,
}

/// A struct's own attributes.
pub(crate) struct Container {
    pub(crate) storage: Option<Storage>,
    pub(crate) prefix: String,
    /// The word that gives the prefix.
    pub(crate) prefixed: Option<Ident>,
    /// Whose forms the documents have, and the word that says so.
    pub(crate) layout: Layout,
    pub(crate) layout_word: Option<Ident>,
    /// The class that documents name, and the word for it.
    pub(crate) class: Option<(Ident, String)>,
    /// The keys' own template.
    pub(crate) key: Option<Key>,
    /// The index's name, if there is one.
    pub(crate) index: Option<String>,
    /// The word that asks for an index without giving its name.
    pub(crate) unnamed: Option<Ident>,
    pub(crate) events: bool,
    /// Milliseconds.
    pub(crate) ttl: Option<u64>,
    /// Whether it implements `Hooks`.
    pub(crate) hooks: bool,
    pub(crate) rename_all: Case,
    pub(crate) unique: Vec<Group>,
    /// The struct whose documents this one reads too.
    pub(crate) upgrade_from: Option<syn::Path>,
    /// What is said of the index as a whole.
    pub(crate) whole: Whole,
    /// `#[serde(default)]`: every field has one.
    pub(crate) default: bool,
}

impl Container {
    /// Reads a model's attributes.
    pub(crate) fn model(cx: &Ctxt, input: &DeriveInput) -> Container {
        let items = redis(cx, &input.attrs, symbol::MODEL, "on a model");
        let mut container = Container::common(cx, input, &items);
        container.storage(cx, input, &items);
        let mut index = None;
        for item in &items {
            match item.name.to_string().as_str() {
                "prefix" => {
                    container.prefix = string(cx, item).unwrap_or_default();
                    container.prefixed = Some(item.name.clone());
                }
                "class" => {
                    container.class = string(cx, item).map(|class| (item.name.clone(), class));
                }
                "key" => container.key = Key::read(cx, item),
                "index" => index = Some(item),
                "events" => container.events = item.flag(cx),
                "upgrade_from" => container.upgrade_from = path(cx, item, "a struct"),
                "ttl" => container.ttl = duration(cx, item),
                "hooks" => container.hooks = item.flag(cx),
                _ => {}
            }
        }
        container.unique = Group::read(cx, &items);
        container.whole = Whole::read(cx, &items);
        container.index = index.map(|item| match item.value {
            Value::None => {
                container.unnamed = Some(item.name.clone());
                container.layout.index(&container.prefix, &input.ident)
            }
            _ => string(cx, item).unwrap_or_default(),
        });
        container
    }

    /// Reads the attributes of a value; also whether an enum is stored as its numbers.
    pub(crate) fn value(cx: &Ctxt, input: &DeriveInput) -> (Container, Option<Ident>) {
        let items = redis(cx, &input.attrs, symbol::VALUE, "here");
        let integer = items.iter().find(|item| item.is("integer") && item.flag(cx));
        (Container::common(cx, input, &items), integer.map(|item| item.name.clone()))
    }

    /// Reads the attributes of a struct that is no model.
    pub(crate) fn plain(cx: &Ctxt, input: &DeriveInput) -> Container {
        let items = redis(cx, &input.attrs, symbol::PLAIN, "here");
        Container::common(cx, input, &items)
    }

    /// Reads the attributes of a nested struct.
    pub(crate) fn nested(cx: &Ctxt, input: &DeriveInput) -> Container {
        let items = redis(cx, &input.attrs, symbol::NESTED, "here");
        Container::common(cx, input, &items)
    }

    pub(crate) fn common(cx: &Ctxt, input: &DeriveInput, redis: &[Item]) -> Container {
        let serde = items(cx, &input.attrs, "serde");
        let mut case = None;
        for item in redis.iter().chain(&serde).filter(|item| item.is("rename_all")) {
            let Some(named) = agreed(cx, item).and_then(|name| Case::named(cx, item, &name)) else {
                continue;
            };
            if case.is_some_and(|case| case != named) {
                cx.error(
                    item,
                    "serde and redis name the fields differently; make both `rename_all` the same",
                );
            }
            case = Some(named);
        }
        for item in serde
            .iter()
            .filter(|item| ["tag", "untagged", "content"].iter().any(|name| item.is(name)))
        {
            cx.error(item, format!("serde's `{}` has no stored form here; remove it", item.name));
        }
        let named = |input: &DeriveInput| match &input.data {
            Data::Struct(data) => matches!(data.fields, Fields::Named(_)),
            _ => false,
        };
        // A newtype is stored as what is inside it anyway.
        for item in serde.iter().filter(|item| item.is("transparent") && named(input)) {
            cx.error(item, "serde's `transparent` has no stored form here: make the struct a newtype and derive `RedisValue`");
        }
        let named = redis.iter().find(|item| item.is("layout"));
        let layout = named.map_or(Layout::Alizarin, |item| Layout::read(cx, item));
        Container {
            storage: None,
            prefixed: None,
            layout,
            class: None,
            layout_word: named.map(|item| item.name.clone()),
            unnamed: None,
            prefix: Case::Snake.variant(&input.ident.to_string()),
            key: None,
            index: None,
            events: false,
            ttl: None,
            hooks: false,
            unique: Vec::new(),
            rename_all: case.unwrap_or(layout.case()),
            upgrade_from: None,
            whole: Whole::default(),
            default: serde.iter().any(|item| item.is("default")),
        }
    }

    fn storage(&mut self, cx: &Ctxt, input: &DeriveInput, items: &[Item]) {
        let mut named = items.iter().filter(|item| item.is("hash") || item.is("json"));
        match (named.next(), named.next()) {
            (Some(one), None) => {
                one.flag(cx);
                self.storage = Some(if one.is("hash") { Storage::Hash } else { Storage::Json });
            }
            (Some(_), Some(other)) => {
                cx.error(other, "a model is stored as `hash` or as `json`, not as both");
            }
            _ => cx.push(syn::Error::new(
                input.ident.span().resolved_at(Span::call_site()),
                "say how the model is stored: `#[redis(hash)]` or `#[redis(json)]`",
            )),
        }
    }
}
