//! What the server's errors mean for a document.

use crate::{Error, ErrorKind, ServerCode, Versions};

/// Says in the words of the model what an error about `key` means.
pub(crate) fn explain(error: Error, key: &str) -> Error {
    let text = error.message();
    // How a script says that there is no such command: when it asks for leave, when it calls it.
    let unknown = text.contains("Invalid command passed to redis.acl_check_cmd")
        || text.contains("Unknown Redis command");
    if error.kind() == ErrorKind::Unsupported || unknown {
        if unknown || text.contains("JSON.") {
            return retold(
                error,
                ErrorKind::Unsupported,
                "the server has no RedisJSON module, which models with `json` need".to_owned(),
            );
        }
        return error;
    }
    let ErrorKind::Server(_) = error.kind() else { return error };
    let (kind, message) = match code(text) {
        Some(("ALZTYPE", rest)) => (
            ErrorKind::Server(ServerCode::WrongType),
            format!("`{key}` holds a {rest}, not a document of this model"),
        ),
        Some(("ALZEXISTS", _)) => (ErrorKind::Exists, format!("`{key}` exists already")),
        Some(("ALZNOTFOUND", _)) => (ErrorKind::NotFound, format!("`{key}` does not exist")),
        Some(("ALZUNREFERRED", _)) => (
            ErrorKind::NotFound,
            format!("`{key}` does not refer any longer to what is deleted; it stays as it is"),
        ),
        Some(("ALZLOCKLOST", _)) => (
            ErrorKind::LockLost,
            format!("the lock of `{key}` ran out before the write; nothing was written"),
        ),
        Some(("ALZCONFLICT", "")) => (
            ErrorKind::Conflict,
            format!("`{key}` was changed by another writer; nothing was written"),
        ),
        Some(("ALZCONFLICT", versions)) => {
            let versions = versions.to_owned();
            return conflict(error, key, &versions);
        }
        Some(("ALZTAKEN", rest)) => {
            let mut words = rest.splitn(3, ' ');
            let mut next = || words.next().unwrap_or_default();
            let (model, name, holder) = (next(), next(), next());
            return super::unique::taken(model, name, holder).with_source(error);
        }
        Some(("ALZPARENT", path)) => (
            ErrorKind::NotFound,
            format!("`{key}` has no struct at {path} to set a field of; set the whole by `update`"),
        ),
        Some(("ALZUNSUPPORTED", command)) => (
            ErrorKind::Unsupported,
            format!("`{key}`: fields that expire need Redis 7.4 ({command}); nothing was written"),
        ),
        Some((
            code @ ("ALZRANGE" | "ALZNUMBER" | "ALZNOLIST" | "ALZNOMAP" | "ALZINDEX"),
            field,
        )) => {
            let fault = match code {
                "ALZRANGE" => "the sum is out of the field's range",
                "ALZNUMBER" => "the stored value is no number that could be added to",
                "ALZNOLIST" => "the stored value is no list",
                "ALZNOMAP" => "the stored value is no map",
                _ => "the index lies behind the list's end",
            };
            let (field, message) =
                (field.to_owned(), format!("`{key}`: {fault}; nothing was written"));
            return retold(error, ErrorKind::Value, message).with_field(&field);
        }
        Some(("ALZDEEP", _)) => (
            ErrorKind::Value,
            format!(
                "`{key}`: JSON is nested deeper than the 127 levels that RedisJSON reads; nothing \
                 was written"
            ),
        ),
        Some(("ALZDENIED", command)) => (
            ErrorKind::Server(ServerCode::NoPerm),
            format!("write of `{key}` refused: this user may not {command}; nothing was written"),
        ),
        // Within a script the server leaves the code out.
        _ if text.contains("ACL failure in script") => {
            let reason = text.strip_prefix("ERR ").unwrap_or(text);
            (ErrorKind::Server(ServerCode::NoPerm), format!("write of `{key}` refused: {reason}"))
        }
        _ if error.server_code() == Some(ServerCode::WrongType)
            || text.contains("wrong Redis type") =>
        {
            let message = format!("`{key}` is no document of this model: it has another type");
            (ErrorKind::Server(ServerCode::WrongType), message)
        }
        _ => return error,
    };
    retold(error, kind, message)
}

/// Another version than the expected one: `expected stored`, the second may be missing.
fn conflict(error: Error, key: &str, versions: &str) -> Error {
    let (expected, stored) = versions.split_once(' ').unwrap_or((versions, ""));
    let has = if stored.is_empty() { "no version".into() } else { format!("version {stored}") };
    let message = format!("`{key}` has {has}, not {expected}; nothing was written");
    let versions =
        expected.parse().map(|expected| Versions { expected, stored: stored.parse().ok() });
    let conflict = retold(error, ErrorKind::Conflict, message);
    match versions {
        Ok(versions) => conflict.with_versions(versions),
        Err(_) => conflict,
    }
}

/// The same failure in other words.
fn retold(error: Error, kind: ErrorKind, message: String) -> Error {
    let mut retold = Error::new(kind, message).with_sent(error.sent());
    // The name of a scripted command says nothing to the caller.
    if let Some(command) = error.command().filter(|name| !name.starts_with("EVAL")) {
        retold = retold.with_command(command.to_owned());
    }
    retold.with_source(error)
}

/// The error that a document is not there.
pub(crate) fn not_found(key: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("`{key}` does not exist")).with_sent(crate::Sent::Yes)
}

/// A script's own code and what follows it; the server may put `ERR` before it.
pub(super) fn code(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix("ERR ").unwrap_or(text);
    if !text.starts_with("ALZ") {
        return None;
    }
    let text = text.split(" script:").next().unwrap_or(text).trim_end();
    Some(text.split_once(' ').unwrap_or((text, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_kinds() {
        let kind = |line| explain(Error::server(line), "k:1").kind();
        assert_eq!(kind("ALZEXISTS"), ErrorKind::Exists);
        assert_eq!(kind("ERR ALZNOTFOUND"), ErrorKind::NotFound);
        assert_eq!(kind("ALZLOCKLOST "), ErrorKind::LockLost);
        assert_eq!(kind("ALZTYPE list"), ErrorKind::Server(ServerCode::WrongType));
        assert_eq!(kind("WRONGTYPE Operation"), ErrorKind::Server(ServerCode::WrongType));
        let error = explain(Error::server("ALZCONFLICT 6 7"), "k:1");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().contains("version 7, not 6"), "{error}");
        assert_eq!(error.versions(), Some(Versions { expected: 6, stored: Some(7) }));
        let error = explain(Error::server("ALZCONFLICT 6 "), "k:1");
        assert_eq!(error.versions(), Some(Versions { expected: 6, stored: None }));
        assert_eq!(explain(Error::server("ALZCONFLICT"), "k:1").versions(), None);
        let error = explain(Error::server("ALZDENIED PUBLISH c"), "k:1");
        assert_eq!(error.kind(), ErrorKind::Server(ServerCode::NoPerm));
        assert!(error.message().contains("PUBLISH c"), "{error}");
        let error = Error::server("ERR unknown command 'JSON.SET', with args");
        assert!(explain(error, "k").message().contains("RedisJSON"));
        assert_eq!(kind("OOM command not allowed"), ErrorKind::Server(ServerCode::OutOfMemory));
    }
}
