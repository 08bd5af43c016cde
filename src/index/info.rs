//! `FT.INFO`, in the shapes of both protocols.

use alizarin_core::resp::Reader;

use super::entry::{Facts, yes};
use crate::{FromReply, Result, Value};

/// What the server knows of an index (`FT.INFO`); from [`Index::info`](super::Index::info).
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let info = films.index().info().await?;
/// assert_eq!(info.key_type, "HASH");
/// assert_eq!(info.prefixes, [format!("{}film:", films.namespace())]);
/// assert!(!info.indexing);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct IndexInfo {
    /// The index's name.
    pub name: String,
    /// `HASH` or `JSON`.
    pub key_type: String,
    /// What the keys of its documents begin with.
    pub prefixes: Vec<String>,
    /// The language for stemming, where one was set.
    pub language: Option<String>,
    /// The field in which documents say their own language.
    pub language_field: Option<String>,
    /// The score of documents that do not say their own; 1 by default.
    pub score: f64,
    /// The field in which documents say their own score.
    pub score_field: Option<String>,
    /// The field whose value results can carry, of which the server has ceased to make use.
    pub payload_field: Option<String>,
    /// The expression that holds for documents that are indexed.
    pub filter: Option<String>,
    /// The options without a value, such as `NOOFFSETS`, in the server's words.
    pub options: Vec<String>,
    /// The stop words, where they were set.
    pub stop_words: Option<Vec<String>>,
    /// The indexed fields.
    pub attributes: Vec<AttributeInfo>,
    /// How many documents it holds.
    pub num_docs: u64,
    /// Whether it is still reading documents that were there before it.
    pub indexing: bool,
    /// How far that is: from 0 to 1.
    pub percent_indexed: f64,
    /// How many documents it could not read; they are not found.
    pub hash_indexing_failures: u64,
    /// Why the server gave up reading documents, where it did: since Redis 8, for want of memory.
    pub background_error: Option<String>,
    /// Why the last of these could not be read.
    pub last_error: Option<String>,
    /// The key of the last of these.
    pub last_error_key: Option<String>,
}

/// What the server knows of an indexed field: one of [`IndexInfo::attributes`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let info = films.index().info().await?;
/// let year = info.attributes.iter().find(|field| field.name == "year").expect("year");
/// assert_eq!(year.kind, "NUMERIC");
/// assert!(year.flags.iter().any(|flag| flag == "SORTABLE"));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct AttributeInfo {
    /// The hash field or JSON path.
    pub identifier: String,
    /// The name in queries.
    pub name: String,
    /// `TEXT`, `TAG`, `NUMERIC`, `GEO`, `GEOSHAPE` or `VECTOR`.
    pub kind: String,
    /// Its options with their values, such as `WEIGHT`, in the server's words.
    pub options: Vec<(String, String)>,
    /// Its options without a value, such as `SORTABLE`, in the server's words.
    pub flags: Vec<String>,
}

impl FromReply for IndexInfo {
    fn from_reply(reader: &mut Reader<'_>) -> Result<IndexInfo> {
        let reply = Value::from_reply(reader)?;
        let mut info = IndexInfo { percent_indexed: 1.0, score: 1.0, ..IndexInfo::default() };
        for (name, value) in pairs(&reply) {
            match name {
                "index_name" => info.name = text(value),
                "index_options" => info.options = texts(value),
                "index_definition" => info.definition(value),
                "attributes" => {
                    info.attributes = items(value).iter().map(attribute).collect();
                }
                "stopwords_list" => info.stop_words = Some(texts(value)),
                "num_docs" => info.num_docs = whole(value),
                "indexing" => info.indexing = whole(value) != 0,
                "percent_indexed" => info.percent_indexed = number(value),
                "hash_indexing_failures" => {
                    info.hash_indexing_failures = info.hash_indexing_failures.max(whole(value));
                }
                "Index Errors" => info.errors(value),
                _ => {}
            }
        }
        Ok(info)
    }
}

impl IndexInfo {
    fn definition(&mut self, value: &Value) {
        for (name, value) in pairs(value) {
            match name {
                "key_type" => self.key_type = text(value),
                "prefixes" => self.prefixes = texts(value),
                "default_language" => self.language = Some(text(value)),
                "language_field" => self.language_field = Some(text(value)),
                "default_score" => self.score = number(value),
                "score_field" => self.score_field = Some(text(value)),
                "payload_field" => self.payload_field = Some(text(value)),
                "filter" => self.filter = Some(text(value)),
                _ => {}
            }
        }
    }

    /// JSON documents count here only.
    fn errors(&mut self, value: &Value) {
        let known = |value: &Value| Some(text(value)).filter(|text| text != "N/A");
        for (name, value) in pairs(value) {
            match name {
                "indexing failures" => {
                    self.hash_indexing_failures = self.hash_indexing_failures.max(whole(value));
                }
                "background indexing status" => {
                    self.background_error = Some(text(value)).filter(|status| status != "OK");
                }
                "last indexing error" => self.last_error = known(value),
                "last indexing error key" => self.last_error_key = known(value),
                _ => {}
            }
        }
    }
}

/// Words that stand alone in RESP2's list of an attribute.
const FLAGS: &[&str] = &[
    "CASESENSITIVE",
    "INDEXEMPTY",
    "INDEXMISSING",
    "NOINDEX",
    "NOSTEM",
    "SORTABLE",
    "UNF",
    "WITHSUFFIXTRIE",
];

fn attribute(value: &Value) -> AttributeInfo {
    let mut info = AttributeInfo::default();
    match value {
        Value::Map(pairs) => {
            for (name, value) in pairs {
                match name.as_str() {
                    Some("flags") => info.flags = texts(value),
                    Some(name) => info.set(name, value),
                    None => {}
                }
            }
        }
        value => {
            let mut words = items(value).iter();
            while let Some(word) = words.next() {
                let word = text(word);
                if FLAGS.contains(&word.as_str()) {
                    info.flags.push(word);
                } else if let Some(value) = words.next() {
                    info.set(&word, value);
                }
            }
        }
    }
    info
}

impl AttributeInfo {
    fn set(&mut self, name: &str, value: &Value) {
        match name {
            "identifier" => self.identifier = text(value),
            "attribute" => self.name = text(value),
            "type" => self.kind = text(value),
            _ => self.options.push((name.to_owned(), text(value))),
        }
    }

    /// The facts under the names that the model's own have.
    pub(crate) fn facts(&self) -> Facts {
        let mut facts = Facts::new();
        facts.insert("path", self.identifier.clone());
        facts.insert("type", self.kind.clone());
        let options = [
            ("WEIGHT", "weight"),
            ("SEPARATOR", "separator"),
            ("coord_system", "coord_system"),
            ("algorithm", "algorithm"),
            ("data_type", "data_type"),
            ("dim", "dim"),
            ("distance_metric", "distance_metric"),
            ("M", "M"),
            ("ef_construction", "ef_construction"),
        ];
        for (theirs, ours) in options {
            if let Some((_, value)) = self.options.iter().find(|(name, _)| name == theirs) {
                facts.insert(ours, value.clone());
            }
        }
        let flags = [
            ("CASESENSITIVE", "case_sensitive"),
            ("INDEXEMPTY", "index_empty"),
            ("INDEXMISSING", "index_missing"),
            ("NOINDEX", "noindex"),
            ("NOSTEM", "no_stem"),
            ("SORTABLE", "sortable"),
            ("UNF", "unf"),
            ("WITHSUFFIXTRIE", "suffix_trie"),
        ];
        for (theirs, ours) in flags {
            facts.insert(ours, yes(self.flags.iter().any(|flag| flag == theirs)));
        }
        facts
    }
}

/// Names and values: a map, or a list of them in turn.
fn pairs(value: &Value) -> Vec<(&str, &Value)> {
    match value {
        Value::Map(pairs) => {
            pairs.iter().filter_map(|(name, value)| Some((name.as_str()?, value))).collect()
        }
        value => {
            let pairs = items(value).chunks_exact(2);
            pairs.filter_map(|pair| Some((pair.first()?.as_str()?, pair.get(1)?))).collect()
        }
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_slice().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    items(value).iter().map(text).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Integer(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        value => value.as_str().unwrap_or_default().to_owned(),
    }
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| text(value).parse().ok()).unwrap_or(f64::NAN)
}

fn whole(value: &Value) -> u64 {
    // A float that is negative or no number saturates to zero.
    text(value).parse().unwrap_or_else(|_| number(value) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_protocols_say_the_same() {
        let resp2 = b"*12\r\n+index_name\r\n+i\r\n+index_definition\r\n*4\r\n+key_type\r\n+HASH\r\n\
            +prefixes\r\n*1\r\n+d:\r\n+attributes\r\n*1\r\n*9\r\n+identifier\r\n+x\r\n+attribute\r\n+x\r\n\
            +type\r\n+TEXT\r\n+WEIGHT\r\n$1\r\n2\r\n+SORTABLE\r\n+num_docs\r\n:3\r\n+percent_indexed\r\n\
            $3\r\n0.5\r\n+Index Errors\r\n*6\r\n+indexing failures\r\n:2\r\n+last indexing error\r\n+bad\r\n\
            +last indexing error key\r\n$3\r\nd:1\r\n";
        let resp3 = b"%6\r\n+num_docs\r\n:3\r\n+index_name\r\n+i\r\n+index_definition\r\n%2\r\n+key_type\r\n+HASH\r\n\
            +prefixes\r\n*1\r\n+d:\r\n+attributes\r\n*1\r\n%5\r\n+identifier\r\n+x\r\n+attribute\r\n+x\r\n\
            +type\r\n+TEXT\r\n+WEIGHT\r\n,2\r\n+flags\r\n*1\r\n+SORTABLE\r\n+percent_indexed\r\n,0.5\r\n\
            +Index Errors\r\n%3\r\n+indexing failures\r\n:2\r\n+last indexing error\r\n+bad\r\n\
            +last indexing error key\r\n$3\r\nd:1\r\n";
        let info = IndexInfo::from_reply(&mut Reader::new(resp2)).unwrap();
        assert_eq!(info, IndexInfo::from_reply(&mut Reader::new(resp3)).unwrap());
        assert_eq!((info.num_docs, info.percent_indexed, info.hash_indexing_failures), (3, 0.5, 2));
        assert_eq!(info.last_error_key.as_deref(), Some("d:1"));
        let facts = info.attributes.first().unwrap().facts();
        assert_eq!((facts["weight"].as_str(), facts["sortable"].as_str()), ("2", "yes"));
    }

    #[test]
    fn hostile_replies_do_no_harm() {
        for reply in [
            &b"*0\r\n"[..],
            b":1\r\n",
            b"*3\r\n+attributes\r\n:1\r\n+x\r\n",
            b"%1\r\n+attributes\r\n*1\r\n*1\r\n+type\r\n",
        ] {
            assert!(IndexInfo::from_reply(&mut Reader::new(reply)).is_ok());
        }
    }
}
