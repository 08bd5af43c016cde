//! A struct with its attributes read: what is checked and expanded.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Data, DeriveInput, Fields, Ident, Visibility};

use crate::attr::{Container, Field};
use crate::ctxt::Ctxt;

/// A model or nested struct.
pub(crate) struct Struct {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) container: Container,
    pub(crate) fields: Vec<Field>,
}

impl Struct {
    /// Reads a struct of named fields.
    pub(crate) fn read(cx: &Ctxt, input: &DeriveInput, container: Container) -> Struct {
        let fields = named_fields(cx, input);
        let fields = fields.iter().filter_map(|field| Field::read(cx, field, container.rename_all));
        let fields = fields.collect();
        if !input.generics.params.is_empty() {
            cx.error(
                &input.generics,
                "a stored struct cannot be generic: its schema is a constant",
            );
        }
        let mut read =
            Struct { ident: input.ident.clone(), vis: input.vis.clone(), container, fields };
        crate::layout::apply(cx, &mut read);
        read
    }

    /// The fields that are stored, in order: the indices of the schema's constants.
    pub(crate) fn stored(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.skip)
    }
}

impl ToTokens for Struct {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.ident.to_tokens(tokens);
    }
}

/// The named fields of a struct; anything else is an error that says what to do.
pub(crate) fn named_fields(cx: &Ctxt, input: &DeriveInput) -> Vec<syn::Field> {
    let message = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return fields.named.iter().cloned().collect(),
            _ => "it needs named fields; a struct with one unnamed field derives `RedisValue`",
        },
        Data::Enum(_) => "it needs a struct with named fields; an enum derives `RedisValue`",
        Data::Union(_) => "it needs a struct with named fields, not a union",
    };
    cx.error(&input.ident, message);
    Vec::new()
}
