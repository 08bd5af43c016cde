//! What stands on a field.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Ident, Type, Visibility};

use super::{Index, Item, OnDelete, Unique, Value, agreed, duration, items, path, redis, string};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::symbol;

/// One field of a struct with its attributes.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) ty: Type,
    /// The stored name.
    pub(crate) name: String,
    pub(crate) id: Option<Ident>,
    /// Whether the document does not hold it: it is in the key.
    pub(crate) keyed: bool,
    pub(crate) version: Option<Ident>,
    pub(crate) created_at: Option<Ident>,
    pub(crate) updated_at: Option<Ident>,
    pub(crate) limit: Option<Limit>,
    pub(crate) validate: Option<Validate>,
    pub(crate) skip: bool,
    pub(crate) default: Option<Default>,
    pub(crate) nested: Option<Ident>,
    pub(crate) unique: Vec<Unique>,
    /// What becomes of the document when what the field refers to is deleted.
    pub(crate) on_delete: Option<OnDelete>,
    /// Whether `nested` is `flatten`.
    pub(crate) flat: bool,
    /// The word that gives it a name.
    pub(crate) renamed: Option<Ident>,
    /// The function that works the stored value out, and the word for it.
    pub(crate) computed: Option<(Ident, syn::Path)>,
    /// The type that says how the value is stored, and the word for it.
    pub(crate) with: Option<(Ident, syn::Path)>,
    /// Where new ids come from.
    pub(crate) generate: Option<(Ident, Generate)>,
    pub(crate) indexes: Vec<Index>,
    /// Index options that stand without an index, each with its word.
    pub(crate) stray: Vec<Ident>,
}

/// Where new ids come from.
pub(crate) enum Generate {
    /// What the type is made for.
    Type,
    /// A counter of the server.
    Counter,
    /// A function.
    Path(syn::Path),
}

/// A field that can expire alone.
pub(crate) struct Limit {
    pub(crate) word: Ident,
    /// Milliseconds from a write on; none where only calls say how long.
    pub(crate) after: Option<u64>,
}

/// A function that each value of the field is held to.
pub(crate) struct Validate {
    pub(crate) word: Ident,
    pub(crate) path: syn::Path,
}

/// Where a field's default comes from.
pub(crate) enum Default {
    /// `Default::default`
    Trait,
    /// A function.
    Path(syn::Path),
}

impl Field {
    /// Reads a field of a model or nested struct.
    pub(crate) fn read(cx: &Ctxt, field: &syn::Field, case: Case) -> Option<Field> {
        let ident = field.ident.clone()?;
        let redis = redis(cx, &field.attrs, symbol::FIELD, "on a field");
        let serde = items(cx, &field.attrs, "serde");
        let word = |name: &str| redis.iter().find(|item| item.is(name));
        let flagged = |name: &str| word(name).map(|item| (item.flag(cx), item.name.clone()).1);
        let flatten = flagged("flatten");
        let with = word("with").and_then(|item| {
            Some((item.name.clone(), path(cx, item, "a type that implements `FieldCodec`")?))
        });
        let computed = word("computed").and_then(|item| {
            Some((item.name.clone(), path(cx, item, "a function of the whole struct")?))
        });
        refuse_serde(cx, &serde, flatten.is_some(), with.is_some());
        let indexes = Index::read(cx, &redis);
        let stray = match indexes.is_empty() {
            false => Vec::new(),
            true => redis
                .iter()
                .filter(|item| symbol::MODIFIERS.iter().any(|name| item.is(name)))
                .map(|item| item.name.clone())
                .collect(),
        };
        Some(Field {
            vis: field.vis.clone(),
            ty: field.ty.clone(),
            name: stored_name(cx, &ident, case, &redis, &serde),
            id: flagged("id"),
            keyed: false,
            version: flagged("version"),
            created_at: flagged("created_at"),
            updated_at: flagged("updated_at"),
            limit: word("ttl").map(|item| Limit {
                word: item.name.clone(),
                after: match item.value {
                    Value::None => None,
                    _ => duration(cx, item),
                },
            }),
            validate: word("validate").and_then(|item| {
                let path = path(cx, item, "a function of the value")?;
                Some(Validate { word: item.name.clone(), path })
            }),
            skip: flagged("skip").is_some() || serde.iter().any(|item| item.is("skip")),
            default: default(cx, &redis, &serde),
            unique: Unique::read(cx, &redis),
            on_delete: word("on_delete").and_then(|item| OnDelete::read(cx, item)),
            generate: word("generate").and_then(|item| generate(cx, item)),
            flat: flatten.is_some(),
            renamed: word("rename").map(|item| item.name.clone()),
            nested: flagged("nested").or(flatten),
            computed,
            with,
            indexes,
            stray,
            ident,
        })
    }

    /// The code of its default, if it has one; `all` says that every field has.
    pub(crate) fn default(&self, all: bool) -> Option<TokenStream> {
        match &self.default {
            Some(Default::Path(path)) => Some(quote!(#path())),
            Some(Default::Trait) => Some(quote!(::core::default::Default::default())),
            None => (all || self.skip).then(|| quote!(::core::default::Default::default())),
        }
    }
}

/// The name a field is stored under; serde and redis must agree on it.
pub(crate) fn stored_name(
    cx: &Ctxt,
    ident: &Ident,
    case: Case,
    redis: &[Item],
    serde: &[Item],
) -> String {
    let mut name: Option<String> = None;
    for item in redis.iter().chain(serde).filter(|item| item.is("rename")) {
        let Some(new) = agreed(cx, item) else { continue };
        if name.as_ref().is_some_and(|name| *name != new) {
            cx.error(item, "serde and redis name this field differently; make both the same");
        }
        name = Some(new);
    }
    let plain = ident.to_string();
    name.unwrap_or_else(|| case.field(plain.strip_prefix("r#").unwrap_or(&plain)))
}

fn generate(cx: &Ctxt, item: &Item) -> Option<(Ident, Generate)> {
    let source = match &item.value {
        Value::None => Generate::Type,
        Value::List(inside) if matches!(inside.as_slice(), [one] if one.is("counter")) => {
            Generate::Counter
        }
        Value::List(_) => {
            cx.error(item, "`generate` stands alone, or is `generate(counter)`, or names a function: `generate = \"path::to\"`");
            return None;
        }
        Value::Is(_) => Generate::Path(path(cx, item, "a function")?),
    };
    Some((item.name.clone(), source))
}

fn default(cx: &Ctxt, redis: &[Item], serde: &[Item]) -> Option<Default> {
    let item = redis.iter().chain(serde).find(|item| item.is("default"))?;
    if let Value::None = item.value {
        return Some(Default::Trait);
    }
    if let Value::Is(Expr::Path(path)) = &item.value {
        return Some(Default::Path(path.path.clone()));
    }
    match syn::parse_str(&string(cx, item)?) {
        Ok(path) => Some(Default::Path(path)),
        Err(_) => {
            cx.error(item, "`default` names a function: `default = \"path::to::function\"`");
            None
        }
    }
}

/// serde attributes whose effect on the stored form would be lost.
fn refuse_serde(cx: &Ctxt, serde: &[Item], flat: bool, with: bool) {
    for item in serde {
        let remedy = match item.name.to_string().as_str() {
            "flatten" if !flat => "say `#[redis(flatten)]` too, so that both forms are alike",
            "with" | "serialize_with" | "deserialize_with" if !with => {
                "say how the field is stored by `#[redis(with = \"..\")]` too"
            }
            "skip_serializing" | "skip_deserializing" => "use `skip`, which does both",
            _ => continue,
        };
        cx.error(item, format!("serde's `{}` has no stored form here: {remedy}", item.name));
    }
}
