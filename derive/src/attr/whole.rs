//! What is said on the struct of its index as a whole.

use syn::Ident;

use super::{Item, duration, parsed, string};
use crate::ctxt::Ctxt;
use crate::symbol;

/// The index's own options.
#[derive(Default)]
pub(crate) struct Whole {
    /// The words given, wherever they are right or wrong.
    pub(crate) words: Vec<Ident>,
    pub(crate) stop_words: Option<Vec<String>>,
    pub(crate) language: Option<String>,
    /// The word, and the field that it names.
    pub(crate) language_field: Option<(Ident, String)>,
    pub(crate) score: Option<f64>,
    /// The word, and the field that it names.
    pub(crate) score_field: Option<(Ident, String)>,
    pub(crate) filter: Option<String>,
    pub(crate) prefixes: Vec<String>,
    /// Milliseconds.
    pub(crate) temporary: Option<u64>,
    /// Variants of `IndexOption`.
    pub(crate) options: Vec<&'static str>,
}

impl Whole {
    pub(crate) fn read(cx: &Ctxt, items: &[Item]) -> Whole {
        let mut whole = Whole::default();
        for item in items {
            let field = || Some((item.name.clone(), string(cx, item)?));
            match item.name.to_string().as_str() {
                "no_stop_words" if item.flag(cx) => whole.stop_words = Some(Vec::new()),
                "stop_words" => whole.stop_words = Some(words(cx, item)),
                "language" => whole.language = language(cx, item),
                "language_field" => whole.language_field = field(),
                "score" => whole.score = score(cx, item),
                "score_field" => whole.score_field = field(),
                "filter" => whole.filter = filled(cx, item, "@year > 1900"),
                "prefixes" => whole.prefixes = prefixes(cx, item),
                "temporary" => whole.temporary = temporary(cx, item),
                "no_offsets" if item.flag(cx) => whole.options.push("NoOffsets"),
                "no_highlight" if item.flag(cx) => whole.options.push("NoHighlight"),
                "no_frequencies" if item.flag(cx) => whole.options.push("NoFrequencies"),
                "max_text_fields" if item.flag(cx) => whole.options.push("MaxTextFields"),
                "skip_initial_scan" if item.flag(cx) => whole.options.push("SkipInitialScan"),
                _ => continue,
            }
            whole.words.push(item.name.clone());
        }
        whole
    }
}

fn words(cx: &Ctxt, item: &Item) -> Vec<String> {
    let words = string(cx, item).unwrap_or_default();
    words.split_whitespace().map(str::to_owned).collect()
}

/// A string that says something.
fn filled(cx: &Ctxt, item: &Item, example: &str) -> Option<String> {
    let text = string(cx, item)?;
    if text.trim().is_empty() {
        let name = &item.name;
        cx.error(item, format!("`{name}` is empty: `{name} = \"{example}\"`"));
    }
    Some(text)
}

fn prefixes(cx: &Ctxt, item: &Item) -> Vec<String> {
    if filled(cx, item, "film_archive film_2020").is_none() {
        return Vec::new();
    }
    words(cx, item)
}

/// What the server takes: from 0 to 1.
fn score(cx: &Ctxt, item: &Item) -> Option<f64> {
    let score: f64 = parsed(cx, item, 0.5)?;
    if !(0.0..=1.0).contains(&score) {
        cx.error(item, "a score lies between 0 and 1");
    }
    Some(score)
}

/// The server counts seconds.
fn temporary(cx: &Ctxt, item: &Item) -> Option<u64> {
    let time = duration(cx, item)?;
    if time % 1_000 != 0 {
        cx.error(item, "the life of an index is counted in whole seconds: `temporary = \"10m\"`");
    }
    Some(time)
}

/// A language that RediSearch can stem; another one fails when the index is created.
fn language(cx: &Ctxt, item: &Item) -> Option<String> {
    let name = string(cx, item)?;
    if !symbol::LANGUAGES.contains(&name.as_str()) {
        let legal = symbol::list(symbol::LANGUAGES);
        cx.error(item, format!("RediSearch has no language {name:?}; there are {legal}"));
    }
    Some(name)
}
