//! What the server's error lines about vector sets mean.

use crate::{Error, ErrorKind};

/// The error with its meaning in words; the server's own line stays as the source.
pub(super) fn explain(error: Error, key: &str) -> Error {
    let line = error.message();
    let (kind, text) = if error.kind() == ErrorKind::Unsupported {
        (ErrorKind::Unsupported, "vector sets need Redis 8.0 or newer".to_owned())
    } else if line.contains("dimension mismatch") {
        let numbers = line.trim_start_matches("ERR ");
        (ErrorKind::Value, format!("the vector does not fit vector set {key:?}: {numbers}"))
    } else if line.contains("element not found") {
        (ErrorKind::NotFound, format!("no such element in vector set {key:?}"))
    } else if line.contains("mismatch with existing") || line.contains("without projection") {
        let what = line.trim_start_matches("ERR ");
        (
            ErrorKind::Usage,
            format!(
                "vector set {key:?} was made with other options, which its first element decides: {what}"
            ),
        )
    } else {
        return error;
    };
    let mut clear = Error::new(kind, text).with_sent(error.sent());
    if let Some(command) = error.command() {
        clear = clear.with_command(command.to_owned());
    }
    clear.with_source(error)
}
