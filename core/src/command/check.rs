//! What a shared connection does not run.

use super::Flags;
use crate::error::{Error, ErrorKind, Result};
use crate::resp::Packed;

/// Whether the command may wait on the server.
#[inline]
pub(crate) fn is_blocking(packed: &Packed, flags: Flags) -> bool {
    !flags.is_plain() && waits(packed, flags)
}

fn waits(packed: &Packed, flags: Flags) -> bool {
    if flags.contains(Flags::BLOCKING) {
        return true;
    }
    let mut arguments = packed.arguments();
    let is = |argument: &[u8], word: &str| argument.eq_ignore_ascii_case(word.as_bytes());
    arguments.next().is_some_and(|name| is(name, "XREAD") || is(name, "XREADGROUP"))
        && arguments.take_while(|word| !is(word, "STREAMS")).any(|word| is(word, "BLOCK"))
}

/// Whether a command may be sent on the shared connection without anybody who waits for it.
pub(crate) fn may_fire(packed: &Packed, flags: Flags) -> bool {
    check(packed, flags).is_ok() && !is_blocking(packed, flags)
}

/// Refuses commands that wait: those behind them would wait too.
pub(super) fn not_blocking(packed: &Packed, flags: Flags) -> Result<()> {
    if !is_blocking(packed, flags) {
        return Ok(());
    }
    let text = "a command that waits cannot be part of a pipeline or transaction: run it alone";
    Err(Error::new(ErrorKind::Usage, text).with_command(packed.name()))
}

/// Refuses commands that change the connection for everybody who shares it.
#[inline]
pub(crate) fn check(packed: &Packed, flags: Flags) -> Result<()> {
    if flags.is_plain() { Ok(()) } else { look(packed, flags) }
}

fn look(packed: &Packed, flags: Flags) -> Result<()> {
    let mut arguments = packed.arguments();
    let name = arguments.next().unwrap_or_default();
    let mut silences = || {
        name.eq_ignore_ascii_case(b"CLIENT")
            && arguments.next().is_some_and(|word| word.eq_ignore_ascii_case(b"REPLY"))
    };
    if name.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "a command needs a name"));
    }
    if !flags.contains(Flags::SESSION) && !silences() {
        return Ok(());
    }
    let name = packed.name().to_ascii_uppercase();
    let instead = match name.as_str() {
        "MULTI" | "EXEC" | "DISCARD" | "WATCH" | "UNWATCH" => "use `client.transaction(..)`",
        "SUBSCRIBE" | "UNSUBSCRIBE" => "use `client.subscribe(..)`",
        "PSUBSCRIBE" | "PUNSUBSCRIBE" => "use `client.psubscribe(..)`",
        "SELECT" => "give the database in the URL or by `Config::database`",
        "AUTH" | "HELLO" => "give the login in the URL or by `Config::login`",
        "QUIT" | "RESET" => "use `client.close()`",
        "WAIT" | "WAITAOF" => {
            let text = "counts the replicas that have the writes of its own connection: on another \
                        one its answer says nothing";
            return Err(Error::new(ErrorKind::Usage, text).with_command(name));
        }
        _ => "it cannot run on this client",
    };
    let text = format!("changes the connection, which is shared: {instead}");
    Err(Error::new(ErrorKind::Usage, text).with_command(name))
}
