//! `#[derive(RedisModel)]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::handles::{self, Names, Root};
use super::{document, hidden, literal, refused, stub};
use crate::ast::Struct;
use crate::attr::{Container, Storage};
use crate::check;
use crate::ctxt::Ctxt;

pub(crate) fn model(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let container = Container::model(&cx, input);
    let model = Struct::read(&cx, input, container);
    check::model(&cx, &model);
    if let Err(errors) = cx.check() {
        return stub::model(&errors, input, &model);
    }
    let visible = handles::visible(&model, &Root::Model);
    let parts = [
        document::document(&model),
        handles::implementations(&model, &Root::Model),
        implementation(&model),
        fits(&model),
    ];
    let hidden = hidden(&quote!(#(#parts)*));
    quote!(#visible #hidden)
}

fn implementation(model: &Struct) -> TokenStream {
    let (ident, fields) = (&model.ident, Names::of(model).fields);
    let schema = schema(model);
    let id = model.stored().find(|field| field.id.is_some());
    let (id, id_type) = id.map(|field| (&field.ident, &field.ty)).unzip();
    let version = model.stored().find(|field| field.version.is_some()).map(|field| &field.ident);
    let version = version.map(|version| {
        quote! {
            fn version(&self) -> ::core::option::Option<u64> {
                ::core::option::Option::Some(self.#version)
            }

            fn set_version(&mut self, __version: u64) {
                self.#version = __version;
            }
        }
    });
    quote! {
        impl __alizarin::RedisModel for #ident {
            type Id = #id_type;
            type Fields = #fields;
            const SCHEMA: &'static __alizarin::ModelSchema = &#schema;

            fn id(&self) -> &Self::Id {
                &self.#id
            }

            #version
        }
    }
}

/// What only the compiler can check, since it sees the nested structs too.
fn fits(model: &Struct) -> TokenStream {
    let ident = &model.ident;
    refused(ident, &quote!(model_misfit(<#ident as __alizarin::RedisModel>::SCHEMA)))
}

fn schema(model: &Struct) -> TokenStream {
    let container = &model.container;
    let name = model.ident.to_string();
    let prefix = &container.prefix;
    let storage = match container.storage {
        Some(Storage::Json) => quote!(Json),
        _ => quote!(Hash),
    };
    let id = model.stored().find(|field| field.id.is_some()).map(|field| &field.name);
    let version = model.stored().find(|field| field.version.is_some()).map(|field| &field.name);
    let version = literal::option(version);
    let index = literal::option(container.index.as_ref().map(|index| {
        let words = container.stop_words.as_ref().map(|words| quote!(&[#(#words),*]));
        let (words, language) =
            (literal::option(words), literal::option(container.language.as_ref()));
        quote!(__alizarin::IndexSchema { name: #index, stop_words: #words, language: #language })
    }));
    let (events, ttl) = (container.events, literal::duration(container.ttl));
    quote!(__alizarin::ModelSchema {
        name: #name,
        prefix: #prefix,
        storage: __alizarin::Storage::#storage,
        fields: <Self as __alizarin::Document>::FIELDS,
        id: #id,
        version: #version,
        index: #index,
        events: #events,
        ttl: #ttl,
    })
}
