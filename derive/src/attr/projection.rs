//! What stands on a projection and its fields.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Expr, Ident, Path, Type};

use super::{Item, Value, redis};
use crate::ast::named_fields;
use crate::ctxt::Ctxt;
use crate::symbol;

/// A struct of some of a model's fields.
pub(crate) struct Projection {
    /// The model.
    pub(crate) of: Option<Path>,
    pub(crate) columns: Vec<Column>,
}

/// A field of it.
pub(crate) struct Column {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The model's field, by the names in the structs.
    pub(crate) place: TokenStream,
    pub(crate) nested: bool,
}

impl Projection {
    pub(crate) fn read(cx: &Ctxt, input: &DeriveInput) -> Projection {
        let items = redis(cx, &input.attrs, symbol::PROJECTION, "on a projection");
        let of = match items.iter().find(|item| item.is("of")) {
            Some(item) => model(cx, item),
            None => {
                cx.error(&input.ident, "say whose fields these are: `#[redis(of = Model)]`");
                None
            }
        };
        let fields = named_fields(cx, input);
        let columns = fields.iter().filter_map(|field| Column::read(cx, field));
        Projection { of, columns: columns.collect() }
    }
}

fn model(cx: &Ctxt, item: &Item) -> Option<Path> {
    if let Value::Is(Expr::Path(path)) = &item.value {
        return Some(path.path.clone());
    }
    cx.error(item, "`of` names the model: `of = Model`");
    None
}

impl Column {
    fn read(cx: &Ctxt, field: &syn::Field) -> Option<Column> {
        let ident = field.ident.clone()?;
        let items = redis(cx, &field.attrs, symbol::PROJECTED, "on a projection's field");
        let find = |name: &str| items.iter().find(|item| item.is(name));
        let place = find("at").and_then(|item| place(cx, item));
        Some(Column {
            place: place.unwrap_or_else(|| quote!(#ident)),
            nested: find("nested").is_some_and(|item| item.flag(cx)),
            ty: field.ty.clone(),
            ident,
        })
    }
}

/// The way of `at = address.city`.
fn place(cx: &Ctxt, item: &Item) -> Option<TokenStream> {
    match &item.value {
        Value::Is(place @ (Expr::Path(_) | Expr::Field(_))) => Some(quote!(#place)),
        _ => {
            cx.error(item, "`at` names the model's field: `at = address.city`");
            None
        }
    }
}
