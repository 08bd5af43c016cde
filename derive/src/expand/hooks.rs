//! What happens around writes: stamps, limits of single fields, validation, hooks.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::literal;
use crate::ast::Struct;
use crate::attr::{Field, Kind};

/// The `WriteSchema`.
pub(super) fn schema(model: &Struct) -> TokenStream {
    let stamp = |found: Option<&Field>| {
        literal::option(found.map(|field| {
            let (name, ty) = (&field.name, &field.ty);
            // The error of a wrong type stands at the type, and is told once.
            let unit = quote_spanned!(ty.span()=> <#ty as __alizarin::Stamp>::MILLISECONDS);
            let mut kinds = field.indexes.iter().map(|index| &index.kind);
            let tag = kinds.any(|kind| matches!(kind, Kind::Tag { .. }));
            quote!(__alizarin::StampSchema {
                field: #name,
                milliseconds: #unit,
                text: #tag,
            })
        }))
    };
    let created = stamp(model.stored().find(|field| field.created_at.is_some()));
    let updated = stamp(model.stored().find(|field| field.updated_at.is_some()));
    let limits = model.stored().filter_map(|field| {
        let (name, after) = (&field.name, literal::duration(field.limit.as_ref()?.after));
        Some(quote!(__alizarin::LimitSchema { field: #name, after: #after }))
    });
    quote!(__alizarin::WriteSchema {
        created_at: #created,
        updated_at: #updated,
        limits: &[#(#limits),*],
    })
}

fn is_stamp(field: &Field) -> bool {
    field.created_at.is_some() || field.updated_at.is_some()
}

/// The methods of `RedisModel` that repositories call around writes and reads.
pub(super) fn methods(model: &Struct) -> TokenStream {
    let times = model.stored().filter(|field| is_stamp(field)).map(|field| {
        let (ident, ty) = (&field.ident, &field.ty);
        let time = match field.created_at {
            Some(_) => quote!(__created),
            None => quote!(__updated),
        };
        let made = quote_spanned!(ty.span()=> <#ty as __alizarin::Stamp>::from_time(__time));
        quote! {
            if let ::core::option::Option::Some(__time) = #time {
                self.#ident = #made;
            }
        }
    });
    let times: Vec<_> = times.collect();
    let set_times = (!times.is_empty()).then(|| {
        quote! {
            fn set_times(
                &mut self,
                __created: ::core::option::Option<::std::time::SystemTime>,
                __updated: ::core::option::Option<::std::time::SystemTime>,
            ) {
                #(#times)*
            }
        }
    });
    let hooks = model.container.hooks;
    let fields: Vec<_> = model.stored().filter_map(validated).collect();
    let validate = (hooks || !fields.is_empty()).then(|| {
        let whole = hooks.then(|| {
            quote! {
                <Self as __alizarin::Hooks>::validate(self)
                    .map_err(|__error| __alizarin::invalid::<Self>(__error, ""))?;
            }
        });
        quote! {
            fn hook_validate(&self) -> __alizarin::Result<()> {
                #(#fields)*
                #whole
                ::core::result::Result::Ok(())
            }
        }
    });
    let rest = hooks.then(around);
    quote!(#set_times #validate #rest)
}

fn validated(field: &Field) -> Option<TokenStream> {
    let (ident, name) = (&field.ident, &field.name);
    let path = &field.validate.as_ref()?.path;
    Some(quote! {
        #path(&self.#ident).map_err(|__error| __alizarin::invalid::<Self>(__error, #name))?;
    })
}

fn around() -> TokenStream {
    quote! {
        const HOOKS: bool = true;

        fn hook_before_save(&self) -> __alizarin::Result<::core::option::Option<Self>> {
            <Self as __alizarin::Hooks>::before_save(self)
        }

        fn hook_after_save(&self, __written: &__alizarin::Written) {
            <Self as __alizarin::Hooks>::after_save(self, __written)
        }

        fn hook_after_load(&mut self) -> __alizarin::Result<()> {
            <Self as __alizarin::Hooks>::after_load(self)
        }

        fn hook_before_delete(__id: &Self::Id) -> __alizarin::Result<()> {
            <Self as __alizarin::Hooks>::before_delete(__id)
        }

        fn hook_after_delete(__id: &Self::Id) {
            <Self as __alizarin::Hooks>::after_delete(__id)
        }
    }
}
