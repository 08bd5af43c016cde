//! What can be executed: one command, a pipeline, a transaction.

use crate::command::{Batch, Command, Exec, Flags};
use crate::error::{Error, ErrorKind, Result};
use crate::resp::{FromReply, Packed, Reader};

use super::outbox::Wire;

/// Something that travels in one piece and is answered in one piece.
pub trait Work {
    /// What it decodes to.
    type Reply;

    #[doc(hidden)]
    fn wire(&self) -> Wire<'_>;

    #[doc(hidden)]
    fn name(&self) -> String;

    #[doc(hidden)]
    fn is_repeatable(&self) -> bool;

    #[doc(hidden)]
    fn is_blocking(&self) -> bool {
        false
    }

    /// Refuses what must not run on a shared connection.
    #[doc(hidden)]
    fn check(&self) -> Result<()>;

    #[doc(hidden)]
    fn decode(&self, reader: &mut Reader<'_>) -> Result<Self::Reply>;
}

impl<R: FromReply> Work for Command<R> {
    type Reply = R;

    fn wire(&self) -> Wire<'_> {
        Wire::One(self.packed())
    }

    fn name(&self) -> String {
        self.packed().name()
    }

    fn is_repeatable(&self) -> bool {
        self.known_flags().is_repeatable()
    }

    fn is_blocking(&self) -> bool {
        is_blocking(self.packed(), self.known_flags())
    }

    fn check(&self) -> Result<()> {
        check(self.packed(), self.known_flags())
    }

    fn decode(&self, reader: &mut Reader<'_>) -> Result<R> {
        Command::decode(self, reader)
    }
}

/// Several commands in one write, their replies in one read.
#[derive(Debug)]
pub struct Pipeline<E> {
    commands: E,
    encoded: Encoded,
}

/// Several commands between `MULTI` and `EXEC`, in one write.
#[derive(Debug)]
pub struct Transaction<E> {
    commands: E,
    encoded: Encoded,
}

#[derive(Debug)]
struct Encoded {
    bytes: Vec<u8>,
    frames: u32,
    repeatable: bool,
    check: Result<()>,
}

impl<E: Exec> Pipeline<E> {
    pub(crate) fn new(batch: impl Batch<Commands = E>) -> Pipeline<E> {
        let commands = batch.into_commands();
        Pipeline { encoded: Encoded::new(&commands, false), commands }
    }
}

impl<E: Exec> Transaction<E> {
    pub(crate) fn new(batch: impl Batch<Commands = E>) -> Transaction<E> {
        let commands = batch.into_commands();
        Transaction { encoded: Encoded::new(&commands, true), commands }
    }
}

impl Encoded {
    fn new<E: Exec>(commands: &E, transaction: bool) -> Encoded {
        let mut encoded = Encoded { bytes: Vec::new(), frames: 0, repeatable: true, check: Ok(()) };
        if transaction {
            encoded.word("MULTI");
        }
        commands.visit(&mut |packed, flags| {
            packed.write_to(&mut encoded.bytes);
            encoded.frames += 1;
            encoded.repeatable &= flags.is_repeatable();
            if encoded.check.is_ok() {
                encoded.check = check(packed, flags).and_then(|()| not_blocking(packed, flags));
            }
        });
        if transaction {
            encoded.word("EXEC");
        }
        encoded
    }

    fn word(&mut self, word: &str) {
        let mut packed = Packed::new();
        packed.push(word.as_bytes());
        packed.write_to(&mut self.bytes);
        self.frames += 1;
    }

    fn wire(&self) -> Wire<'_> {
        Wire::Many { bytes: &self.bytes, frames: self.frames }
    }

    fn check(&self) -> Result<()> {
        self.check.as_ref().map_err(Error::duplicate).copied()
    }
}

impl<E: Exec> Work for Pipeline<E> {
    type Reply = E::Reply;

    fn wire(&self) -> Wire<'_> {
        self.encoded.wire()
    }

    fn name(&self) -> String {
        "pipeline".to_owned()
    }

    fn is_repeatable(&self) -> bool {
        self.encoded.repeatable
    }

    fn check(&self) -> Result<()> {
        self.encoded.check()
    }

    fn decode(&self, reader: &mut Reader<'_>) -> Result<E::Reply> {
        self.commands.decode(reader)
    }
}

impl<E: Exec> Work for Transaction<E> {
    type Reply = E::Reply;

    fn wire(&self) -> Wire<'_> {
        self.encoded.wire()
    }

    fn name(&self) -> String {
        "transaction".to_owned()
    }

    fn is_repeatable(&self) -> bool {
        self.encoded.repeatable
    }

    fn check(&self) -> Result<()> {
        self.encoded.check()
    }

    fn decode(&self, reader: &mut Reader<'_>) -> Result<E::Reply> {
        self.commands.decode_transaction(reader)
    }
}

fn is_blocking(packed: &Packed, flags: Flags) -> bool {
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

fn not_blocking(packed: &Packed, flags: Flags) -> Result<()> {
    if !is_blocking(packed, flags) {
        return Ok(());
    }
    let text = "a command that waits cannot be part of a pipeline or transaction: run it alone";
    Err(Error::new(ErrorKind::Usage, text).with_command(packed.name()))
}

/// Refuses commands that change the connection for everybody who shares it.
fn check(packed: &Packed, flags: Flags) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_connection_is_refused() {
        for (command, part) in [
            (Command::<()>::new("multi"), "transaction"),
            (Command::new("SUBSCRIBE").arg("x"), "subscribe"),
            (Command::new("SELECT").arg(1), "database"),
            (Command::new("CLIENT").arg("reply").arg("OFF"), "cannot run"),
            (Command::new(""), "name"),
        ] {
            let error = command.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(Command::<()>::new("CLIENT").arg("ID").check().is_ok());
    }

    #[test]
    fn waiting_is_known_by_name_or_option() {
        assert!(Command::<()>::new("blpop").arg("k").arg(0).is_blocking());
        let read = Command::<()>::new("XREAD");
        assert!(read.arg("BLOCK").arg(0).arg("STREAMS").arg("k").is_blocking());
        let read = Command::<()>::new("XREAD");
        assert!(!read.arg("STREAMS").arg("BLOCK").arg("0").is_blocking());
        let batch = Pipeline::new(vec![Command::<()>::new("BLPOP")]);
        assert_eq!(batch.check().unwrap_err().kind(), ErrorKind::Usage);
    }
}
