//! `#[derive(RedisModel)]`

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::DeriveInput;
use syn::spanned::Spanned as _;

use super::handles::{self, Names, Root};
use super::{document, hidden, hooks, literal, referrer, refused, stub};
use crate::ast::Struct;
use crate::attr::{Container, Generate, Storage};
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
        generated(&model).unwrap_or_default(),
        referrer::implementation(&model).unwrap_or_default(),
        fits(&model),
    ];
    let hidden = hidden(&quote!(#(#parts)*));
    quote!(#visible #hidden)
}

fn implementation(model: &Struct) -> TokenStream {
    let (ident, fields) = (&model.ident, Names::of(model).fields);
    let schema = schema(model);
    let hooks = hooks::methods(model);
    let ids = model.stored().filter(|field| field.id.is_some());
    let (ids, types): (Vec<_>, Vec<_>) = ids.map(|field| (&field.ident, &field.ty)).unzip();
    let (id_type, id) = match (ids.as_slice(), types.as_slice()) {
        ([id], [ty]) => (quote!(#ty), quote!(::std::borrow::Cow::Borrowed(&self.#id))),
        _ => (
            quote!((#(#types,)*)),
            quote!(::std::borrow::Cow::Owned((#(::core::clone::Clone::clone(&self.#ids),)*))),
        ),
    };
    let marker = format_ident!(
        "{}",
        match model.container.storage {
            Some(Storage::Json) => "JsonModel",
            _ => "HashModel",
        }
    );
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
    let keyed = model.stored().find(|field| field.keyed).map(|field| {
        let id = &field.ident;
        quote! {
            const KEYED: bool = true;

            fn set_id(&mut self, __id: Self::Id) {
                self.#id = __id;
            }
        }
    });
    let earlier = model.container.upgrade_from.as_ref().map(|old| {
        quote! {
            fn earlier(
                __reader: &mut __alizarin::Reader<'_>,
                __form: __alizarin::ReplyForm,
            ) -> ::core::option::Option<
                __alizarin::Result<::core::option::Option<(Self, ::core::option::Option<f64>)>>,
            > {
                let __found = __alizarin::read_earlier::<#old>(__reader, __form);
                ::core::option::Option::Some(__found.map(|__found| {
                    __found.map(|(__old, __distance)| {
                        (<Self as ::core::convert::From<#old>>::from(__old), __distance)
                    })
                }))
            }
        }
    });
    quote! {
        impl __alizarin::#marker for #ident {}

        impl __alizarin::RedisModel for #ident {
            type Id = #id_type;
            type Fields = #fields;
            const SCHEMA: &'static __alizarin::ModelSchema = &#schema;

            fn id(&self) -> ::std::borrow::Cow<'_, Self::Id> {
                #id
            }

            #version
            #keyed

            #hooks
            #earlier
        }
    }
}

/// What only the compiler can check, since it sees the nested structs too.
fn fits(model: &Struct) -> TokenStream {
    let ident = &model.ident;
    refused(ident, &quote!(model_misfit(<#ident as __alizarin::RedisModel>::SCHEMA)))
}

/// The texts around the id's parts.
fn key(model: &Struct, parts: usize) -> Vec<String> {
    if let Some(key) = &model.container.key {
        return key.texts.clone();
    }
    let between = (1..parts).map(|_| ":".to_owned());
    let first = format!("{}:", model.container.prefix);
    [first].into_iter().chain(between).chain([String::new()]).collect()
}

/// Where new ids come from, for models that say so.
fn generated(model: &Struct) -> Option<TokenStream> {
    let field = model.stored().find(|field| field.generate.is_some())?;
    let (ident, ty) = (&model.ident, &field.ty);
    let (_, source) = field.generate.as_ref()?;
    let source = match source {
        Generate::Type => quote_spanned!(ty.span()=> <#ty as __alizarin::GeneratedId>::SOURCE),
        Generate::Counter => quote! {
            __alizarin::IdSource::Counter(|__number| {
                <#ty as __alizarin::CountedId>::from_count(__number)
            })
        },
        Generate::Path(path) => quote!(__alizarin::IdSource::Function(#path)),
    };
    Some(quote! {
        impl __alizarin::GeneratesId for #ident {
            const SOURCE: __alizarin::IdSource<Self::Id> = #source;
        }
    })
}

fn schema(model: &Struct) -> TokenStream {
    let container = &model.container;
    let name = model.ident.to_string();
    let prefix = &container.prefix;
    let storage = match container.storage {
        Some(Storage::Json) => quote!(Json),
        _ => quote!(Hash),
    };
    let layout = literal::layout(container.layout);
    let ids = model.stored().filter(|field| field.id.is_some()).map(|field| &field.name);
    let ids: Vec<_> = ids.collect();
    let key = key(model, ids.len());
    let version = model.stored().find(|field| field.version.is_some()).map(|field| &field.name);
    let version = literal::option(version);
    let index = container.index.as_ref().map(|name| literal::index(name, &container.whole));
    let index = literal::option(index);
    let writes = hooks::schema(model);
    let unique = crate::unique::constraints(&Ctxt::unheard(), model).into_iter().map(|one| {
        let (name, fields) = (one.name, one.fields.into_iter().map(|field| &field.name));
        quote!(__alizarin::UniqueSchema { name: #name, fields: &[#(#fields),*] })
    });
    let (events, ttl) = (container.events, literal::duration(container.ttl));
    quote!(__alizarin::ModelSchema {
        name: #name,
        prefix: #prefix,
        storage: __alizarin::Storage::#storage,
        layout: #layout,
        fields: <Self as __alizarin::Document>::FIELDS,
        key: &[#(#key),*],
        ids: &[#(#ids),*],
        version: #version,
        index: #index,
        events: #events,
        ttl: #ttl,
        writes: #writes,
        unique: &[#(#unique),*],
    })
}
