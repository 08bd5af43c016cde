//! `#[derive(RedisAttributes)]`

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::DeriveInput;

use super::stub;
use crate::ast::named_fields;
use crate::attr::{self, Container, items, redis};
use crate::ctxt::Ctxt;
use crate::symbol;

pub(crate) fn attributes(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let container = Container::plain(&cx, input);
    if !input.generics.params.is_empty() {
        cx.error(&input.generics, "attributes cannot be generic");
    }
    let mut handles = Vec::new();
    for field in named_fields(&cx, input) {
        let Some(ident) = field.ident else { continue };
        let redis = redis(&cx, &field.attrs, symbol::VARIANT, "on an attribute");
        let serde = items(&cx, &field.attrs, "serde");
        let name = attr::stored_name(&cx, &ident, container.rename_all, &redis, &serde);
        handles.push((ident, field.ty, name));
    }
    let (vis, ident) = (&input.vis, &input.ident);
    let fields = format_ident!("{ident}Fields");
    let doc = format!("The attributes of [`{ident}`], for filters.");
    let (names, types, texts) = handles.into_iter().fold(
        (Vec::new(), Vec::new(), Vec::new()),
        |mut all, (name, ty, text)| {
            all.0.push(name);
            all.1.push(ty);
            all.2.push(text);
            all
        },
    );
    let docs = texts.iter().map(|text| format!("The attribute `{text}`."));
    let code = quote! {
        #[doc = #doc]
        #[derive(::core::fmt::Debug)]
        #[allow(dead_code, clippy::exhaustive_structs)]
        #vis struct #fields {
            #(#[doc = #docs] pub #names: ::alizarin::__private::AttributeField<#types>,)*
        }

        #[automatically_derived]
        impl ::core::default::Default for #fields {
            fn default() -> Self {
                #fields { #(#names: ::alizarin::__private::AttributeField::new(#texts),)* }
            }
        }

        #[automatically_derived]
        impl ::alizarin::__private::VectorAttributes for #ident {
            type Fields = #fields;
        }
    };
    match cx.check() {
        Ok(()) => code,
        Err(errors) => stub::after(&errors, input, &code),
    }
}
