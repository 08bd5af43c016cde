//! Schema constants as code.

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::attr::{Algorithm, Field, Index, Kind, Vector, Whole};
use crate::layout::Layout;

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

/// The index's schema.
pub(super) fn index(name: &str, whole: &Whole) -> TokenStream {
    let words = option(whole.stop_words.as_ref().map(|words| quote!(&[#(#words),*])));
    let (language, filter) = (option(whole.language.as_ref()), option(whole.filter.as_ref()));
    let language_field = option(whole.language_field.as_ref().map(|(_, name)| name));
    let score_field = option(whole.score_field.as_ref().map(|(_, name)| name));
    let (score, temporary) = (option(whole.score), duration(whole.temporary));
    let prefixes = &whole.prefixes;
    let options = whole.options.iter().map(|name| syn::Ident::new(name, Span::call_site()));
    quote!(__alizarin::IndexSchema {
        name: #name,
        stop_words: #words,
        language: #language,
        language_field: #language_field,
        score: #score,
        score_field: #score_field,
        filter: #filter,
        prefixes: &[#(#prefixes),*],
        temporary: #temporary,
        options: &[#(__alizarin::IndexOption::#options),*],
    })
}

/// Whose forms the values have.
pub(super) fn layout(layout: Layout) -> TokenStream {
    let variant = syn::Ident::new(layout.variant(), Span::call_site());
    quote!(__alizarin::Layout::#variant)
}

/// A field's schema.
pub(super) fn field(field: &Field, whose: Layout) -> TokenStream {
    let (name, ty, layout) = (&field.name, stored(field), layout(whose));
    if field.nested.is_some() {
        let flat = field.flat;
        return quote!(__alizarin::FieldSchema {
            nested: ::core::option::Option::Some(__alizarin::NestedSchema {
                fields: <<#ty as __alizarin::Nested>::Item as __alizarin::Document>::FIELDS,
                many: <#ty as __alizarin::Nested>::MANY,
                flat: #flat,
            }),
            layout: #layout,
            ..__alizarin::FieldSchema::plain(#name)
        });
    }
    let attributes = field.indexes.iter().enumerate().map(|(at, index)| {
        // Two entries need two names.
        let second = (at > 0).then(|| format!("{name}{}", whose.text_suffix()));
        attribute(index, index.alias.as_ref().or(second.as_ref()), &ty, whose)
    });
    let computed = field.computed.is_some();
    quote!(__alizarin::FieldSchema {
        name: #name,
        attributes: &[#(#attributes),*],
        nested: ::core::option::Option::None,
        many: <#ty as __alizarin::RedisValue>::MANY,
        map: <#ty as __alizarin::RedisValue>::MAP,
        computed: #computed,
        layout: #layout,
        value: <#ty as __alizarin::RedisValue>::KIND,
    })
}

/// The type that a field's value is stored as.
pub(super) fn stored(field: &Field) -> TokenStream {
    let ty = &field.ty;
    match &field.with {
        Some((_, codec)) => quote!(<#codec as __alizarin::FieldCodec<#ty>>::Stored),
        None => quote!(#ty),
    }
}

fn attribute(
    index: &Index,
    alias: Option<&String>,
    ty: &TokenStream,
    whose: Layout,
) -> TokenStream {
    let kind = kind(&index.kind, ty, whose);
    let alias = option(alias);
    let (sortable, unf) = (index.sortable.is_some(), index.unf.is_some());
    let (no_index, index_missing) = (index.no_index.is_some(), index.index_missing.is_some());
    let index_empty = index.index_empty.is_some();
    quote!(__alizarin::Attribute {
        alias: #alias,
        kind: #kind,
        sortable: #sortable,
        unf: #unf,
        no_index: #no_index,
        index_missing: #index_missing,
        index_empty: #index_empty,
    })
}

fn kind(kind: &Kind, ty: &TokenStream, whose: Layout) -> TokenStream {
    let code = match kind {
        Kind::Geo => quote!(Geo),
        Kind::GeoShape { flat } => quote!(GeoShape { flat: #flat }),
        Kind::Numeric => quote!(Numeric),
        Kind::Tag { separator, case_sensitive, suffix_trie } => {
            let layout = layout(whose);
            let separator = match separator {
                Some(separator) => quote!(#separator),
                None => quote!(#layout.separator(<#ty as __alizarin::RedisValue>::KIND)),
            };
            // Other mappers say so, or it is not so.
            let itself = (whose == Layout::Alizarin)
                .then(|| quote!(|| <#ty as __alizarin::RedisValue>::CASE_SENSITIVE));
            quote!(Tag {
                separator: #separator,
                case_sensitive: #case_sensitive #itself,
                suffix_trie: #suffix_trie,
            })
        }
        Kind::Text { weight, no_stem, phonetic, suffix_trie } => {
            let phonetic = option(phonetic.as_ref());
            quote!(Text {
                weight: #weight,
                no_stem: #no_stem,
                phonetic: #phonetic,
                suffix_trie: #suffix_trie,
            })
        }
        Kind::Vector(Vector { algorithm, metric }) => {
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
        Algorithm::SvsVamana {
            graph_max_degree,
            construction_window_size,
            search_window_size,
            epsilon,
            compression,
            training_threshold,
            reduce,
        } => {
            let graph_max_degree = option(*graph_max_degree);
            let construction_window_size = option(*construction_window_size);
            let search_window_size = option(*search_window_size);
            let (epsilon, reduce) = (option(*epsilon), option(*reduce));
            let training_threshold = option(*training_threshold);
            let compression = option(compression.as_ref().map(|name| {
                let variant = quote::format_ident!("{}", name.replace("LVQ", "Lvq"));
                quote!(__alizarin::Compression::#variant)
            }));
            quote!(SvsVamana {
                graph_max_degree: #graph_max_degree,
                construction_window_size: #construction_window_size,
                search_window_size: #search_window_size,
                epsilon: #epsilon,
                compression: #compression,
                training_threshold: #training_threshold,
                reduce: #reduce,
            })
        }
    }
}
