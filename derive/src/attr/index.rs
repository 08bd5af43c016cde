//! A field's entry in the index.

use syn::Ident;

use super::{Item, Value, Vector, known, parsed, string};
use crate::ctxt::Ctxt;
use crate::symbol;

/// An index entry.
pub(crate) struct Index {
    /// The word that asks for it.
    pub(crate) word: Ident,
    pub(crate) kind: Kind,
    /// Its name in the index, where it is not the field's.
    pub(crate) alias: Option<String>,
    pub(crate) sortable: Option<Ident>,
    pub(crate) unf: Option<Ident>,
    pub(crate) no_index: Option<Ident>,
    pub(crate) index_missing: Option<Ident>,
    pub(crate) index_empty: Option<Ident>,
}

/// What is indexed, and how.
pub(crate) enum Kind {
    Geo,
    GeoShape { flat: bool },
    Numeric,
    Tag { separator: Option<char>, case_sensitive: bool, suffix_trie: bool },
    Text { weight: f64, no_stem: bool, phonetic: Option<String>, suffix_trie: bool },
    Vector(Vector),
}

impl Index {
    /// The entries that a field asks for. The first one says how its value is stored, and takes the
    /// options that stand beside it; only `text` can be another.
    pub(crate) fn read(cx: &Ctxt, items: &[Item]) -> Vec<Index> {
        let kinds = items.iter().filter(|item| symbol::KINDS.iter().any(|name| item.is(name)));
        let (texts, others): (Vec<_>, Vec<_>) = kinds.partition(|item| item.is("text"));
        let mut kinds = others.into_iter().chain(texts.into_iter().take(1));
        let Some(item) = kinds.next() else { return Vec::new() };
        let mut indexes = vec![Index::first(cx, item, items)];
        // One word twice is told of already.
        for other in kinds.filter(|other| other.name != item.name) {
            if item.is("tag") && other.is("text") {
                indexes.push(Index::text(cx, other));
            } else {
                cx.error(
                    other,
                    format!(
                        "the field has a `{}` index already; only `tag` and `text` go together",
                        item.name
                    ),
                );
            }
        }
        indexes
    }

    /// An entry beside another one.
    fn text(cx: &Ctxt, item: &Item) -> Index {
        let alias = alias(cx, item);
        Index { alias, ..Index::plain(item.name.clone(), Kind::read(cx, item)) }
    }

    /// An entry without options.
    pub(crate) fn plain(word: Ident, kind: Kind) -> Index {
        Index {
            word,
            kind,
            alias: None,
            sortable: None,
            unf: None,
            no_index: None,
            index_missing: None,
            index_empty: None,
        }
    }

    fn first(cx: &Ctxt, item: &Item, items: &[Item]) -> Index {
        let word = |name: &str| {
            let item = items.iter().find(|item| item.is(name))?;
            item.flag(cx);
            Some(item.name.clone())
        };
        Index {
            sortable: word("sortable"),
            unf: word("unf"),
            no_index: word("no_index"),
            index_missing: word("index_missing"),
            index_empty: word("index_empty"),
            ..Index::text(cx, item)
        }
    }
}

impl Kind {
    fn read(cx: &Ctxt, item: &Item) -> Kind {
        const NONE: &[Item] = &[];
        let inside = match &item.value {
            Value::List(inside) => inside.as_slice(),
            Value::None => NONE,
            Value::Is(_) => {
                cx.error(item, format!("`{0}` takes options in parentheses: `{0}(..)`", item.name));
                NONE
            }
        };
        let options = |legal| known(cx, inside, legal, &format!("in `{}(..)`", item.name));
        let find = |name: &str| inside.iter().find(|item| item.is(name));
        let flag = |name: &str| find(name).is_some_and(|item| item.flag(cx));
        match item.name.to_string().as_str() {
            "text" => {
                options(symbol::TEXT);
                Kind::Text {
                    weight: find("weight").and_then(|item| parsed(cx, item, "2.0")).unwrap_or(1.0),
                    no_stem: flag("no_stem"),
                    phonetic: find("phonetic").and_then(|item| phonetic(cx, item)),
                    suffix_trie: flag("suffix_trie"),
                }
            }
            "tag" => {
                options(symbol::TAG);
                Kind::Tag {
                    separator: find("separator").map(|item| separator(cx, item)),
                    case_sensitive: flag("case_sensitive"),
                    suffix_trie: flag("suffix_trie"),
                }
            }
            "geoshape" => {
                options(symbol::GEOSHAPE);
                Kind::GeoShape { flat: flag("flat") }
            }
            "vector" => {
                options(symbol::VECTOR);
                Kind::Vector(Vector::read(cx, item, inside))
            }
            "geo" => {
                options(symbol::PLAIN_INDEX);
                Kind::Geo
            }
            _ => {
                options(symbol::PLAIN_INDEX);
                Kind::Numeric
            }
        }
    }
}

/// The name of `text(alias = "..")`; it is held to the rules of stored names.
fn alias(cx: &Ctxt, item: &Item) -> Option<String> {
    let Value::List(inside) = &item.value else { return None };
    let item = inside.iter().find(|item| item.is("alias"))?;
    let name = string(cx, item)?;
    if name.is_empty() || name.starts_with("__") {
        cx.error(item, "an alias is a name in the index: not empty, and not beginning with `__`");
    }
    Some(name)
}

/// RediSearch splits tags at one ASCII character.
fn separator(cx: &Ctxt, item: &Item) -> char {
    let text = string(cx, item).unwrap_or_default();
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) if one.is_ascii() && one != '\0' => one,
        _ => {
            cx.error(item, "a separator is one ASCII character: `separator = \"|\"`");
            '|'
        }
    }
}

/// RediSearch knows one algorithm and four languages.
fn phonetic(cx: &Ctxt, item: &Item) -> Option<String> {
    let matcher = string(cx, item)?;
    if !symbol::PHONETIC.contains(&matcher.as_str()) {
        let legal = symbol::list(symbol::PHONETIC);
        cx.error(item, format!("there is no phonetic matcher {matcher:?}; there are {legal}"));
    }
    Some(matcher)
}
