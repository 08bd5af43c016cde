//! `#[derive(RedisRow)]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::{hidden, stub};
use crate::ast::named_fields;
use crate::attr::{self, Container, items, redis};
use crate::ctxt::Ctxt;
use crate::symbol;

pub(crate) fn row(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let container = Container::plain(&cx, input);
    if !input.generics.params.is_empty() {
        cx.error(&input.generics, "a row cannot be generic");
    }
    let mut columns: Vec<(syn::Ident, String)> = Vec::new();
    for field in named_fields(&cx, input) {
        let Some(ident) = field.ident else { continue };
        let redis = redis(&cx, &field.attrs, symbol::VARIANT, "on a column");
        let serde = items(&cx, &field.attrs, "serde");
        let name = attr::stored_name(&cx, &ident, container.rename_all, &redis, &serde);
        if columns.iter().any(|(_, other)| *other == name) {
            cx.error(&ident, format!("another field is the column `{name}` already"));
        }
        columns.push((ident, name));
    }
    if let Err(errors) = cx.check() {
        return stub::row(&errors, input);
    }
    let ident = &input.ident;
    let (fields, names): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    hidden(&quote! {
        impl __alizarin::RedisRow for #ident {
            const COLUMNS: &'static [&'static str] = &[#(#names),*];

            fn from_row(__row: &mut __alizarin::Row<'_>) -> __alizarin::Result<Self> {
                ::core::result::Result::Ok(#ident { #(#fields: __row.take(#names)?,)* })
            }
        }
    })
}
