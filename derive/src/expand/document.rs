//! `Document`: writing and reading field by field.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::literal;
use crate::ast::Struct;
use crate::attr::Field;
use crate::layout::Layout;

/// The implementation, and the type that holds what was read so far.
pub(super) fn document(item: &Struct) -> TokenStream {
    let ident = &item.ident;
    let schemas = item.stored().map(|field| literal::field(field, item.container.layout));
    let slots = item.stored().map(slot);
    let class = class(item);
    let writes = item.stored().enumerate().filter(|(_, field)| !field.keyed);
    let writes = writes.map(|(at, field)| write(at, field));
    let named: Vec<_> = item.stored().enumerate().filter(|(_, field)| !field.flat).collect();
    let places = named.iter().copied().map(place);
    let in_order = named.iter().copied().filter(|(_, field)| field.nested.is_none()).map(next);
    let accepts = named.iter().map(|(at, field)| accept(*at, field));
    let inner = item.stored().filter(|field| field.nested.is_some());
    let (flat, inner): (Vec<_>, Vec<_>) = inner.partition(|field| field.flat);
    let prefixes = inner.into_iter().map(accept_inside).chain(flat.into_iter().map(accept_flat));
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
                #class
                #(#writes)*
                ::core::result::Result::Ok(())
            }

            fn accept(
                __partial: &mut __Partial,
                __name: &[::core::primitive::u8],
                __value: __alizarin::StoredValue<'_>,
            ) -> __alizarin::Result<bool> {
                if let ::core::option::Option::Some(__at) = Self::place(__name) {
                    return Self::accept_at(__partial, __at, __value);
                }
                #(#prefixes)*
                ::core::result::Result::Ok(false)
            }

            fn place(
                __name: &[::core::primitive::u8],
            ) -> ::core::option::Option<::core::primitive::usize> {
                match (__name.len(), __name) {
                    #(#places)*
                    _ => ::core::option::Option::None,
                }
            }

            fn in_order<const LINES: ::core::primitive::bool>(
                __partial: &mut __Partial,
                __next: &mut __alizarin::Next<'_, '_>,
            ) -> __alizarin::Result<()> {
                let mut __at = __next.place();
                #(#in_order)*
                let _ = __at;
                ::core::result::Result::Ok(())
            }

            fn accept_at(
                __partial: &mut __Partial,
                __at: ::core::primitive::usize,
                __value: __alizarin::StoredValue<'_>,
            ) -> __alizarin::Result<bool> {
                ::core::result::Result::Ok(match __at {
                    #(#accepts)*
                    _ => false,
                })
            }

            #[inline]
            fn finish(__partial: __Partial) -> __alizarin::Result<Self> {
                ::core::result::Result::Ok(#ident { #(#finishes)* })
            }
        }
    }
}

/// The name that Spring gives each hash of a class.
fn class(item: &Struct) -> Option<TokenStream> {
    let container = &item.container;
    // Nested structs have no storage of their own.
    container.storage.filter(|_| container.layout == Layout::Spring)?;
    let class = container.class.as_ref().map_or(&container.prefix, |(_, class)| class);
    Some(quote!(__out.constant("_class", #class);))
}

fn slot(field: &Field) -> TokenStream {
    let (ident, ty) = (&field.ident, literal::stored(field));
    match field.nested {
        Some(_) if field.flat => quote!(#ident: <#ty as __alizarin::Document>::Partial,),
        Some(_) => quote!(#ident: <#ty as __alizarin::Nested>::Slot,),
        None => quote!(#ident: ::core::option::Option<#ty>,),
    }
}

fn write(at: usize, field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    let schema = quote!(&<Self as __alizarin::Document>::FIELDS[#at]);
    if field.flat {
        return quote!(<#ty as __alizarin::Document>::write(&self.#ident, __out)?;);
    }
    if field.nested.is_some() {
        return quote!(__out.nested(#schema, &self.#ident)?;);
    }
    let computed = field.computed.as_ref().map(|(_, path)| {
        // Given a type here, so that a mismatch is told of at the field.
        quote_spanned!(ty.span()=> let __computed: #ty = #path(self);)
    });
    let value = match &computed {
        Some(_) => quote!(&__computed),
        None => quote!(&self.#ident),
    };
    match &field.with {
        Some((_, codec)) => quote! {{
            #computed
            let __stored = <#codec as __alizarin::FieldCodec<#ty>>::encode(#value)
                .map_err(|__error| __error.with_field(#name))?;
            __out.field(#schema, &__stored)?;
        }},
        None => quote!({ #computed __out.field(#schema, #value)?; }),
    }
}

fn place((at, field): (usize, &Field)) -> TokenStream {
    // The length first: it tells most names apart at once.
    let (len, stored) = (field.name.len(), bytes(&field.name));
    quote!((#len, #stored) => ::core::option::Option::Some(#at),)
}

/// Takes a field where a reply has it in the struct's order, named by a string or by a line.
fn next((at, field): (usize, &Field)) -> TokenStream {
    let (ident, name) = (&field.ident, &field.name);
    let string = bytes(&format!("${}\r\n{name}\r\n", name.len()));
    let line = bytes(&format!("+{name}\r\n"));
    let schema = quote!(&<Self as __alizarin::Document>::FIELDS[#at]);
    quote! {
        if __at == #at {
            let __value = match LINES {
                true => __next.read(#at, #line, #schema)?,
                false => __next.read(#at, #string, #schema)?,
            };
            if ::core::option::Option::is_some(&__value) {
                __partial.#ident = __value;
            } else if ::core::option::Option::is_none(&__partial.#ident) {
                return ::core::result::Result::Ok(());
            }
            // Also where it came before, out of order.
            __at = #at + 1;
        }
    }
}

fn accept(at: usize, field: &Field) -> TokenStream {
    let (ident, ty, name) = (&field.ident, &field.ty, &field.name);
    if field.nested.is_some() {
        return quote! {
            #at => {
                <#ty as __alizarin::Nested>::accept(&mut __partial.#ident, b"", __value)
                    .map_err(|__error| __error.with_field(#name))?
            }
        };
    }
    quote! {
        #at => {
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

/// One of the flattened struct's own.
fn accept_flat(field: &Field) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    quote! {
        if <#ty as __alizarin::Document>::accept(&mut __partial.#ident, __name, __value)? {
            return ::core::result::Result::Ok(true);
        }
    }
}

fn finish(at: usize, field: &Field, all_default: bool) -> TokenStream {
    let (ident, ty) = (&field.ident, &field.ty);
    let mut default = field.default(all_default);
    if field.keyed {
        // What was read gets it from the key.
        default = Some(quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default()));
    }
    if field.skip {
        return quote!(#ident: #default,);
    }
    let schema = quote!(&<Self as __alizarin::Document>::FIELDS[#at]);
    if field.flat {
        return quote!(#ident: <#ty as __alizarin::Document>::finish(__partial.#ident)?,);
    }
    if field.nested.is_some() {
        let finish = quote!(<#ty as __alizarin::Nested>::finish(__partial.#ident, #schema)?);
        return match default {
            Some(default) => quote! {
                #ident: if __alizarin::is_untouched(&__partial.#ident) { #default } else { #finish },
            },
            None => quote!(#ident: #finish,),
        };
    }
    let decode = field.with.as_ref().map(|(_, codec)| {
        let name = &field.name;
        quote! {
            <#codec as __alizarin::FieldCodec<#ty>>::decode(__stored)
                .map_err(|__error| __error.with_field(#name))?
        }
    });
    match (default, decode) {
        (Some(default), None) => quote!(#ident: __partial.#ident.unwrap_or_else(|| #default),),
        (None, None) => quote!(#ident: __alizarin::required(__partial.#ident, #schema)?,),
        (Some(default), Some(decode)) => quote! {
            #ident: match __partial.#ident {
                ::core::option::Option::Some(__stored) => #decode,
                ::core::option::Option::None => #default,
            },
        },
        (None, Some(decode)) => quote! {
            #ident: {
                let __stored = __alizarin::required(__partial.#ident, #schema)?;
                #decode
            },
        },
    }
}
