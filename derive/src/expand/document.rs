//! `Document`: writing and reading field by field.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::literal;
use crate::ast::Struct;
use crate::attr::{Default, Field};

/// The implementation, and the type that holds what was read so far.
pub(super) fn document(item: &Struct) -> TokenStream {
    let ident = &item.ident;
    let schemas = item.stored().map(literal::field);
    let slots = item.stored().map(slot);
    let writes = item.stored().enumerate().map(|(at, field)| write(at, field));
    let matches = item.stored().enumerate().map(|(at, field)| accept(at, field));
    let prefixes = item.stored().filter(|field| field.nested.is_some()).map(accept_inside);
    let mut at = 0;
    let finishes = item.fields.iter().map(|field| {
        let code = finish(at, field, item.container.default);
        at += usize::from(!field.skip);
        code
    });
    quote! {
        #[derive(::core::default::Default)]
        pub struct __Partial { #(#slots)* }

        impl __alizarin::Document for #ident {
            const FIELDS: &'static [__alizarin::FieldSchema] = &[#(#schemas),*];
            type Partial = __Partial;

            fn write(&self, __out: &mut __alizarin::DocumentWriter) -> __alizarin::Result<()> {
                #(#writes)*
                ::core::result::Result::Ok(())
            }

            fn accept(
                __partial: &mut __Partial,
                __name: &[::core::primitive::u8],
                __value: __alizarin::StoredValue<'_>,
            ) -> __alizarin::Result<bool> {
                ::core::result::Result::Ok(match (__name.len(), __name) {
                    #(#matches)*
                    _ => {
                        #(#prefixes)*
                        false
                    }
                })
            }

            fn finish(__partial: __Partial) -> __alizarin::Result<Self> {
                ::core::result::Result::Ok(#ident { #(#finishes)* })
            }
        }
    }
}

fn slot(field: &Field) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    match field.nested {
        Some(_) => quote!(#ident: <#ty as __alizarin::Nested>::Slot,),
        None => quote!(#ident: ::core::option::Option<#ty>,),
    }
}

fn write(at: usize, field: &Field) -> TokenStream {
    let ident = &field.ident;
    let method = match field.nested {
        Some(_) => quote!(nested),
        None => quote!(field),
    };
    quote!(__out.#method(&<Self as __alizarin::Document>::FIELDS[#at], &self.#ident)?;)
}

fn accept(at: usize, field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    // The length first: it tells most names apart at once.
    let (len, stored) = (name.len(), bytes(name));
    if field.nested.is_some() {
        return quote! {
            (#len, #stored) => {
                <#ty as __alizarin::Nested>::accept(&mut __partial.#ident, b"", __value)
                    .map_err(|__error| __error.with_field(#name))?
            }
        };
    }
    quote! {
        (#len, #stored) => {
            __partial.#ident = ::core::option::Option::Some(
                __value.read(&<Self as __alizarin::Document>::FIELDS[#at])?,
            );
            true
        }
    }
}

/// A stored name as the server sends it.
fn bytes(name: &str) -> Literal {
    Literal::byte_string(name.as_bytes())
}

/// A hash's `address.city` goes to `address`.
fn accept_inside(field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    let prefix = bytes(&format!("{name}."));
    quote! {
        if let ::core::option::Option::Some(__rest) = __name.strip_prefix(#prefix as &[::core::primitive::u8]) {
            return <#ty as __alizarin::Nested>::accept(&mut __partial.#ident, __rest, __value)
                .map_err(|__error| __error.with_field(#name));
        }
    }
}

fn finish(at: usize, field: &Field, all_default: bool) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    let default = match &field.default {
        Some(Default::Path(path)) => Some(quote!(#path())),
        Some(Default::Trait) => Some(quote!(::core::default::Default::default())),
        None if all_default || field.skip => Some(quote!(::core::default::Default::default())),
        None => None,
    };
    if field.skip {
        return quote!(#ident: #default,);
    }
    let schema = quote!(&<Self as __alizarin::Document>::FIELDS[#at]);
    if field.nested.is_some() {
        let finish = quote!(<#ty as __alizarin::Nested>::finish(__partial.#ident, #schema)?);
        return match default {
            Some(default) => quote! {
                #ident: if __alizarin::is_untouched(&__partial.#ident) { #default } else { #finish },
            },
            None => quote!(#ident: #finish,),
        };
    }
    match default {
        Some(default) => quote!(#ident: __partial.#ident.unwrap_or_else(|| #default),),
        None => quote!(#ident: __alizarin::required(__partial.#ident, #schema)?,),
    }
}
