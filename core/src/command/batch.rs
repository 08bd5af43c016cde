//! Several commands in one write: pipelines, and the insides of transactions.

use super::{Command, Flags, IntoCommand};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::{Frame, FromReply, Packed, Reader};

/// Commands that travel together, and the type of their replies together: a tuple of commands
/// gives a tuple of replies, a `Vec` of one sort of command a `Vec`.
///
/// An error reply of one command is the whole batch's error; to have each on its own, make its
/// reply a `Result`: `command.replying::<Result<R>>()`.
pub trait Batch {
    /// The replies, in order.
    type Reply;

    /// The finished commands.
    type Commands: Exec<Reply = Self::Reply>;

    /// Finishes every builder.
    fn into_commands(self) -> Self::Commands;
}

/// Finished commands that can be written and whose replies can be read, in order.
pub trait Exec {
    /// The replies, in order.
    type Reply;

    /// Shows each command in order.
    fn visit(&self, each: &mut dyn FnMut(&Packed, Flags));

    /// Takes one reply a command from the reader.
    ///
    /// # Errors
    /// The first command's error, with its name.
    fn decode(&self, reader: &mut Reader<'_>) -> Result<Self::Reply>;

    /// Takes the replies to the same commands between `MULTI` and `EXEC`.
    ///
    /// # Errors
    /// What the server refused to queue; `Conflict` when a watched key changed; else as
    /// [`Exec::decode`].
    fn decode_transaction(&self, reader: &mut Reader<'_>) -> Result<Self::Reply> {
        if let Frame::Error(line) = reader.peek()? {
            reader.skip()?;
            return Err(self.without_multi(line, reader)?);
        }
        reader.skip()?;
        let mut refused = None;
        let mut commands = 0usize;
        let mut outcome = Ok(());
        self.visit(&mut |packed, _| {
            commands += 1;
            match <()>::from_reply(reader) {
                Ok(()) => {}
                // `from_reply` leaves an error line unread when it only peeked at it.
                Err(error) if error.kind() == ErrorKind::Protocol => outcome = Err(error),
                Err(error) => {
                    outcome = outcome.as_ref().map_err(Error::duplicate).and(reader.skip());
                    refused.get_or_insert(error.with_command(packed.name()));
                }
            }
        });
        outcome?;
        let answer = reader.peek()?;
        if let Some(error) = refused {
            reader.skip()?;
            return Err(error);
        }
        match answer {
            Frame::Array(n) if n == commands => {
                reader.next()?;
                self.decode(reader)
            }
            Frame::Null => {
                reader.skip()?;
                Err(Error::new(ErrorKind::Conflict, "a watched key changed before EXEC"))
            }
            Frame::Error(line) => Err(Error::server(line).with_command("EXEC")),
            frame => Err(Error::decode("the replies of a transaction", &frame.describe())
                .with_command("EXEC")),
        }
    }

    /// The error when `MULTI` was refused: the commands after it were on their way already, and
    /// any of them that was not refused too ran by itself.
    #[doc(hidden)]
    fn without_multi(&self, line: &str, reader: &mut Reader<'_>) -> Result<Error> {
        let mut ran = false;
        let mut outcome = Ok(());
        self.visit(&mut |_, _| {
            ran |= !matches!(reader.peek(), Ok(Frame::Error(_)));
            if outcome.is_ok() {
                outcome = reader.skip();
            }
        });
        outcome?;
        let error = Error::server(line);
        let error = match ran {
            false => error,
            true => {
                let text = format!("{line} (the commands ran, but not as one)");
                Error::new(error.kind(), text).with_sent(Sent::Unknown)
            }
        };
        Ok(error.with_command("MULTI"))
    }
}

impl<C: IntoCommand> Batch for Vec<C> {
    type Reply = Vec<C::Reply>;
    type Commands = Vec<Command<C::Reply>>;

    fn into_commands(self) -> Self::Commands {
        self.into_iter().map(IntoCommand::into_command).collect()
    }
}

impl<R: FromReply> Exec for Vec<Command<R>> {
    type Reply = Vec<R>;

    fn visit(&self, each: &mut dyn FnMut(&Packed, Flags)) {
        for command in self {
            each(command.packed(), command.known_flags());
        }
    }

    fn decode(&self, reader: &mut Reader<'_>) -> Result<Vec<R>> {
        self.iter().map(|command| command.decode(reader)).collect()
    }
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<$($name: IntoCommand),+> Batch for ($($name,)+) {
            type Reply = ($($name::Reply,)+);
            type Commands = ($(Command<$name::Reply>,)+);

            #[allow(non_snake_case)]
            fn into_commands(self) -> Self::Commands {
                let ($($name,)+) = self;
                ($($name.into_command(),)+)
            }
        }

        impl<$($name: FromReply),+> Exec for ($(Command<$name>,)+) {
            type Reply = ($($name,)+);

            #[allow(non_snake_case)]
            fn visit(&self, each: &mut dyn FnMut(&Packed, Flags)) {
                let ($($name,)+) = self;
                $(each($name.packed(), $name.known_flags());)+
            }

            #[allow(non_snake_case)]
            fn decode(&self, reader: &mut Reader<'_>) -> Result<Self::Reply> {
                let ($($name,)+) = self;
                Ok(($($name.decode(reader)?,)+))
            }
        }
    )+};
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
}
