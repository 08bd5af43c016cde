//! What becomes of a model's documents when those that they refer to are deleted.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::handles::Names;
use crate::ast::Struct;
use crate::attr::Policy;

/// The implementation, for models with `on_delete`.
pub(super) fn implementation(model: &Struct) -> Option<TokenStream> {
    let module = Names::of(model).module;
    let ident = &model.ident;
    let fields: Vec<_> =
        model.stored().filter_map(|field| Some((field, field.on_delete.as_ref()?))).collect();
    if fields.is_empty() {
        return None;
    }
    let rules = fields.iter().map(|(field, on_delete)| {
        let name = &field.ident;
        let policy = format_ident!(
            "{}",
            match on_delete.policy {
                Policy::Cascade => "cascade",
                Policy::Restrict => "restrict",
                Policy::Unset => "unset",
            }
        );
        // What the type lacks is told of there.
        let span = field.ty.span().resolved_at(Span::call_site());
        quote_spanned!(span=> __each(__alizarin::Rule::#policy::<#module::#name>());)
    });
    Some(quote! {
        impl __alizarin::Referrer for #ident {
            fn rules(__each: &mut dyn ::core::ops::FnMut(__alizarin::Rule)) {
                #(#rules)*
            }
        }
    })
}

/// The same for a model with mistakes.
pub(super) fn stub(model: &Struct) -> Option<TokenStream> {
    let ident = &model.ident;
    model.fields.iter().find(|field| field.on_delete.is_some())?;
    Some(quote! {
        impl __alizarin::Referrer for #ident {
            fn rules(_: &mut dyn ::core::ops::FnMut(__alizarin::Rule)) {}
        }
    })
}
