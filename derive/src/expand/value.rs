//! `#[derive(RedisValue)]`

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident};

use super::{hidden, number, stub};
use crate::attr::{self, Container, items, redis};
use crate::ctxt::Ctxt;
use crate::symbol;

pub(crate) fn value(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let (container, integer) = Container::value(&cx, input);
    if !input.generics.params.is_empty() {
        cx.error(&input.generics, "a stored value cannot be generic");
    }
    let code = match &input.data {
        Data::Enum(data) => {
            let variants = data.variants.iter().map(|variant| {
                if !matches!(variant.fields, Fields::Unit) {
                    cx.error(variant, "a variant with data has no stored form; use variants without, or a nested struct");
                }
                (variant.ident.clone(), variant_name(&cx, variant, &container))
            });
            let variants: Vec<_> = variants.collect();
            unique(&cx, &variants);
            if variants.is_empty() {
                cx.error(&input.ident, "an enum without variants has no value to store");
            }
            match integer {
                Some(_) => number::enumeration(&input.ident, &variants),
                None => enumeration(&input.ident, &variants),
            }
        }
        Data::Struct(_) if integer.is_some() => {
            cx.error(&integer, "`integer` is for enums: a newtype is stored as what is inside it");
            TokenStream::new()
        }
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let inner = fields.unnamed.iter().map(|field| &field.ty);
                newtype(&input.ident, &quote!(#(#inner)*))
            }
            _ => {
                cx.error(&input.ident, "a value is an enum without data, or a struct with one unnamed field; a struct with named fields derives `RedisNested`");
                TokenStream::new()
            }
        },
        Data::Union(_) => {
            cx.error(&input.ident, "a union has no stored form");
            TokenStream::new()
        }
    };
    match cx.check() {
        Ok(()) => hidden(&code),
        Err(errors) => stub::value(&errors, input),
    }
}

fn variant_name(cx: &Ctxt, variant: &syn::Variant, container: &Container) -> String {
    let redis = redis(cx, &variant.attrs, symbol::VARIANT, "on a variant");
    let serde = items(cx, &variant.attrs, "serde");
    let renamed = redis.iter().chain(&serde).any(|item| item.is("rename"));
    if renamed {
        attr::stored_name(cx, &variant.ident, container.rename_all, &redis, &serde)
    } else {
        container.rename_all.variant(&variant.ident.to_string())
    }
}

/// Two variants under one name would read back as one.
fn unique(cx: &Ctxt, variants: &[(Ident, String)]) {
    for (at, (ident, name)) in variants.iter().enumerate() {
        if let Some((earlier, _)) = variants.iter().take(at).find(|(_, other)| other == name) {
            cx.error(ident, format!("the variant `{earlier}` is stored as {name:?} already"));
        }
    }
}

fn enumeration(ident: &Ident, variants: &[(Ident, String)]) -> TokenStream {
    let (idents, names): (Vec<_>, Vec<_>) = variants.iter().map(|(i, n)| (i, n)).unzip();
    let legal = format!(
        "one of {}",
        names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
    );
    quote! {
        impl #ident {
            fn __name(&self) -> &'static str {
                match self { #(#ident::#idents => #names,)* }
            }

            fn __named(__text: &str) -> __alizarin::Result<#ident> {
                match __text {
                    #(#names => ::core::result::Result::Ok(#ident::#idents),)*
                    _ => ::core::result::Result::Err(__alizarin::unread(#legal, __text)),
                }
            }
        }

        impl __alizarin::RedisValue for #ident {
            type Item = #ident;
            const KIND: __alizarin::ValueKind = __alizarin::ValueKind::Text;

            fn to_hash(
                &self,
                __field: &__alizarin::FieldSchema,
                __out: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                __alizarin::write_text(self.__name(), __field, __out)
            }

            fn from_hash(
                __bytes: &[u8],
                _: &__alizarin::FieldSchema,
            ) -> __alizarin::Result<Self> {
                #ident::__named(__alizarin::read_text(__bytes)?)
            }

            fn to_json(
                &self,
                __field: &__alizarin::FieldSchema,
                __out: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                __alizarin::write_json_text(self.__name(), __field, __out)
            }

            fn from_json(
                __json: &str,
                _: &__alizarin::FieldSchema,
            ) -> __alizarin::Result<Self> {
                #ident::__named(&__alizarin::read_json_text(__json)?)
            }
        }

        impl __alizarin::TagValue for #ident {}
        impl __alizarin::UniqueValue for #ident {}
        impl __alizarin::ListItem for #ident {}

        impl __alizarin::ModelId for #ident
        where
            for<'__a> #ident: ::core::clone::Clone + ::core::fmt::Debug + ::core::cmp::PartialEq,
        {
            fn write_id(&self, __out: &mut ::std::string::String) {
                __out.push_str(self.__name());
            }

            fn parse_id(__text: &str) -> __alizarin::Result<Self> {
                #ident::__named(__text)
            }
        }
    }
}

fn newtype(ident: &Ident, inner: &TokenStream) -> TokenStream {
    let kinds = [
        "TagValue",
        "TextValue",
        "NumericValue",
        "GeoValue",
        "GeoShapeValue",
        "ListItem",
        "UniqueValue",
    ];
    // A bound without type parameters that does not hold is an error; with `for<'a>` before it
    // it is a condition.
    let kinds = kinds.map(|kind| {
        let kind = format_ident!("{kind}");
        quote!(impl __alizarin::#kind for #ident where for<'__a> #inner: __alizarin::#kind {})
    });
    quote! {
        impl __alizarin::RedisValue for #ident {
            type Item = #ident;
            const KIND: __alizarin::ValueKind = <#inner as __alizarin::RedisValue>::KIND;
            const MANY: bool = <#inner as __alizarin::RedisValue>::MANY;
            const EXACT_IN_INDEX: bool = <#inner as __alizarin::RedisValue>::EXACT_IN_INDEX;
            const CASE_SENSITIVE: bool = <#inner as __alizarin::RedisValue>::CASE_SENSITIVE;

            fn to_hash(
                &self,
                __field: &__alizarin::FieldSchema,
                __out: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                <#inner as __alizarin::RedisValue>::to_hash(&self.0, __field, __out)
            }

            fn from_hash(
                __bytes: &[u8],
                __field: &__alizarin::FieldSchema,
            ) -> __alizarin::Result<Self> {
                <#inner as __alizarin::RedisValue>::from_hash(__bytes, __field).map(#ident)
            }

            fn to_json(
                &self,
                __field: &__alizarin::FieldSchema,
                __out: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                <#inner as __alizarin::RedisValue>::to_json(&self.0, __field, __out)
            }

            fn from_json(
                __json: &str,
                __field: &__alizarin::FieldSchema,
            ) -> __alizarin::Result<Self> {
                <#inner as __alizarin::RedisValue>::from_json(__json, __field).map(#ident)
            }

            fn is_absent(&self) -> bool {
                <#inner as __alizarin::RedisValue>::is_absent(&self.0)
            }

            fn absent() -> ::core::option::Option<Self> {
                <#inner as __alizarin::RedisValue>::absent().map(#ident)
            }
        }

        #(#kinds)*

        impl __alizarin::VectorValue for #ident
        where
            for<'__a> #inner: __alizarin::VectorValue,
        {
            type Element = <#inner as __alizarin::VectorValue>::Element;
            const ELEMENT: &'static str = <#inner as __alizarin::VectorValue>::ELEMENT;
            const DIMENSION: usize = <#inner as __alizarin::VectorValue>::DIMENSION;
        }

        impl __alizarin::ModelId for #ident
        where
            for<'__a> #inner: __alizarin::ModelId,
            for<'__a> #ident: ::core::clone::Clone + ::core::fmt::Debug + ::core::cmp::PartialEq,
        {
            fn write_id(&self, __out: &mut ::std::string::String) {
                <#inner as __alizarin::ModelId>::write_id(&self.0, __out)
            }

            fn parse_id(__text: &str) -> __alizarin::Result<Self> {
                <#inner as __alizarin::ModelId>::parse_id(__text).map(#ident)
            }
        }
    }
}
