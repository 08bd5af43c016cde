//! Spellings of names, as serde's `rename_all` knows them.

use crate::attr::Item;
use crate::ctxt::Ctxt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// As in the source.
    Kept,
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const NAMES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    /// The case with this name.
    pub(crate) fn named(cx: &Ctxt, item: &Item, name: &str) -> Option<Case> {
        let case = NAMES.iter().find(|(known, _)| *known == name).map(|(_, case)| *case);
        if case.is_none() {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            cx.error(
                item,
                format!("there is no case {name:?}; there are {}", crate::symbol::list(&names)),
            );
        }
        case
    }

    /// A field's name, which is in snake case.
    pub(crate) fn field(self, name: &str) -> String {
        self.join(name, &name.split('_').map(str::to_owned).collect::<Vec<_>>())
    }

    /// A variant's or struct's name, which is in Pascal case.
    pub(crate) fn variant(self, name: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for c in name.chars() {
            match words.last_mut() {
                Some(word) if !c.is_uppercase() => word.push(c),
                _ => words.push(c.to_string()),
            }
        }
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        match self {
            Case::Lower => name.to_lowercase(),
            Case::Upper => name.to_uppercase(),
            _ => self.join(name, &words),
        }
    }

    fn join(self, name: &str, words: &[String]) -> String {
        let capital = |word: &String| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_uppercase().chain(chars).collect())
                .unwrap_or_default()
        };
        let pascal = || words.iter().map(capital).collect::<Vec<String>>().concat();
        match self {
            Case::Kept => name.to_owned(),
            // serde leaves a field's underscores in place for these two.
            Case::Lower | Case::Snake => words.join("_"),
            Case::Upper | Case::ScreamingSnake => words.join("_").to_uppercase(),
            Case::Pascal => pascal(),
            Case::Camel => {
                let pascal = pascal();
                let mut chars = pascal.chars();
                chars
                    .next()
                    .map(|first| first.to_lowercase().chain(chars).collect())
                    .unwrap_or_default()
            }
            Case::Kebab => words.join("-"),
            Case::ScreamingKebab => words.join("-").to_uppercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_as_serde_does() {
        assert_eq!(Case::Camel.field("first_name"), "firstName");
        assert_eq!(Case::Pascal.field("first_name"), "FirstName");
        assert_eq!(Case::Kebab.field("first_name"), "first-name");
        assert_eq!(Case::Kept.field("first_name"), "first_name");
        assert_eq!(Case::Snake.variant("BlackComedy"), "black_comedy");
        assert_eq!(Case::Lower.variant("BlackComedy"), "blackcomedy");
        assert_eq!(Case::Camel.variant("BlackComedy"), "blackComedy");
        assert_eq!(Case::ScreamingKebab.variant("BlackComedy"), "BLACK-COMEDY");
        assert_eq!(Case::Kept.variant("BlackComedy"), "BlackComedy");
    }
}
