//! Keys: the texts of a template with the parts of an id between them.

use super::ModelId;

/// Appends the key that a template and an id make. `template` has one text more than the id has
/// parts.
///
/// A part that a text follows could hold that text, and two ids make one key: in such a part `%`
/// and the text's first letter are written as their bytes, `%3A` for `:`.
pub(crate) fn write_key<I: ModelId>(template: &[&str], id: &I, out: &mut String) {
    let (first, after) = template.split_first().unwrap_or((&"", &[]));
    out.push_str(first);
    for (at, text) in after.iter().enumerate() {
        match text.chars().next() {
            None => id.write_part(at, out),
            Some(mark) => {
                let mut part = String::new();
                id.write_part(at, &mut part);
                escape(&part, mark, out);
            }
        }
        out.push_str(text);
    }
}

/// The id in a key, if the template and an id make it.
///
/// `note:007` is no key of the model whose id 7 makes `note:7`: an id parses from more texts than
/// it writes, and only the one that it writes leads back to the document.
pub(crate) fn parse_key<I: ModelId>(template: &[&str], key: &str) -> Option<I> {
    let (first, after) = template.split_first()?;
    let mut rest = key.strip_prefix(first)?;
    if let ([""], 1) = (after, I::PARTS) {
        return whole(rest);
    }
    let mut parts = Vec::with_capacity(after.len());
    for text in after {
        if text.is_empty() {
            parts.push(std::mem::take(&mut rest).to_owned());
        } else {
            let (part, left) = rest.split_once(text)?;
            parts.push(unescape(part)?);
            rest = left;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let id = I::parse_parts(&parts).ok()?;
    let mut written = String::with_capacity(key.len());
    write_key(template, &id, &mut written);
    (written == key).then_some(id)
}

/// The id that is all of a text.
fn whole<I: ModelId>(text: &str) -> Option<I> {
    let id = I::parse_id(text).ok()?;
    let mut written = String::with_capacity(text.len());
    id.write_id(&mut written);
    (written == text).then_some(id)
}

/// Which part of an id has no text: it would make no key of its own.
pub(crate) fn empty_part<I: ModelId>(id: &I) -> Option<usize> {
    let mut text = String::new();
    (0..I::PARTS).find(|at| {
        text.clear();
        id.write_part(*at, &mut text);
        text.is_empty()
    })
}

/// Appends `part` with `%` and `mark` written as their bytes.
pub(crate) fn escape(part: &str, mark: char, out: &mut String) {
    use std::fmt::Write as _;
    for letter in part.chars() {
        if letter == '%' || letter == mark {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(letter);
        }
    }
}

fn unescape(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut pieces = part.split('%');
    bytes.extend_from_slice(pieces.next()?.as_bytes());
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key<I: ModelId>(template: &[&str], id: &I) -> String {
        let mut key = String::new();
        write_key(template, id, &mut key);
        key
    }

    #[test]
    fn one_part_at_the_end_is_written_as_it_is() {
        let template = ["book:", ""];
        for id in ["{a}:b*[?]\\%3A", "a%b", ":"] {
            assert_eq!(key(&template, &id.to_owned()), format!("book:{id}"));
            assert_eq!(parse_key(&template, &format!("book:{id}")), Some(id.to_owned()));
        }
        assert_eq!(parse_key::<u32>(&template, "book:007"), None);
        assert_eq!(parse_key::<u32>(&template, "books:7"), None);
    }

    #[test]
    fn parts_never_run_into_each_other() {
        let template = ["tenant:", ":order:", ""];
        let ids = [("a:order:b", "c"), ("a", "b:order:c"), ("a%3Aorder%3Ab", "c")];
        let ids = ids.map(|(a, b)| (a.to_owned(), b.to_owned()));
        let keys = ids.each_ref().map(|id| key(&template, id));
        assert_eq!(keys[0], "tenant:a%3Aorder%3Ab:order:c");
        assert_eq!(keys[1], "tenant:a:order:b:order:c");
        for (id, key) in ids.iter().zip(&keys) {
            assert_eq!(parse_key(&template, key).as_ref(), Some(id));
        }
        assert_eq!(parse_key::<(String, u32)>(&template, "tenant:a:order:07"), None);
        assert_eq!(parse_key::<(String, u32)>(&template, "tenant:a%3a:order:7"), None);
        assert_eq!(empty_part(&(String::new(), 1)), Some(0));
        assert_eq!(empty_part(&(1, String::new())), Some(1));
    }

    #[test]
    fn a_part_in_braces_stays_in_them() {
        let template = ["cart:{", "}:", ""];
        assert_eq!(key(&template, &("a}b".to_owned(), 7)), "cart:{a%7Db}:7");
        assert_eq!(parse_key(&template, "cart:{a%7Db}:7"), Some(("a}b".to_owned(), 7)));
        assert_eq!(key(&["x:", "/v2"], &"a/b".to_owned()), "x:a%2Fb/v2");
    }

    proptest! {
        #[test]
        fn keys_lead_back(a: String, b in "[:%{}a-z]{0,6}", c: u32) {
            for template in [["", ":", ":", ""], ["x{", "}", "ü", "ä"], ["t:", "::", ":", ""]] {
                let id = (a.clone(), b.clone(), c);
                prop_assert_eq!(parse_key(&template, &key(&template, &id)), Some(id));
            }
        }
    }
}
