//! What the module's error lines mean.

use crate::{Error, ErrorKind};

/// The error with its meaning in words; the server's own line stays as the source.
pub(super) fn explain(error: Error, key: &str) -> Error {
    let line = error.message();
    let (kind, text) = if error.kind() == ErrorKind::Unsupported {
        (
            ErrorKind::Unsupported,
            "time series need the RedisTimeSeries module, which this server has not loaded"
                .to_owned(),
        )
    } else if line.contains("key does not exist") {
        (ErrorKind::NotFound, format!("there is no series at {key:?}"))
    } else if line.contains("DUPLICATE_POLICY is set to BLOCK") {
        (
            ErrorKind::Exists,
            format!(
                "series {key:?} has a sample at this time, and its duplicate policy is `block`"
            ),
        )
    } else if line.contains("older than retention") {
        (ErrorKind::Value, format!("the sample is older than what series {key:?} keeps"))
    } else if line.contains("is not a TSDB key") {
        (error.kind(), format!("{key:?} is not a time series"))
    } else {
        return error;
    };
    let mut clear = Error::new(kind, text).with_sent(error.sent());
    if let Some(command) = error.command() {
        clear = clear.with_command(command.to_owned());
    }
    clear.with_source(error)
}

/// Whether a `TS.CREATE` failed only because there is something at the key already.
pub(super) fn already_there(error: &Error) -> bool {
    error.message().contains("key already exists")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_get_kinds() {
        let kind = |line: &str| explain(Error::server(line), "t:a").kind();
        assert_eq!(kind("ERR unknown command 'TS.ADD', with args"), ErrorKind::Unsupported);
        assert_eq!(kind("ERR TSDB: the key does not exist"), ErrorKind::NotFound);
        assert_eq!(kind("ERR TSDB: Timestamp is older than retention"), ErrorKind::Value);
        let blocked = "ERR TSDB: Error at upsert, update is not supported when DUPLICATE_POLICY is set to BLOCK mode";
        assert_eq!(kind(blocked), ErrorKind::Exists);
        assert!(already_there(&Error::server("ERR TSDB: key already exists")));
    }
}
