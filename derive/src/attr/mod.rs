//! Attributes as written: words with values or lists, before anything is made of them.

mod container;
mod field;
mod index;
mod key;
mod on_delete;
mod projection;
mod unique;
mod value;
mod vector;
mod whole;

pub(crate) use container::{Container, Storage};
pub(crate) use field::{Field, Generate, stored_name};
pub(crate) use index::{Index, Kind};
pub(crate) use key::Key;
pub(crate) use on_delete::{OnDelete, Policy};
pub(crate) use projection::{Column, Projection};
pub(crate) use unique::{Group, Unique};
pub(crate) use value::{agreed, duration, parsed, path, string};
pub(crate) use vector::{Algorithm, Vector};
pub(crate) use whole::Whole;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Token};

use crate::ctxt::Ctxt;
use crate::symbol;

/// One word of an attribute.
pub(crate) struct Item {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What stands behind the word.
pub(crate) enum Value {
    None,
    /// `= expression`
    Is(syn::Expr),
    /// `( items )`
    List(Vec<Item>),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Item> {
        let name = Ident::parse_any(input)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let mut value: syn::Expr = input.parse()?;
            // What a `macro_rules` macro was given as a literal or a path comes in a group.
            while let syn::Expr::Group(group) = value {
                value = *group.expr;
            }
            Value::Is(value)
        } else if input.peek(syn::token::Paren) {
            let inside;
            syn::parenthesized!(inside in input);
            Value::List(
                Punctuated::<Item, Token![,]>::parse_terminated(&inside)?.into_iter().collect(),
            )
        } else {
            Value::None
        };
        Ok(Item { name, value })
    }
}

impl ToTokens for Item {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.name.to_tokens(tokens);
        match &self.value {
            Value::None => {}
            Value::Is(value) => value.to_tokens(tokens),
            Value::List(items) => items.iter().for_each(|item| item.to_tokens(tokens)),
        }
    }
}

impl Item {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// A word that stands alone.
    pub(crate) fn flag(&self, cx: &Ctxt) -> bool {
        if !matches!(self.value, Value::None) {
            cx.error(&self.name, format!("`{}` takes no value", self.name));
        }
        true
    }
}

/// All items of the attributes called `path`; each syntax error is noted.
pub(crate) fn items(cx: &Ctxt, attributes: &[Attribute], path: &str) -> Vec<Item> {
    let mut all = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(path)) {
        match attribute.parse_args_with(Punctuated::<Item, Token![,]>::parse_terminated) {
            Ok(items) => all.extend(items),
            // serde's own forms are serde's business.
            Err(_) if path == "serde" => {}
            Err(error) => cx.push(error),
        }
    }
    all
}

/// The `#[redis(..)]` items, checked: words that are known here, each at most once.
pub(crate) fn redis(cx: &Ctxt, attributes: &[Attribute], legal: &[&str], place: &str) -> Vec<Item> {
    let items = items(cx, attributes, "redis");
    known(cx, &items, legal, place);
    items
}

/// Notes unknown and repeated words.
pub(crate) fn known(cx: &Ctxt, items: &[Item], legal: &[&str], place: &str) {
    for (at, item) in items.iter().enumerate() {
        let name = item.name.to_string();
        if !legal.contains(&name.as_str()) {
            let legal = match legal {
                [] => "there are none".to_owned(),
                [one] => format!("there is only `{one}`"),
                _ => format!("there are {}", symbol::list(legal)),
            };
            cx.error(&item.name, format!("unknown attribute `{name}` {place}; {legal}"));
        } else if !symbol::REPEATED.contains(&name.as_str())
            && items.iter().take(at).any(|earlier| earlier.name == item.name)
        {
            cx.error(&item.name, format!("`{name}` is given twice"));
        }
    }
}
