//! Schema constants as code.

use proc_macro2::TokenStream;
use quote::quote;

use crate::attr::{Algorithm, Field, Index, Kind};

/// `Option` of something that is code already.
pub(super) fn option(value: Option<impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// A time in milliseconds.
pub(super) fn duration(milliseconds: Option<u64>) -> TokenStream {
    option(milliseconds.map(|time| quote!(::core::time::Duration::from_millis(#time))))
}

/// A field's schema.
pub(super) fn field(field: &Field) -> TokenStream {
    let (name, ty) = (&field.name, &field.ty);
    if field.nested.is_some() {
        return quote!(__alizarin::FieldSchema {
            name: #name,
            attribute: ::core::option::Option::None,
            nested: ::core::option::Option::Some(__alizarin::NestedSchema {
                fields: <<#ty as __alizarin::Nested>::Item as __alizarin::Document>::FIELDS,
                many: <#ty as __alizarin::Nested>::MANY,
            }),
            many: false,
        });
    }
    let attribute = option(field.index.as_ref().map(|index| attribute(index, ty)));
    quote!(__alizarin::FieldSchema {
        name: #name,
        attribute: #attribute,
        nested: ::core::option::Option::None,
        many: <#ty as __alizarin::RedisValue>::MANY,
    })
}

fn attribute(index: &Index, ty: &syn::Type) -> TokenStream {
    let kind = kind(&index.kind, ty);
    let (sortable, unf) = (index.sortable.is_some(), index.unf.is_some());
    let (no_index, index_missing) = (index.no_index.is_some(), index.index_missing.is_some());
    let index_empty = index.index_empty.is_some();
    quote!(__alizarin::Attribute {
        kind: #kind,
        sortable: #sortable,
        unf: #unf,
        no_index: #no_index,
        index_missing: #index_missing,
        index_empty: #index_empty,
    })
}

fn kind(kind: &Kind, ty: &syn::Type) -> TokenStream {
    let code = match kind {
        Kind::Geo => quote!(Geo),
        Kind::GeoShape { flat } => quote!(GeoShape { flat: #flat }),
        Kind::Numeric => quote!(Numeric),
        Kind::Tag { separator, case_sensitive, suffix_trie } => quote!(Tag {
            separator: #separator,
            case_sensitive: #case_sensitive,
            suffix_trie: #suffix_trie,
        }),
        Kind::Text { weight, no_stem, phonetic, suffix_trie } => {
            let phonetic = option(phonetic.as_ref());
            quote!(Text {
                weight: #weight,
                no_stem: #no_stem,
                phonetic: #phonetic,
                suffix_trie: #suffix_trie,
            })
        }
        Kind::Vector { algorithm, metric } => {
            let algorithm = self::algorithm(algorithm);
            let metric = quote::format_ident!("{metric}");
            quote!(Vector(__alizarin::VectorSchema {
                algorithm: __alizarin::VectorAlgorithm::#algorithm,
                metric: __alizarin::Metric::#metric,
                element: <#ty as __alizarin::VectorValue>::ELEMENT,
                dimension: <#ty as __alizarin::VectorValue>::DIMENSION,
            }))
        }
    };
    quote!(__alizarin::IndexKind::#code)
}

fn algorithm(algorithm: &Algorithm) -> TokenStream {
    match algorithm {
        Algorithm::Flat { block_size, initial_cap } => {
            let (block_size, initial_cap) = (option(*block_size), option(*initial_cap));
            quote!(Flat { block_size: #block_size, initial_cap: #initial_cap })
        }
        Algorithm::Hnsw { m, ef_construction, ef_runtime, epsilon, initial_cap } => {
            let (m, ef_construction) = (option(*m), option(*ef_construction));
            let (ef_runtime, epsilon) = (option(*ef_runtime), option(*epsilon));
            let initial_cap = option(*initial_cap);
            quote!(Hnsw {
                m: #m,
                ef_construction: #ef_construction,
                ef_runtime: #ef_runtime,
                epsilon: #epsilon,
                initial_cap: #initial_cap,
            })
        }
    }
}
