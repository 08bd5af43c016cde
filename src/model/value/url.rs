//! `url::Url`, stored as text.

use ::url::Url;

use super::{
    super::{FieldSchema, stored::read_json_string},
    ListItem, RedisValue, TagValue, TextValue,
    as_text::{shown, stored_as_text},
    text::{write_json_text, write_text},
    utf8,
};
use crate::{Error, Result};

stored_as_text!(Url, "a URL", shown, str::parse::<Url>);
impl TextValue for Url {}

#[cfg(test)]
mod tests {
    use super::super::check::{PLAIN, TAG, hash, no, round_trip};
    use super::*;

    #[test]
    fn urls() {
        let url: Url = "https://example.org/a%20b?c=d|e#f".parse().unwrap();
        assert_eq!(hash(&url, &TAG), b"https://example.org/a%20b?c=d|e#f");
        round_trip(&url, &TAG);
        no::<Url>("/a", &PLAIN);
    }
}
