//! A field's entry in the index.

use syn::Ident;

use super::{Item, Value, known, parsed, string};
use crate::ctxt::Ctxt;
use crate::symbol;

/// An index entry.
pub(crate) struct Index {
    /// The word that asks for it.
    pub(crate) word: Ident,
    pub(crate) kind: Kind,
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
    Tag { separator: char, case_sensitive: bool, suffix_trie: bool },
    Text { weight: f64, no_stem: bool, phonetic: Option<String>, suffix_trie: bool },
    Vector { algorithm: Algorithm, metric: &'static str },
}

/// How vectors are searched; each option as RediSearch names it.
pub(crate) enum Algorithm {
    Flat {
        block_size: Option<u64>,
        initial_cap: Option<u64>,
    },
    Hnsw {
        m: Option<u64>,
        ef_construction: Option<u64>,
        ef_runtime: Option<u64>,
        epsilon: Option<f64>,
        initial_cap: Option<u64>,
    },
}

impl Index {
    pub(crate) fn read(cx: &Ctxt, items: &[Item]) -> Option<Index> {
        let mut kinds = items.iter().filter(|item| symbol::KINDS.iter().any(|name| item.is(name)));
        let item = kinds.next()?;
        for other in kinds {
            cx.error(
                other,
                format!("the field has a `{}` index already; a field has one", item.name),
            );
        }
        let word = |name: &str| {
            let item = items.iter().find(|item| item.is(name))?;
            item.flag(cx);
            Some(item.name.clone())
        };
        Some(Index {
            word: item.name.clone(),
            kind: Kind::read(cx, item),
            sortable: word("sortable"),
            unf: word("unf"),
            no_index: word("no_index"),
            index_missing: word("index_missing"),
            index_empty: word("index_empty"),
        })
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
                    separator: find("separator").map_or('\u{1f}', |item| separator(cx, item)),
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
                vector(cx, item, inside)
            }
            "geo" => {
                options(&[]);
                Kind::Geo
            }
            _ => {
                options(&[]);
                Kind::Numeric
            }
        }
    }
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

fn vector(cx: &Ctxt, item: &Item, inside: &[Item]) -> Kind {
    let find = |name: &str| inside.iter().find(|item| item.is(name));
    let number = |name: &str| {
        let number = find(name).and_then(|item| parsed::<u64>(cx, item, 16));
        // RediSearch refuses it when the index is created.
        if let (Some(0), Some(item)) = (number, find(name)) {
            cx.error(item, format!("`{name}` is one or more"));
        }
        number
    };
    let chosen = |names: &[&'static str]| {
        let given = inside.iter().filter(|item| names.iter().any(|name| item.is(name)));
        let mut given = given.inspect(|item| {
            item.flag(cx);
        });
        let first = given.next();
        if let Some(first) = first
            && let Some(other) = given.find(|item| item.name != first.name)
        {
            let message = format!("`{}` and `{}` exclude each other", first.name, other.name);
            cx.error(other, message);
        }
        first.and_then(|first| names.iter().copied().find(|name| first.is(name)))
    };
    let metric = chosen(&["cosine", "ip", "l2"]);
    let algorithm = chosen(&["hnsw", "flat"]);
    let flat = algorithm == Some("flat");
    if metric.is_none() || algorithm.is_none() {
        cx.error(
            &item.name,
            "a vector index needs an algorithm and a metric: `vector(hnsw, cosine)`; there are \
             `hnsw`, `flat` and `cosine`, `ip`, `l2`",
        );
    }
    let misplaced: &[&str] = match algorithm {
        Some("flat") => &["m", "ef_construction", "ef_runtime", "epsilon"],
        Some(_) => &["block_size"],
        None => &[],
    };
    for item in misplaced.iter().filter_map(|name| find(name)) {
        let other = if flat { "hnsw" } else { "flat" };
        cx.error(item, format!("`{}` is an option of `{other}`", item.name));
    }
    let algorithm = if flat {
        Algorithm::Flat { block_size: number("block_size"), initial_cap: number("initial_cap") }
    } else {
        Algorithm::Hnsw {
            m: number("m"),
            ef_construction: number("ef_construction"),
            ef_runtime: number("ef_runtime"),
            epsilon: find("epsilon").and_then(|item| parsed(cx, item, 0.01)),
            initial_cap: number("initial_cap"),
        }
    };
    let metric = match metric {
        Some("ip") => "InnerProduct",
        Some("l2") => "Euclidean",
        _ => "Cosine",
    };
    Kind::Vector { algorithm, metric }
}
