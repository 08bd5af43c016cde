//! `#[derive(RedisNested)]`

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{DeriveInput, Ident};

use super::handles::{self, Names, Root};
use super::{document, hidden, refused, stub};
use crate::ast::Struct;
use crate::attr::Container;
use crate::check;
use crate::ctxt::Ctxt;

pub(crate) fn nested(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let container = Container::nested(&cx, input);
    let item = Struct::read(&cx, input, container);
    check::nested(&cx, &item);
    let p = Ident::new("P", Span::call_site());
    let root = Root::Path(&p);
    if let Err(errors) = cx.check() {
        return stub::nested(&errors, input, &item, &root);
    }
    let visible = handles::visible(&item, &root);
    let parts = [
        document::document(&item),
        handles::implementations(&item, &root),
        implementation(&item),
        flatten(&item),
        names_fit(&item),
    ];
    let hidden = hidden(&quote!(#(#parts)*));
    quote!(#visible #hidden)
}

/// What only the compiler can check, since it sees the structs inside this one too.
fn names_fit(item: &Struct) -> TokenStream {
    let ident = &item.ident;
    let names = refused(ident, &quote!(name_misfit(<#ident as __alizarin::Document>::FIELDS)));
    let stored = refused(ident, &quote!(stored_misfit(<#ident as __alizarin::Document>::FIELDS)));
    quote!(#names #stored)
}

pub(super) fn flatten(item: &Struct) -> TokenStream {
    let ident = &item.ident;
    quote!(impl __alizarin::Flatten for #ident {})
}

pub(super) fn implementation(item: &Struct) -> TokenStream {
    let (ident, fields) = (&item.ident, Names::of(item).fields);
    quote! {
        impl<P: __alizarin::StructSpec> __alizarin::StructFields for #fields<P> {
            type Path = P;
        }

        impl __alizarin::Nested for #ident {
            type Item = #ident;
            type Fields<P: __alizarin::FieldPath> = #fields<P>;
            type Slot = ::core::option::Option<<Self as __alizarin::Document>::Partial>;
            const MANY: bool = false;

            fn write(
                &self,
                __field: &__alizarin::FieldSchema,
                __out: &mut __alizarin::DocumentWriter,
            ) -> __alizarin::Result<()> {
                __alizarin::write_struct(self, __field, __out)
            }

            fn accept(
                __slot: &mut Self::Slot,
                __rest: &[::core::primitive::u8],
                __value: __alizarin::StoredValue<'_>,
            ) -> __alizarin::Result<bool> {
                __alizarin::accept_struct::<Self>(__slot, __rest, __value)
            }

            fn finish(
                __slot: Self::Slot,
                __field: &__alizarin::FieldSchema,
            ) -> __alizarin::Result<Self> {
                __alizarin::finish_struct(__slot, __field)
            }
        }
    }
}
