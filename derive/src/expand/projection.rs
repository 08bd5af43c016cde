//! `#[derive(RedisProjection)]`

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Path};

use super::{hidden, stub};
use crate::attr::{Column, Projection};
use crate::check;
use crate::ctxt::Ctxt;

pub(crate) fn projection(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let projection = Projection::read(&cx, input);
    check::projection(&cx, input, &projection);
    let of = match (cx.check(), &projection.of) {
        (Ok(()), Some(of)) => of,
        (Err(errors), of) => return stub::projection(&errors, input, of.as_ref()),
        (Ok(()), None) => return TokenStream::new(),
    };
    let ident = &input.ident;
    let columns = columns(of, &projection.columns);
    let slots = projection.columns.iter().map(slot);
    let accepts = projection.columns.iter().enumerate().map(|(at, column)| accept(at, column));
    let names = projection.columns.iter().map(|column| &column.ident);
    hidden(&quote! {
        #columns

        #[derive(::core::default::Default)]
        pub struct __Partial { #(#slots)* }

        impl __alizarin::RedisProjection for #ident {
            type Model = #of;
            type Partial = __Partial;

            fn shape() -> &'static __alizarin::Shape {
                &__columns().1
            }

            fn accept(
                __partial: &mut __Partial,
                __column: ::core::primitive::usize,
                __rest: &[::core::primitive::u8],
                __value: __alizarin::StoredValue<'_>,
            ) -> __alizarin::Result<()> {
                let __columns = &__columns().0;
                match __column {
                    #(#accepts)*
                    _ => {}
                }
                ::core::result::Result::Ok(())
            }

            fn finish(__partial: __Partial) -> __alizarin::Result<Self> {
                let __columns = &__columns().0;
                ::core::result::Result::Ok(#ident {
                    #(#names: __columns.#names.finish(__partial.#names)?,)*
                })
            }
        }
    })
}

/// The columns, made once. The model's handles are named here and nowhere else, so that a wrong
/// name or type is one error, at the projection's field.
fn columns(of: &Path, columns: &[Column]) -> TokenStream {
    let names: Vec<_> = columns.iter().map(|column| &column.ident).collect();
    let types = columns.iter().map(|Column { ty, nested, .. }| match nested {
        true => quote!(__alizarin::StructColumn<#ty>),
        false => quote!(__alizarin::Column<#ty>),
    });
    let values = columns.iter().map(|column| {
        let Column { ty, place, .. } = column;
        let make = if column.nested { quote!(struct_column) } else { quote!(column) };
        let span = ty.span().resolved_at(Span::call_site());
        quote_spanned!(span=> __alizarin::#make::<_, #ty>(__m.#place))
    });
    quote! {
        struct __Columns { #(#names: #types,)* }

        fn __columns() -> &'static (__Columns, __alizarin::Shape) {
            static COLUMNS: ::std::sync::OnceLock<(__Columns, __alizarin::Shape)> =
                ::std::sync::OnceLock::new();
            COLUMNS.get_or_init(|| {
                let __m: <#of as __alizarin::RedisModel>::Fields =
                    ::core::default::Default::default();
                let __columns = __Columns { #(#names: #values,)* };
                let __shape = __alizarin::Shape::new::<#of>(&[#(__columns.#names.path()),*]);
                (__columns, __shape)
            })
        }
    }
}

fn slot(column: &Column) -> TokenStream {
    let Column { ident, ty, nested, .. } = column;
    match nested {
        true => quote!(#ident: ::core::option::Option<<#ty as __alizarin::Nested>::Slot>,),
        false => quote!(#ident: ::core::option::Option<#ty>,),
    }
}

fn accept(at: usize, column: &Column) -> TokenStream {
    let Column { ident, nested, .. } = column;
    match nested {
        true => quote! {
            #at => __columns.#ident.accept(&mut __partial.#ident, __rest, __value)?,
        },
        false => quote! {
            #at => __partial.#ident = ::core::option::Option::Some(__columns.#ident.read(__value)?),
        },
    }
}
