//! What the server's error lines about streams mean.

use crate::{Error, ErrorKind};

/// The error with its meaning in words; the server's own line stays as the source.
pub(super) fn explain(error: Error, key: &str) -> Error {
    let line = error.message();
    let (kind, text) = if line.contains("NOGROUP") || line.contains("No such key") {
        (ErrorKind::NotFound, format!("stream `{key}` has no such group: call `group.create()`"))
    } else if line.contains("requires the key to exist") {
        (ErrorKind::NotFound, format!("there is no stream `{key}`"))
    } else if line.contains("equal or smaller than the target") {
        (ErrorKind::Conflict, format!("stream `{key}` has a later entry than the given id"))
    } else {
        return error;
    };
    let mut clear = Error::new(kind, text).with_sent(error.sent());
    if let Some(command) = error.command() {
        clear = clear.with_command(command.to_owned());
    }
    clear.with_source(error)
}
