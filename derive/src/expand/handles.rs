//! Typed handles: one marker type a field, and what its index allows.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Visibility;
use syn::spanned::Spanned as _;

use super::literal;
use crate::ast::Struct;
use crate::attr::{Field, Group, Index, Kind};
use crate::case::Case;

/// What the handles hang from.
pub(super) enum Root<'a> {
    /// A model: the markers are plain types.
    Model,
    /// A nested struct: the markers carry the path to it in this parameter.
    Path(&'a Ident),
}

/// The names of the generated items.
pub(super) struct Names {
    pub(super) fields: Ident,
    pub(super) module: Ident,
}

impl Names {
    pub(super) fn of(item: &Struct) -> Names {
        let snake = Case::Snake.variant(&item.ident.to_string());
        Names {
            fields: format_ident!("{}Fields", item.ident),
            module: format_ident!("{snake}_fields", span = item.ident.span()),
        }
    }
}

/// The items that users can see: the struct of handles, and the module of markers.
///
/// The module names no type from outside of it, so that a derive inside a function works.
pub(super) fn visible(item: &Struct, root: &Root<'_>) -> TokenStream {
    let Names { fields, module } = Names::of(item);
    let (vis, ident) = (&item.vis, &item.ident);
    let markers = item.stored().map(|field| marker(item, field, root));
    let handles = item.stored().map(|field| {
        let (name, ty) = (&field.ident, &field.ty);
        let marker = path(&module, field, root);
        let doc = format!("The field `{}`.", field.name);
        let handle = match field.nested {
            Some(_) => quote!(<#ty as ::alizarin::__private::Nested>::Fields<#marker>),
            None => quote!(::alizarin::__private::Field<#marker>),
        };
        let vis = narrower(&item.vis, &field.vis);
        quote!(#[doc = #doc] #vis #name: #handle,)
    });
    let names: Vec<_> = item.stored().map(|field| &field.ident).collect();
    let (generics, arguments, extra, extra_default) = match root {
        Root::Model => (quote!(), quote!(), quote!(), quote!()),
        Root::Path(p) => (
            quote!(<#p: ::alizarin::__private::FieldPath>),
            quote!(<#p>),
            quote!(#[doc(hidden)] pub __path: ::core::marker::PhantomData<fn() -> #p>,),
            quote!(__path: ::core::marker::PhantomData,),
        ),
    };
    let fields_doc = format!("The fields of [`{ident}`], for queries.");
    let module_doc = format!("One type a field of `{ident}`, for the compiler.");
    quote! {
        #[doc = #fields_doc]
        #[allow(dead_code, clippy::exhaustive_structs)]
        #vis struct #fields #generics { #(#handles)* #extra }

        #[automatically_derived]
        impl #generics ::core::clone::Clone for #fields #arguments {
            fn clone(&self) -> Self { *self }
        }

        #[automatically_derived]
        impl #generics ::core::marker::Copy for #fields #arguments {}

        #[automatically_derived]
        impl #generics ::core::default::Default for #fields #arguments {
            fn default() -> Self {
                #fields { #(#names: ::core::default::Default::default(),)* #extra_default }
            }
        }

        #[automatically_derived]
        impl #generics ::core::fmt::Debug for #fields #arguments {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(::core::stringify!(#fields))
            }
        }

        #[doc = #module_doc]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unreachable_pub)]
        #[allow(clippy::exhaustive_structs)]
        #vis mod #module { #(#markers)* }
    }
}

fn marker(item: &Struct, field: &Field, root: &Root<'_>) -> TokenStream {
    let (name, vis) = (&field.ident, inside(narrower(&item.vis, &field.vis)));
    let doc = format!("The field `{}`.", field.name);
    match root {
        Root::Model => quote!(#[doc = #doc] #vis struct #name;),
        Root::Path(_) => quote! {
            #[doc = #doc]
            #vis struct #name<P>(::core::marker::PhantomData<fn() -> P>);
        },
    }
}

/// The visibility of a field's handle: that of the field, but no wider than the struct's.
fn narrower<'a>(item: &'a Visibility, field: &'a Visibility) -> &'a Visibility {
    match (item, field) {
        (Visibility::Public(_), _) | (_, Visibility::Inherited) => field,
        (_, Visibility::Public(_)) | (Visibility::Inherited, _) => item,
        (_, Visibility::Restricted(path)) if path.path.is_ident("crate") => item,
        _ => field,
    }
}

/// A visibility as it is written one module deeper. A handle is as visible as its field: a wider
/// one could leak a private type.
fn inside(vis: &Visibility) -> TokenStream {
    match vis {
        Visibility::Inherited => quote!(pub(super)),
        Visibility::Restricted(restricted) if restricted.path.is_ident("self") => {
            quote!(pub(super))
        }
        Visibility::Restricted(restricted) => {
            let first = restricted.path.segments.first().map(|segment| segment.ident.to_string());
            let path = &restricted.path;
            match first.as_deref() {
                Some("crate") => quote!(#vis),
                Some("self") => {
                    let rest = path.segments.iter().skip(1);
                    quote!(pub(in super #(:: #rest)*))
                }
                _ => quote!(pub(in super::#path)),
            }
        }
        Visibility::Public(_) => quote!(pub),
    }
}

fn path(module: &Ident, field: &Field, root: &Root<'_>) -> TokenStream {
    let name = &field.ident;
    match root {
        Root::Model => quote!(#module::#name),
        Root::Path(p) => quote!(#module::#name<#p>),
    }
}

/// The implementations for the markers.
pub(super) fn implementations(item: &Struct, root: &Root<'_>) -> TokenStream {
    let ident = &item.ident;
    let all = item.stored().enumerate().map(|(at, field)| {
        let before = match root {
            Root::Model => quote!(),
            Root::Path(p) => quote!(<#p as __alizarin::FieldPath>::walk(__each);),
        };
        let walk = quote!(#before __each(&<#ident as __alizarin::Document>::FIELDS[#at]););
        implementation(item, field, root, &walk, &capabilities(field))
    });
    let checks = item.stored().flat_map(|field| {
        field.indexes.iter().filter_map(|index| kind_check(field, index)).collect::<Vec<_>>()
    });
    let flat = item.stored().filter(|field| field.flat).map(flat_check);
    let whole = whole(item, root);
    let unique = item.stored().filter(|field| is_unique(item, field)).map(|field| {
        let (span, ty) = (field.ty.span(), literal::stored(field));
        quote_spanned! {span=>
            const _: fn() = || {
                fn unique_field<T: __alizarin::UniqueValue>() {}
                unique_field::<#ty>()
            };
        }
    });
    quote! { #(#all)* #(#checks)* #(#flat)* #(#unique)* #whole }
}

/// What changes a nested struct as a whole: methods of its handles.
fn whole(item: &Struct, root: &Root<'_>) -> Option<TokenStream> {
    let Root::Path(p) = root else { return None };
    let fields = Names::of(item).fields;
    Some(quote! {
        #[allow(dead_code, unreachable_pub)]
        impl<#p: __alizarin::NestedSpec> #fields<#p> {
            /// The struct as a whole, for `set`.
            pub fn to_value(
                self,
                value: <#p as __alizarin::NestedSpec>::Stored,
            ) -> __alizarin::ToNested<#p> {
                __alizarin::ToNested::new(__alizarin::Patch::Set(value))
            }

            /// Takes an optional struct out of the document, for `set`.
            pub fn clear<__T>(self) -> __alizarin::ToNested<#p>
            where
                #p: __alizarin::NestedSpec<Stored = ::core::option::Option<__T>>,
            {
                __alizarin::ToNested::new::<__T>(__alizarin::Patch::Unset)
            }

            /// What is to become of the struct as a whole, for `set`.
            pub fn patch<__T>(
                self,
                patch: __alizarin::Patch<__T>,
            ) -> __alizarin::ToNested<#p>
            where
                <#p as __alizarin::NestedSpec>::Stored: __alizarin::PatchValue<__T>,
            {
                __alizarin::ToNested::new(patch)
            }
        }
    })
}

/// The same for a struct with mistakes: everything is allowed, so that queries add no errors.
pub(super) fn stubs(item: &Struct, root: &Root<'_>) -> TokenStream {
    let every = [
        "IsExact",
        "IsGeo",
        "IsGeoShape",
        "IsNumeric",
        "IsSortable",
        "IsTag",
        "IsText",
        "IsVector",
        "HasEmpty",
        "HasMissing",
        "CanExpire",
        "IsUnique",
    ];
    item.stored().map(|field| implementation(item, field, root, &quote!(), &every)).collect()
}

fn implementation(
    item: &Struct,
    field: &Field,
    root: &Root<'_>,
    walk: &TokenStream,
    capabilities: &[&str],
) -> TokenStream {
    let ident = &item.ident;
    let marker = path(&Names::of(item).module, field, root);
    let (generics, model) = match root {
        Root::Model => (quote!(), quote!(#ident)),
        Root::Path(p) => {
            (quote!(<#p: __alizarin::FieldPath>), quote!(<#p as __alizarin::FieldPath>::Model))
        }
    };
    let stored = literal::stored(field);
    // A nested struct with one has an error already.
    let validate = field.validate.as_ref().filter(|_| matches!(root, Root::Model));
    let check = validate.map(|validate| {
        let path = &validate.path;
        quote! {
            const CHECKED: bool = true;

            fn check(__value: &#stored) -> __alizarin::Result<()> {
                #path(__value).map_err(|__error| __alizarin::invalid::<#ident>(__error, ""))
            }
        }
    });
    // Another form than the field's own has no default.
    let default = field.default(item.container.default).filter(|_| field.with.is_none());
    let absent = default.map(|default| {
        quote! {
            fn absent() -> ::core::option::Option<#stored> {
                ::core::option::Option::Some(#default)
            }
        }
    });
    let once = match root {
        Root::Model => quote!(),
        Root::Path(p) => quote!(<#p: __alizarin::FieldPath + __alizarin::InDocument>),
    };
    let spec = match field.nested {
        None => quote! {
            impl #generics __alizarin::FieldSpec for #marker {
                type Stored = #stored;
                type Value = <#stored as __alizarin::RedisValue>::Item;
                #check
                #absent
            }
        },
        Some(_) if field.flat => quote!(),
        Some(_) => quote! {
            impl #once __alizarin::StructSpec for #marker {}

            impl #generics __alizarin::NestedSpec for #marker {
                type Stored = #stored;
                #check
                #absent
            }
        },
    };
    let name = &field.ident;
    // The form that a codec makes is nowhere in the struct.
    let is_own = matches!(root, Root::Model) && field.nested.is_none() && field.with.is_none();
    let own = is_own.then(|| {
        quote! {
            impl __alizarin::OwnField for #marker {
                fn of(__model: &mut #ident) -> &mut #stored {
                    &mut __model.#name
                }
            }
        }
    });
    let capabilities = capabilities.iter().map(|capability| {
        let capability = format_ident!("{capability}");
        quote!(impl #generics __alizarin::#capability for #marker {})
    });
    quote! {
        impl #generics __alizarin::FieldPath for #marker {
            type Model = #model;

            fn walk(__each: &mut dyn ::core::ops::FnMut(&'static __alizarin::FieldSchema)) {
                #walk
            }
        }
        #spec
        #own
        impl #once __alizarin::InDocument for #marker {}
        #(#capabilities)*
    }
}

fn capabilities(field: &Field) -> Vec<&'static str> {
    let mut names = Vec::new();
    if field.limit.is_some() {
        names.push("CanExpire");
    }
    if field.unique.iter().any(|unique| unique.group.is_none()) {
        names.push("IsUnique");
    }
    let Some(index) = field.indexes.first() else { return names };
    let sortable = field.indexes.iter().find_map(|index| index.sortable.clone());
    for index in &field.indexes {
        // With `no_index` a field is only sorted by.
        if index.no_index.is_some() {
            continue;
        }
        names.extend(match index.kind {
            Kind::Geo => &["IsGeo"][..],
            Kind::GeoShape { .. } => &["IsGeoShape"],
            Kind::Numeric => &["IsNumeric", "IsExact"],
            Kind::Tag { .. } => &["IsTag", "IsExact"],
            Kind::Text { .. } => &["IsText"],
            Kind::Vector(_) => &["IsVector"],
        });
    }
    for (flag, name) in [
        (&sortable, "IsSortable"),
        (&index.index_missing, "HasMissing"),
        (&index.index_empty, "HasEmpty"),
    ] {
        if flag.is_some() {
            names.push(name);
        }
    }
    names
}

/// Whether it is unique, alone or with others.
fn is_unique(item: &Struct, field: &Field) -> bool {
    let named = |group: &Group| group.fields.contains(&field.ident);
    !field.unique.is_empty() || item.container.unique.iter().any(named)
}

/// Holds the field's type to what can be flattened.
fn flat_check(field: &Field) -> TokenStream {
    let ty = &field.ty;
    quote_spanned! {ty.span()=>
        const _: fn() = || {
            fn flattened_field<T: __alizarin::Flatten>() {}
            flattened_field::<#ty>()
        };
    }
}

/// Holds the field's type to what its index can take; the error stands at the type.
fn kind_check(field: &Field, index: &Index) -> Option<TokenStream> {
    let (span, ty) = (field.ty.span(), literal::stored(field));
    let name = match index.kind {
        Kind::Geo => "GeoValue",
        Kind::GeoShape { .. } => "GeoShapeValue",
        Kind::Numeric => "NumericValue",
        Kind::Tag { .. } => "TagValue",
        Kind::Text { .. } => "TextValue",
        // The schema's constants name `VectorValue` already.
        Kind::Vector(_) => return None,
    };
    let name = format_ident!("{name}");
    Some(quote_spanned! {span=>
        const _: fn() = || {
            fn indexed_field<T: __alizarin::#name>() {}
            indexed_field::<#ty>()
        };
    })
}
