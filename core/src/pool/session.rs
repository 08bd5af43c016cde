//! What a caller has changed of a connection, by the commands it ran and their answers. No I/O.

use crate::command::Flags;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{Frame, Packed, Reader};

/// How a connection differs from a new one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    multi: bool,
    watching: bool,
    /// Another database, another login, or anything else that is not undone here.
    changed: bool,
}

/// What a command changes, once it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Nothing,
    Multi,
    /// `EXEC` and `DISCARD`.
    End,
    Watch,
    Unwatch,
    /// To the database that the client is configured for.
    Back,
    Other,
}

impl Session {
    /// Whether the connection can be given to somebody else.
    pub(crate) fn is_clean(&self) -> bool {
        *self == Session::default()
    }

    /// Whether commands are queued until `EXEC`.
    pub(crate) fn in_multi(&self) -> bool {
        self.multi
    }

    /// Whether keys are watched.
    pub(crate) fn is_watching(&self) -> bool {
        self.watching
    }

    /// Takes note of what is about to be sent; whatever becomes of it, the connection is no longer
    /// clean until its answer says so.
    pub(crate) fn begin(&mut self, change: Change) {
        match change {
            Change::Multi => self.multi = true,
            Change::Watch => self.watching = true,
            Change::Other => self.changed = true,
            Change::Back if self.multi => self.changed = true,
            Change::Nothing | Change::End | Change::Unwatch | Change::Back => {}
        }
    }

    /// Takes note of the answer.
    pub(crate) fn end(&mut self, change: Change, answer: &[u8]) {
        let ended = !is_error(answer) || answer.starts_with(b"-EXECABORT");
        match change {
            Change::End if ended => {
                self.multi = false;
                self.watching = false;
            }
            Change::Unwatch if ended && !self.multi => self.watching = false,
            _ => {}
        }
    }
}

fn is_error(answer: &[u8]) -> bool {
    matches!(Reader::new(answer).next(), Ok(Frame::Error(_)))
}

/// What a command will change.
///
/// # Errors
/// `Usage` for what no connection of a pool runs: its answers could not be told apart any more.
pub(crate) fn change_of(packed: &Packed, flags: Flags, database: u32) -> Result<Change> {
    if flags.is_plain() || flags.contains(Flags::BLOCKING) {
        return Ok(Change::Nothing);
    }
    let name = packed.name().to_ascii_uppercase();
    let mut arguments = packed.arguments().skip(1);
    let first = arguments.next().unwrap_or_default();
    let is = |word: &str| first.eq_ignore_ascii_case(word.as_bytes());
    Ok(match name.as_str() {
        "" => return Err(Error::new(ErrorKind::Usage, "a command needs a name")),
        "MULTI" => Change::Multi,
        "EXEC" | "DISCARD" => Change::End,
        "WATCH" => Change::Watch,
        "UNWATCH" => Change::Unwatch,
        "SELECT" if first == database.to_string().as_bytes() => Change::Back,
        "WAIT" | "WAITAOF" | "XREAD" | "XREADGROUP" => Change::Nothing,
        "CLIENT" if is("REPLY") => {
            return Err(refused(&name, "without replies nothing can be told apart"));
        }
        "CLIENT"
            if ["ID", "INFO", "LIST", "GETNAME", "KILL", "PAUSE", "UNPAUSE", "UNBLOCK", "HELP"]
                .iter()
                .any(|word| is(word)) =>
        {
            Change::Nothing
        }
        "SUBSCRIBE" | "UNSUBSCRIBE" | "PSUBSCRIBE" | "PUNSUBSCRIBE" | "SSUBSCRIBE"
        | "SUNSUBSCRIBE" => return Err(refused(&name, "use `client.subscribe(..)`")),
        "MONITOR" | "SYNC" | "PSYNC" | "REPLCONF" => {
            return Err(refused(&name, "what it sends answers no request"));
        }
        _ => Change::Other,
    })
}

fn refused(name: &str, why: &str) -> Error {
    let text = format!("cannot run on a connection of a pool: {why}");
    Error::new(ErrorKind::Usage, text).with_command(name.to_owned())
}
