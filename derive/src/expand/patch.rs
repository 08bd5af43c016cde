//! `#[derive(RedisPatch)]`

use proc_macro2::TokenStream;
use quote::quote;
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Expr};

use super::{hidden, stub};
use crate::ast::named_fields;
use crate::attr::{Value, redis};
use crate::ctxt::Ctxt;
use crate::symbol;

pub(crate) fn patch(input: &DeriveInput) -> TokenStream {
    let cx = Ctxt::new();
    let words = redis(&cx, &input.attrs, symbol::PATCH, "on a patch");
    let model = words.iter().find(|item| item.is("of")).and_then(|item| match &item.value {
        Value::Is(Expr::Path(path)) => Some(path.path.clone()),
        _ => {
            cx.error(item, "`of` names the model: `of = Account`");
            None
        }
    });
    if words.iter().all(|item| !item.is("of")) {
        cx.error(&input.ident, "say which model it changes: `#[redis(of = Account)]`");
    }
    if !input.generics.params.is_empty() {
        cx.error(&input.generics, "a patch cannot be generic");
    }
    let mut changes = Vec::new();
    for field in named_fields(&cx, input) {
        let Some(ident) = &field.ident else { continue };
        let words = redis(&cx, &field.attrs, symbol::PATCH_FIELD, "on a patch's field");
        let place = words.iter().find(|item| item.is("at")).map(|item| match &item.value {
            Value::Is(place @ (Expr::Path(_) | Expr::Field(_))) => quote!(#place),
            _ => {
                cx.error(item, "`at` names the model's field: `at = address.city`");
                quote!(#ident)
            }
        });
        let place = place.unwrap_or_else(|| quote!(#ident));
        let span = field.ty.span();
        // The error of a wrong type stands at the type.
        changes.push(quote_spanned! {span=>
            __alizarin::Assignment::assign_to(__fields.#place.patch(self.#ident), __changes)?;
        });
    }
    if let Err(errors) = cx.check() {
        return stub::patch(&errors, input, model.as_ref());
    }
    let ident = &input.ident;
    hidden(&quote! {
        impl __alizarin::Assignment<#model> for #ident {
            fn assign_to(
                self,
                __changes: &mut __alizarin::Changes<#model>,
            ) -> __alizarin::Result<()> {
                let __fields = <<#model as __alizarin::RedisModel>::Fields as ::core::default::Default>::default();
                #(#changes)*
                ::core::result::Result::Ok(())
            }
        }
    })
}
