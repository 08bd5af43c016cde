//! What a query needs of its repository: the index's name, and better words for its errors.

use crate::model::RedisModel;
use crate::repository::Repository;
use crate::{Error, ErrorKind, Result};

/// The name of the model's index on the server.
pub(crate) fn index_name<M: RedisModel>(repository: &Repository<M>) -> Result<String> {
    match &M::SCHEMA.index {
        Some(index) => Ok([repository.namespace(), index.name].concat()),
        None => Err(Error::new(
            ErrorKind::Usage,
            format!("{} has no index; add `index` to its `#[redis(..)]`", M::SCHEMA.name),
        )),
    }
}

/// What every key of the model's documents begins with.
pub(crate) fn key_prefix<M: RedisModel>(repository: &Repository<M>) -> String {
    let first = M::SCHEMA.key.first().copied().unwrap_or_default();
    [repository.namespace(), first].concat()
}

/// What the keys of the documents in the model's index begin with, the model's own prefix first.
pub(crate) fn prefixes<M: RedisModel>(repository: &Repository<M>) -> Vec<String> {
    let namespace = repository.namespace();
    let further = M::SCHEMA.index.map_or(&[][..], |index| index.prefixes);
    let further = further.iter().map(|prefix| format!("{namespace}{prefix}:"));
    let all = std::iter::once(key_prefix(repository)).chain(further);
    if M::SCHEMA.layout.forms().colon {
        return all.collect();
    }
    all.map(|prefix| prefix.strip_suffix(':').unwrap_or(&prefix).to_owned()).collect()
}

/// Says what a server's error about an index means here.
pub(crate) fn explain(error: Error, index: &str) -> Error {
    let (kind, message) = if is_no_such_index(&error) {
        (
            ErrorKind::Index,
            format!("index `{index}` does not exist: call `repository.index().sync()`"),
        )
    } else if error.kind() == ErrorKind::Unsupported && error.message().contains("FT.") {
        (
            ErrorKind::Unsupported,
            "the server has no RediSearch module, which indexes need".to_owned(),
        )
    } else if error.message().contains("for vector similarity") {
        (
            ErrorKind::Unsupported,
            "the server's search module does not take this kind of vector: `svs_vamana` needs Redis \
             8.2, and vectors of `i8` and `u8` need a module that has INT8 and UINT8"
                .to_owned(),
        )
    } else {
        return error;
    };
    let mut explained = Error::new(kind, message).with_sent(error.sent());
    if let Some(command) = error.command() {
        explained = explained.with_command(command.to_owned());
    }
    explained.with_source(error)
}

/// Whether the server said that there is no such index: the words differ by command and version.
pub(crate) fn is_no_such_index(error: &Error) -> bool {
    let text = error.message().to_ascii_lowercase();
    matches!(error.kind(), ErrorKind::Server(_))
        && (text.contains("no such index") || text.contains("unknown index name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_become_the_models() {
        let texts =
            ["i: no such index", "No such index i", "Unknown index name", "Unknown Index name"];
        for text in texts {
            let error = explain(Error::server(text), "i");
            assert_eq!(error.kind(), ErrorKind::Index, "{text}");
            assert!(error.message().contains("`i` does not exist"));
        }
        let error = explain(Error::server("ERR unknown command 'FT.SEARCH', with args"), "i");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("RediSearch"));
        let text = "Bad arguments for vector similarity FLAT index type: Unknown argument";
        assert_eq!(explain(Error::server(text), "i").kind(), ErrorKind::Unsupported);
        let other = explain(Error::server("Syntax error at offset 1 near x"), "i");
        assert!(matches!(other.kind(), ErrorKind::Server(_)));
    }
}
