//! Text to words as RediSearch's tokenizer does it.
//!
//! A TEXT parameter is one term: the server neither splits it nor drops stop words from it, so
//! both happen here. Checked byte by byte against the server (`tests/it/query_text.rs`).

/// The words that RediSearch leaves out of an index unless told otherwise.
pub(crate) const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it",
    "no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these",
    "they", "this", "to", "was", "will", "with",
];

/// Whether a byte ends a word.
fn separates(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t') || (byte.is_ascii_punctuation() && !matches!(byte, b'_' | b'\\'))
}

/// The words of a text, stop words included. Control characters vanish; a backslash makes the
/// separator after it part of the word; text ends at a NUL.
pub(crate) fn words(text: &str) -> Vec<String> {
    let text = text.split('\0').next().unwrap_or_default();
    let mut words = Vec::new();
    let mut word = String::new();
    let mut escaped = false;
    for letter in text.chars() {
        let byte = u8::try_from(letter).ok().filter(u8::is_ascii).unwrap_or(b'x');
        if separates(byte) && !escaped {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else if letter == '\\' && !escaped {
            escaped = true;
        } else if letter.is_ascii_control() {
            escaped = false;
        } else {
            word.push(letter);
            escaped = false;
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a word is left out of an index with these stop words.
pub(crate) fn is_stop_word(word: &str, stop_words: Option<&[&str]>) -> bool {
    stop_words.unwrap_or(STOP_WORDS).iter().any(|stop| stop.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_the_server_does() {
        assert_eq!(words("Star-Wars: a_new  hope!"), ["Star", "Wars", "a_new", "hope"]);
        assert_eq!(words("foo\\-bar b\\az"), ["foo-bar", "baz"]);
        assert_eq!(words("foo\n bar\nbaz"), ["foo", "barbaz"]);
        assert_eq!(words("foo\0bar"), ["foo"]);
        assert_eq!(words("… -- ~"), ["…"]);
        assert_eq!(words("a\\\\b"), ["a\\b"]);
        assert_eq!(words("a\\\\+b"), ["a\\", "b"]);
    }

    #[test]
    fn stop_words_are_the_servers() {
        assert_eq!(STOP_WORDS.len(), 33);
        assert!(is_stop_word("The", None));
        assert!(!is_stop_word("The", Some(&[])));
        assert!(is_stop_word("foo", Some(&["Foo"])));
    }
}
