//! What a struct with mistakes expands to: its errors, and beside them just enough that the code
//! which uses it adds none.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::DeriveInput;

use super::handles::{self, Names, Root};
use super::{hidden, referrer};
use crate::ast::Struct;

/// The errors with `code` after them.
///
/// A generic struct gets the errors alone: nothing could be implemented for it.
pub(super) fn after(errors: &syn::Error, input: &DeriveInput, code: &TokenStream) -> TokenStream {
    let errors = errors.to_compile_error();
    if input.generics.params.is_empty() { quote!(#errors #code) } else { errors }
}

/// The body of a method that no program reaches, since none was compiled.
pub(super) fn never() -> TokenStream {
    quote!(::core::unreachable!("the derive reported errors"))
}

pub(super) fn model(errors: &syn::Error, input: &DeriveInput, model: &Struct) -> TokenStream {
    let (ident, fields) = (&model.ident, Names::of(model).fields);
    let ids: Vec<_> = model.stored().filter(|field| field.id.is_some()).collect();
    let types = ids.iter().map(|field| &field.ty);
    let id = match ids.as_slice() {
        [] | [_, _, _, _, _, ..] => quote!(::std::string::String),
        [one] => one.ty.to_token_stream(),
        _ => quote!((#(#types,)*)),
    };
    let never = never();
    let parts = [
        document(model),
        handles::stubs(model, &Root::Model),
        referrer::stub(model).unwrap_or_default(),
        quote! {
            impl __alizarin::JsonModel for #ident {}
            impl __alizarin::HashModel for #ident {}
            impl __alizarin::RedisModel for #ident {
                type Id = #id;
                type Fields = #fields;
                const SCHEMA: &'static __alizarin::ModelSchema = &__alizarin::ModelSchema {
                    name: "",
                    prefix: "",
                    storage: __alizarin::Storage::Hash,
                    layout: __alizarin::Layout::Alizarin,
                    fields: &[],
                    key: &["", ""],
                    ids: &[],
                    version: ::core::option::Option::None,
                    index: ::core::option::Option::None,
                    events: false,
                    ttl: ::core::option::Option::None,
                    writes: __alizarin::WriteSchema::NONE,
                    unique: &[],
                };
                fn id(&self) -> ::std::borrow::Cow<'_, Self::Id> { #never }
            }
        },
    ];
    let hidden = hidden(&quote!(#(#parts)*));
    let visible = handles::visible(model, &Root::Model);
    after(errors, input, &quote!(#visible #hidden))
}

pub(super) fn nested(
    errors: &syn::Error,
    input: &DeriveInput,
    item: &Struct,
    root: &Root<'_>,
) -> TokenStream {
    let parts = [
        document(item),
        handles::stubs(item, root),
        super::nested::implementation(item),
        super::nested::flatten(item),
    ];
    let hidden = hidden(&quote!(#(#parts)*));
    let visible = handles::visible(item, root);
    after(errors, input, &quote!(#visible #hidden))
}

fn document(item: &Struct) -> TokenStream {
    let (ident, never) = (&item.ident, never());
    quote! {
        impl __alizarin::Document for #ident {
            const FIELDS: &'static [__alizarin::FieldSchema] = &[];
            type Partial = ();
            fn write(&self, _: &mut __alizarin::DocumentWriter) -> __alizarin::Result<()> {
                #never
            }
            fn accept(
                _: &mut (),
                _: &[::core::primitive::u8],
                _: __alizarin::StoredValue<'_>,
            ) -> __alizarin::Result<bool> {
                #never
            }
            fn finish(_: ()) -> __alizarin::Result<Self> { #never }
        }
    }
}

pub(super) fn row(errors: &syn::Error, input: &DeriveInput) -> TokenStream {
    let (ident, never) = (&input.ident, never());
    let hidden = hidden(&quote! {
        impl __alizarin::RedisRow for #ident {
            const COLUMNS: &'static [&'static str] = &[];
            fn from_row(_: &mut __alizarin::Row<'_>) -> __alizarin::Result<Self> { #never }
        }
    });
    after(errors, input, &hidden)
}

/// Without a model nothing can be implemented.
pub(super) fn projection(
    errors: &syn::Error,
    input: &DeriveInput,
    of: Option<&syn::Path>,
) -> TokenStream {
    let (ident, never) = (&input.ident, never());
    let hidden = of.map(|of| {
        hidden(&quote! {
            impl __alizarin::RedisProjection for #ident {
                type Model = #of;
                type Partial = ();
                fn shape() -> &'static __alizarin::Shape { #never }
                fn accept(
                    _: &mut (),
                    _: ::core::primitive::usize,
                    _: &[::core::primitive::u8],
                    _: __alizarin::StoredValue<'_>,
                ) -> __alizarin::Result<()> {
                    #never
                }
                fn finish(_: ()) -> __alizarin::Result<Self> { #never }
            }
        })
    });
    after(errors, input, &quote!(#hidden))
}

/// Every kind of index is allowed.
pub(super) fn value(errors: &syn::Error, input: &DeriveInput) -> TokenStream {
    let (ident, never) = (&input.ident, never());
    let hidden = hidden(&quote! {
        impl __alizarin::RedisValue for #ident {
            type Item = #ident;
            fn to_hash(
                &self,
                _: &__alizarin::FieldSchema,
                _: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                #never
            }
            fn from_hash(_: &[u8], _: &__alizarin::FieldSchema) -> __alizarin::Result<Self> {
                #never
            }
            fn to_json(
                &self,
                _: &__alizarin::FieldSchema,
                _: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                #never
            }
            fn from_json(_: &str, _: &__alizarin::FieldSchema) -> __alizarin::Result<Self> {
                #never
            }
        }
        impl __alizarin::TagValue for #ident {}
        impl __alizarin::TextValue for #ident {}
        impl __alizarin::NumericValue for #ident {}
        impl __alizarin::GeoValue for #ident {}
        impl __alizarin::GeoShapeValue for #ident {}
        impl __alizarin::ListItem for #ident {}
    });
    after(errors, input, &hidden)
}

/// It changes nothing of its model, where it names one.
pub(super) fn patch(
    errors: &syn::Error,
    input: &DeriveInput,
    model: Option<&syn::Path>,
) -> TokenStream {
    let (ident, never) = (&input.ident, never());
    let implementation = model.map(|model| {
        hidden(&quote! {
            impl __alizarin::Assignment<#model> for #ident {
                fn assign_to(self, _: &mut __alizarin::Changes<#model>) -> __alizarin::Result<()> {
                    #never
                }
            }
        })
    });
    after(errors, input, &quote!(#implementation))
}
