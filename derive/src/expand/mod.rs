//! Code for what was read and checked.

mod attributes;
mod document;
mod handles;
mod hooks;
mod literal;
mod model;
mod nested;
mod number;
mod patch;
mod projection;
mod referrer;
mod row;
mod series;
mod stub;
mod value;

pub(crate) use attributes::attributes;
pub(crate) use model::model;
pub(crate) use nested::nested;
pub(crate) use patch::patch;
pub(crate) use projection::projection;
pub(crate) use row::row;
pub(crate) use series::series;
pub(crate) use value::value;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

/// Puts what is not the user's to name into a scope of its own.
fn hidden(code: &TokenStream) -> TokenStream {
    quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, non_camel_case_types, unused_qualifications)]
        const _: () = {
            use ::alizarin::__private as __alizarin;
            #code
        };
    }
}

/// Stops the compilation at `ident` when `misfit`, a call of `__private`, gives one.
fn refused(ident: &Ident, misfit: &TokenStream) -> TokenStream {
    // Written by the derive, whatever lints the user's own code is held to.
    let span = ident.span().resolved_at(Span::call_site());
    quote_spanned! {span=>
        const _: () = if let ::core::option::Option::Some(__misfit) = __alizarin::#misfit {
            ::core::panic!("{}", __misfit.text())
        };
    }
}
