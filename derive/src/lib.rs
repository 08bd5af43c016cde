//! The derive macros of Alizarin.
//!
//! They are documented, with examples, where they are used from: in the crate `alizarin`.
//!
//! The pipeline is the same for each: `attr` reads words, `ast` puts them with the struct, `check`
//! applies the rules, `expand` writes code. All mistakes of a struct are reported together.

mod ast;
mod attr;
mod case;
mod check;
mod ctxt;
mod expand;
mod layout;
mod symbol;
mod unique;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Maps a struct to one Redis hash or JSON document. It implements `RedisModel`, and gives the
/// struct's fields methods for filters, in a struct named `{Name}Fields`.
#[proc_macro_derive(RedisModel, attributes(redis, serde))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    expand::model(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct that can be a `#[redis(nested)]` field of a model: its fields are stored under
/// dotted names in a hash, as an object in JSON. Its fields take the attributes of a model's.
#[proc_macro_derive(RedisNested, attributes(redis, serde))]
pub fn derive_nested(input: TokenStream) -> TokenStream {
    expand::nested(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes an enum without data, or a struct with one unnamed field, a stored value.
///
/// A variant is stored as its name, changed by `#[redis(rename = "..")]` on it or
/// `#[redis(rename_all = "..")]` on the enum, or by serde's words for these; a newtype as the value
/// inside it.
#[proc_macro_derive(RedisValue, attributes(redis, serde))]
pub fn derive_value(input: TokenStream) -> TokenStream {
    expand::value(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct that holds one row of an aggregation: its fields are the columns, by their
/// names, or by `#[redis(rename = "..")]` on them or `#[redis(rename_all = "..")]` on the struct.
/// A field for a column that may lack a value is an `Option`.
#[proc_macro_derive(RedisRow, attributes(redis, serde))]
pub fn derive_row(input: TokenStream) -> TokenStream {
    expand::row(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct that holds some of a model's fields, which alone are read: `#[redis(of = Model)]`
/// on the struct. A field has the name and the type of the model's field, or `at = address.city`; one
/// with `nested` is a whole nested struct.
#[proc_macro_derive(RedisProjection, attributes(redis))]
pub fn derive_projection(input: TokenStream) -> TokenStream {
    expand::projection(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct one sample of a time series: fields marked `#[redis(label)]` tell series apart,
/// one is the `#[redis(timestamp)]`, one the `#[redis(value)]`. The labels alone become a struct
/// named `{Name}Labels`.
///
/// On the struct:
///
/// - `prefix = ".."`: what keys begin with; the struct's name in snake case by default.
/// - `retention = "365d"`: how long samples are kept (`ms`, `s`, `m`, `h`, `d`); for ever by
///   default.
/// - `duplicate = "last"` (or `block`, `first`, `min`, `max`, `sum`): what a second sample at one
///   time does; the server's own policy by default, which is `block`.
/// - `chunk_size = 4096`: the bytes of a chunk of samples, which is the server's own default.
/// - `rename_all = "camelCase"`: the labels' names.
#[proc_macro_derive(RedisTimeSeries, attributes(redis, serde))]
pub fn derive_time_series(input: TokenStream) -> TokenStream {
    expand::series(&parse_macro_input!(input as DeriveInput)).into()
}

/// Gives the attributes of a vector set's elements typed handles for filters: one a field, under
/// its serde name. It takes no `redis` attributes of its own; a field with serde's `skip` has no
/// handle.
#[proc_macro_derive(RedisAttributes, attributes(redis, serde))]
pub fn derive_attributes(input: TokenStream) -> TokenStream {
    expand::attributes(&parse_macro_input!(input as DeriveInput)).into()
}

/// Makes a struct of `Patch` fields a change of single fields of a model, `#[redis(of = Model)]`.
/// Its fields are named as the model's, or name them by `#[redis(at = field.inside)]`.
#[proc_macro_derive(RedisPatch, attributes(redis))]
pub fn derive_patch(input: TokenStream) -> TokenStream {
    expand::patch(&parse_macro_input!(input as DeriveInput)).into()
}
