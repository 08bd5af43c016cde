//! `key = "tenant:{tenant}:order:{id}"`

use syn::Ident;

use super::{Item, string};
use crate::ctxt::Ctxt;

/// A template of keys.
pub(crate) struct Key {
    /// The word, for messages.
    pub(crate) word: Ident,
    /// One text before each field, one after the last.
    pub(crate) texts: Vec<String>,
    /// The fields between them.
    pub(crate) fields: Vec<String>,
}

impl Key {
    /// Reads a template as a format string: a field's name in braces, doubled braces for one.
    pub(crate) fn read(cx: &Ctxt, item: &Item) -> Option<Key> {
        let template = string(cx, item)?;
        let mut key = Key { word: item.name.clone(), texts: Vec::new(), fields: Vec::new() };
        let mut text = String::new();
        let mut letters = template.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => {
                    letters.next();
                    text.push(letter);
                }
                '{' => {
                    let mut name = String::new();
                    let mut closed = false;
                    for letter in letters.by_ref() {
                        closed = letter == '}';
                        if closed {
                            break;
                        }
                        name.push(letter);
                    }
                    if !closed {
                        return Key::wrong(cx, item);
                    }
                    key.texts.push(std::mem::take(&mut text));
                    key.fields.push(name);
                }
                '}' => return Key::wrong(cx, item),
                _ => text.push(letter),
            }
        }
        key.texts.push(text);
        Some(key)
    }

    fn wrong(cx: &Ctxt, item: &Item) -> Option<Key> {
        cx.error(
            item,
            "a key names fields in braces, `key = \"order:{id}\"`; a brace itself is written \
             twice: `key = \"order:{{{customer}}}:{id}\"`",
        );
        None
    }
}
