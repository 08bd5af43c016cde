//! `#[derive(RedisAttributes)]`

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, DeriveInput, Ident, Type};

use super::stub;
use crate::ast::named_fields;
use crate::attr::{self, Container, Item, items};
use crate::ctxt::Ctxt;

pub(crate) fn attributes(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let container = Container::common(&cx, input, &[]);
    names_are_serdes(&cx, &input.attrs);
    refuse_serde(&cx, &items(&cx, &input.attrs, "serde"));
    if !input.generics.params.is_empty() {
        cx.error(&input.generics, "attributes cannot be generic");
    }
    let mut handles: Vec<(Ident, Type, String)> = Vec::new();
    for field in named_fields(&cx, input) {
        let Some(ident) = field.ident else { continue };
        names_are_serdes(&cx, &field.attrs);
        let serde = items(&cx, &field.attrs, "serde");
        refuse_serde(&cx, &serde);
        // What is never written cannot be filtered by.
        if serde.iter().any(|item| item.is("skip")) {
            continue;
        }
        let name = attr::stored_name(&cx, &ident, container.rename_all, &[], &serde);
        if let Some((earlier, ..)) = handles.iter().find(|(_, _, other)| *other == name) {
            cx.error(&ident, format!("the attribute `{name}` is that of the field `{earlier}`"));
        }
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

/// serde writes and reads the attributes: another name in a filter would find nothing.
fn names_are_serdes(cx: &Ctxt, attributes: &[Attribute]) {
    for item in items(cx, attributes, "redis") {
        let name = &item.name;
        let remedy = if item.is("rename") || item.is("rename_all") {
            format!("say `#[serde({name} = \"..\")]`")
        } else {
            format!("there is no `{name}` here")
        };
        cx.error(name, format!("serde writes the attributes, so `redis` has no words: {remedy}"));
    }
}

/// What would make the written attribute something else than a field's name and type say.
fn refuse_serde(cx: &Ctxt, serde: &[Item]) {
    for item in serde {
        let remedy = match item.name.to_string().as_str() {
            "flatten" => "write its fields out, since a filter sees no deeper than one level",
            "skip_serializing" => "use `skip`, since what is not written cannot be read either",
            "with" | "serialize_with" | "from" | "try_from" | "into" => {
                "give the field a type that serializes so"
            }
            _ => continue,
        };
        cx.error(item, format!("serde's `{}` has no handle for filters: {remedy}", item.name));
    }
}
