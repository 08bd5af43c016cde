//! `#[derive(RedisValue)]` on an enum that is stored as its numbers.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// An enum as an `i64`: what is written is what `as i64` gives.
pub(super) fn enumeration(ident: &Ident, variants: &[(Ident, String)]) -> TokenStream {
    let idents: Vec<_> = variants.iter().map(|(ident, _)| ident).collect();
    let legal = format!("the number of a variant of {ident}");
    let field = quote!(__field: &__alizarin::FieldSchema);
    let number = quote!(<::core::primitive::i64 as __alizarin::RedisValue>);
    quote! {
        impl #ident {
            fn __number(&self) -> ::core::primitive::i64 {
                match self { #(#ident::#idents => #ident::#idents as ::core::primitive::i64,)* }
            }

            fn __numbered(__number: ::core::primitive::i64) -> __alizarin::Result<#ident> {
                #(
                    if __number == #ident::#idents as ::core::primitive::i64 {
                        return ::core::result::Result::Ok(#ident::#idents);
                    }
                )*
                let __text = ::std::string::ToString::to_string(&__number);
                ::core::result::Result::Err(__alizarin::unread(#legal, &__text))
            }
        }

        impl __alizarin::RedisValue for #ident {
            type Item = #ident;
            const KIND: __alizarin::ValueKind = __alizarin::ValueKind::Integer;

            fn to_hash(
                &self,
                #field,
                __out: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                #number::to_hash(&self.__number(), __field, __out)
            }

            fn from_hash(__bytes: &[u8], #field) -> __alizarin::Result<Self> {
                #ident::__numbered(#number::from_hash(__bytes, __field)?)
            }

            fn to_json(
                &self,
                #field,
                __out: &mut ::std::vec::Vec<u8>,
            ) -> __alizarin::Result<()> {
                #number::to_json(&self.__number(), __field, __out)
            }

            fn from_json(__json: &str, #field) -> __alizarin::Result<Self> {
                #ident::__numbered(#number::from_json(__json, __field)?)
            }
        }

        impl __alizarin::TagValue for #ident {}
        impl __alizarin::NumericValue for #ident {}
        impl __alizarin::ListItem for #ident {}

        impl __alizarin::ModelId for #ident
        where
            for<'__a> #ident: ::core::clone::Clone + ::core::fmt::Debug + ::core::cmp::PartialEq,
        {
            fn write_id(&self, __out: &mut ::std::string::String) {
                __alizarin::ModelId::write_id(&self.__number(), __out);
            }

            fn parse_id(__text: &str) -> __alizarin::Result<Self> {
                #ident::__numbered(__alizarin::ModelId::parse_id(__text)?)
            }
        }
    }
}
