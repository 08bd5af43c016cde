//! The layouts of other object mappers: what they take for granted, in words of our own.

use proc_macro2::Ident;
use syn::Type;

use crate::ast::Struct;
use crate::attr::{Index, Item, Kind, string};
use crate::case::Case;
use crate::ctxt::Ctxt;
use crate::symbol;

/// Whose keys, documents and index a model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Alizarin,
    Dotnet,
    Node,
    Python,
    Spring,
    Redisvl,
}

impl Layout {
    /// Reads `layout = ".."`.
    pub(crate) fn read(cx: &Ctxt, item: &Item) -> Layout {
        let Some(name) = string(cx, item) else { return Layout::Alizarin };
        match name.as_str() {
            "redis-om-dotnet" => Layout::Dotnet,
            "redis-om-node" => Layout::Node,
            "redis-om-python" => Layout::Python,
            "redis-om-spring" => Layout::Spring,
            "redisvl" => Layout::Redisvl,
            _ => {
                let legal = symbol::list(symbol::LAYOUTS);
                cx.error(item, format!("there is no layout {name:?}; there are {legal}"));
                Layout::Alizarin
            }
        }
    }

    /// Its word.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Layout::Alizarin => "alizarin",
            Layout::Dotnet => "redis-om-dotnet",
            Layout::Node => "redis-om-node",
            Layout::Python => "redis-om-python",
            Layout::Spring => "redis-om-spring",
            Layout::Redisvl => "redisvl",
        }
    }

    /// Its variant.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Layout::Alizarin => "Alizarin",
            Layout::Dotnet => "RedisOmDotnet",
            Layout::Node => "RedisOmNode",
            Layout::Python => "RedisOmPython",
            Layout::Spring => "RedisOmSpring",
            Layout::Redisvl => "Redisvl",
        }
    }

    /// How its language spells fields.
    pub(crate) fn case(self) -> Case {
        match self {
            Layout::Dotnet => Case::Pascal,
            Layout::Node | Layout::Spring => Case::Camel,
            Layout::Alizarin | Layout::Python | Layout::Redisvl => Case::Kept,
        }
    }

    /// The index's name, where it is not given.
    pub(crate) fn index(self, prefix: &str, ident: &Ident) -> String {
        match self {
            Layout::Alizarin => format!("{prefix}_idx"),
            Layout::Dotnet => format!("{}-idx", ident.to_string().to_lowercase()),
            Layout::Node | Layout::Python => format!("{prefix}:index"),
            Layout::Spring => format!("{prefix}Idx"),
            // There is none that could be taken for granted.
            Layout::Redisvl => prefix.to_owned(),
        }
    }

    /// What follows a field's name in that of its full-text entry, where it has another one too.
    pub(crate) fn text_suffix(self) -> &'static str {
        match self {
            Layout::Python => "_fts",
            _ => "_text",
        }
    }

    /// The name that ids have in all documents.
    pub(crate) fn id_name(self) -> Option<&'static str> {
        match self {
            Layout::Python => Some("pk"),
            _ => None,
        }
    }

    /// How it indexes ids without being told.
    fn id_index(self, ty: &Type) -> Option<Kind> {
        let tag = || Kind::Tag { separator: None, case_sensitive: false, suffix_trie: false };
        match self {
            Layout::Python => Some(tag()),
            Layout::Spring if is_integer(ty) => Some(Kind::Numeric),
            Layout::Spring => Some(tag()),
            _ => None,
        }
    }
}

/// Gives a struct's fields what the layout takes for granted.
pub(crate) fn apply(cx: &Ctxt, item: &mut Struct) {
    let layout = item.container.layout;
    if layout == Layout::Alizarin {
        return;
    }
    let has_index = item.container.index.is_some();
    for field in &mut item.fields {
        field.keyed = layout == Layout::Node && field.id.is_some();
        if let Some(word) = &field.id {
            if let Some(name) = layout.id_name() {
                if field.renamed.is_none() {
                    name.clone_into(&mut field.name);
                } else if field.name != name {
                    let message = format!("{} stores the id as `{name}`", layout.name());
                    cx.error(&field.renamed, message);
                }
            }
            if let (true, Some(kind)) =
                (has_index && field.indexes.is_empty(), layout.id_index(&field.ty))
            {
                let numeric = matches!(kind, Kind::Numeric);
                let sortable = numeric.then(|| word.clone());
                field.indexes.push(Index { sortable, ..Index::plain(word.clone(), kind) });
            }
        }
        // It sorts by a text's words where it has them.
        if let (Layout::Python, [tag, text]) = (layout, field.indexes.as_mut_slice()) {
            text.sortable = tag.sortable.take();
        }
    }
}

/// Whether a type is written as one of the integers.
fn is_integer(ty: &Type) -> bool {
    let names = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];
    matches!(ty, Type::Path(path) if names.iter().any(|name| path.path.is_ident(name)))
}
