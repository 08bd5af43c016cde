//! `#[derive(RedisTimeSeries)]`

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DeriveInput, Ident, Type};

use super::{hidden, literal, stub};
use crate::ast::named_fields;
use crate::attr::{self, Container, Item, items, redis};
use crate::ctxt::Ctxt;
use crate::symbol;

/// A field with its part in the sample.
struct Part {
    ident: Ident,
    ty: Type,
    name: String,
}

/// The struct's fields by their parts.
#[derive(Default)]
struct Parts {
    labels: Vec<Part>,
    timestamps: Vec<Part>,
    values: Vec<Part>,
}

pub(crate) fn series(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let options = redis(&cx, &input.attrs, symbol::SERIES, "on a time series");
    let mut container = Container::common(&cx, input, &options);
    if !input.generics.params.is_empty() {
        cx.error(&input.generics, "a time series cannot be generic");
    }
    let find = |name: &str| options.iter().find(|item| item.is(name));
    if let Some(prefix) = find("prefix").and_then(|item| attr::string(&cx, item)) {
        container.prefix = prefix;
    }
    let retention = literal::duration(find("retention").and_then(|item| attr::duration(&cx, item)));
    let chunk_size = find("chunk_size").and_then(|item| attr::parsed::<u64>(&cx, item, 4096));
    let duplicate = literal::option(find("duplicate").and_then(|item| duplicate(&cx, item)));
    let parts = Parts::read(&cx, input, &container);
    let (name, prefix) = (input.ident.to_string(), &container.prefix);
    let names = parts.labels.iter().map(|label| &label.name);
    let chunk_size = literal::option(chunk_size);
    let schema = quote!(__alizarin::SeriesSchema {
        name: #name,
        prefix: #prefix,
        labels: &[#(#names),*],
        retention: #retention,
        duplicate: #duplicate,
        chunk_size: #chunk_size,
    });
    let visible = parts.visible(input);
    if let Err(errors) = cx.check() {
        let code = hidden(&parts.stub(input, &schema));
        return stub::after(&errors, input, &quote!(#visible #code));
    }
    let hidden = hidden(&parts.implementation(input, &schema));
    quote!(#visible #hidden)
}

fn duplicate(cx: &Ctxt, item: &Item) -> Option<String> {
    let policy = attr::string(cx, item)?;
    if !symbol::DUPLICATE.contains(&policy.as_str()) {
        let legal = symbol::list(symbol::DUPLICATE);
        cx.error(item, format!("there is no duplicate policy {policy:?}; there are {legal}"));
    }
    Some(policy)
}

impl Parts {
    fn read(cx: &Ctxt, input: &DeriveInput, container: &Container) -> Parts {
        let mut parts = Parts::default();
        for field in named_fields(cx, input) {
            let Some(ident) = field.ident else { continue };
            let redis =
                redis(cx, &field.attrs, symbol::SERIES_FIELD, "on a field of a time series");
            let serde = items(cx, &field.attrs, "serde");
            let name = attr::stored_name(cx, &ident, container.rename_all, &redis, &serde);
            let roles: Vec<&Item> = redis.iter().filter(|item| !item.is("rename")).collect();
            let part = Part { ident, ty: field.ty, name };
            match roles.as_slice() {
                [role] if role.is("label") => parts.labels.push(part),
                [role] if role.is("timestamp") => parts.timestamps.push(part),
                [role] if role.is("value") => parts.values.push(part),
                _ => cx.error(&part.ident, "a sample's field is a `label`, the `timestamp` or the `value`: say which by `#[redis(..)]`"),
            }
        }
        if !matches!(input.data, syn::Data::Struct(_)) {
            return parts;
        }
        for (found, word) in [(&parts.timestamps, "timestamp"), (&parts.values, "value")] {
            match found.as_slice() {
                [_] => {}
                [] => cx.error(
                    &input.ident,
                    format!("no field is the {word}; mark one with `#[redis({word})]`"),
                ),
                [_, others @ ..] => others.iter().for_each(|other| {
                    cx.error(&other.ident, format!("another field is the {word} already"));
                }),
            }
        }
        parts
    }

    /// The labels as a struct, and their handles.
    fn visible(&self, input: &DeriveInput) -> TokenStream {
        let (vis, ident) = (&input.vis, &input.ident);
        let (labels, handles) =
            (format_ident!("{ident}Labels"), format_ident!("{ident}LabelFields"));
        let (names, types, texts) = self.label_parts();
        let docs: Vec<String> = texts.iter().map(|text| format!("The label `{text}`.")).collect();
        let labels_doc = format!("The labels of [`{ident}`]: what tells one series from another.");
        let handles_doc = format!("The labels of [`{ident}`], for filters.");
        quote! {
            #[doc = #labels_doc]
            #[derive(::core::clone::Clone, ::core::fmt::Debug, ::core::cmp::PartialEq)]
            #[allow(clippy::exhaustive_structs, clippy::derive_partial_eq_without_eq)]
            #vis struct #labels { #(#[doc = #docs] pub #names: #types,)* }

            #[doc = #handles_doc]
            #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
            #[allow(dead_code, clippy::exhaustive_structs)]
            #vis struct #handles {
                #(#[doc = #docs] pub #names: ::alizarin::__private::SeriesLabel<#ident>,)*
            }

            #[automatically_derived]
            impl ::core::default::Default for #handles {
                fn default() -> Self {
                    #handles { #(#names: ::alizarin::__private::SeriesLabel::new(#texts),)* }
                }
            }
        }
    }

    fn label_parts(&self) -> (Vec<&Ident>, Vec<&Type>, Vec<&String>) {
        let labels = &self.labels;
        (
            labels.iter().map(|label| &label.ident).collect(),
            labels.iter().map(|label| &label.ty).collect(),
            labels.iter().map(|label| &label.name).collect(),
        )
    }

    /// What stands in for the implementation of a struct with mistakes.
    fn stub(&self, input: &DeriveInput, schema: &TokenStream) -> TokenStream {
        let ident = &input.ident;
        let (labels, handles) =
            (format_ident!("{ident}Labels"), format_ident!("{ident}LabelFields"));
        let never = stub::never();
        quote! {
            impl __alizarin::TimeSeriesModel for #ident {
                const SCHEMA: &'static __alizarin::SeriesSchema = &#schema;
                type Labels = #labels;
                type LabelFields = #handles;
                fn labels(&self) -> #labels { #never }
                fn timestamp(&self) -> __alizarin::Result<i64> { #never }
                fn value(&self) -> f64 { #never }
                fn from_sample(_: &#labels, _: i64, _: f64) -> __alizarin::Result<Self> { #never }
                fn label_values(_: &#labels) -> ::std::vec::Vec<::std::string::String> { #never }
                fn labels_from(
                    _: &mut dyn ::core::ops::FnMut(&str) -> ::core::option::Option<::std::string::String>,
                ) -> __alizarin::Result<#labels> { #never }
            }
        }
    }

    fn implementation(&self, input: &DeriveInput, schema: &TokenStream) -> TokenStream {
        let ident = &input.ident;
        let (labels, handles) =
            (format_ident!("{ident}Labels"), format_ident!("{ident}LabelFields"));
        let (names, _, texts) = self.label_parts();
        let timestamp = self.timestamps.iter().map(|part| &part.ident).collect::<Vec<_>>();
        let value = self.values.iter().map(|part| &part.ident).collect::<Vec<_>>();
        quote! {
            impl __alizarin::TimeSeriesModel for #ident {
                const SCHEMA: &'static __alizarin::SeriesSchema = &#schema;
                type Labels = #labels;
                type LabelFields = #handles;

                fn labels(&self) -> #labels {
                    #labels { #(#names: ::core::clone::Clone::clone(&self.#names),)* }
                }

                fn timestamp(&self) -> __alizarin::Result<i64> {
                    #(__alizarin::SampleTime::to_milliseconds(&self.#timestamp))*
                }

                fn value(&self) -> f64 {
                    #(::core::convert::Into::into(self.#value))*
                }

                fn from_sample(
                    __labels: &#labels,
                    __timestamp: i64,
                    __value: f64,
                ) -> __alizarin::Result<Self> {
                    ::core::result::Result::Ok(#ident {
                        #(#names: ::core::clone::Clone::clone(&__labels.#names),)*
                        #(#timestamp: __alizarin::SampleTime::from_milliseconds(__timestamp)?,)*
                        #(#value: __alizarin::SampleValue::from_f64(__value),)*
                    })
                }

                fn label_values(__labels: &#labels) -> ::std::vec::Vec<::std::string::String> {
                    ::std::vec![#(__alizarin::label_text(&__labels.#names)),*]
                }

                fn labels_from(
                    __values: &mut dyn ::core::ops::FnMut(&str) -> ::core::option::Option<::std::string::String>,
                ) -> __alizarin::Result<#labels> {
                    ::core::result::Result::Ok(#labels {
                        #(#names: __alizarin::label_from(__values(#texts), #texts)?,)*
                    })
                }
            }
        }
    }
}
