//! Several commands in one write: pipelines, and the insides of transactions.

use std::fmt;
use std::marker::PhantomData;

use super::{Encoded, IntoCommand};
use crate::error::{Error, ErrorKind, Result, Sent};
use crate::resp::{Frame, FromReply, Reader};

/// Commands that travel together, and the type of their replies together: a tuple of commands
/// gives a tuple of replies, a `Vec` of one sort of command, or [`each`] of an iterator, a `Vec`.
///
/// An error reply of one command is the whole batch's error; to have each on its own, make its
/// reply a `Result`: `command.replying::<Result<R>>()`.
pub trait Batch {
    /// The replies, in order.
    type Reply;

    /// What reads them.
    type Replies: Replies<Reply = Self::Reply>;

    /// Writes every command.
    fn encode(self, out: &mut Encoded) -> Self::Replies;
}

/// Reads the replies to the commands of a [`Batch`], in order.
pub trait Replies {
    /// The replies together.
    type Reply;

    /// Takes one reply a command from the reader.
    ///
    /// # Errors
    /// The first command's error, with its name.
    fn decode(&self, commands: &Encoded, reader: &mut Reader<'_>) -> Result<Self::Reply>;

    /// Takes the replies to the same commands between `MULTI` and `EXEC`.
    ///
    /// # Errors
    /// What the server refused to queue; `Conflict` when a watched key changed; else as
    /// [`Replies::decode`].
    fn decode_transaction(
        &self,
        commands: &Encoded,
        reader: &mut Reader<'_>,
    ) -> Result<Self::Reply> {
        // Without MULTI in front and EXEC behind.
        let inside = commands.frames().saturating_sub(2);
        if let Frame::Error(line) = reader.peek()? {
            reader.skip()?;
            return Err(without_multi(line, inside, reader)?);
        }
        reader.skip()?;
        let mut refused = None;
        for at in 0..inside {
            match <()>::from_reply(reader) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Protocol => return Err(error),
                Err(error) => {
                    // `from_reply` leaves an error line unread when it only peeked at it.
                    reader.skip()?;
                    refused.get_or_insert_with(|| error.with_command(commands.inner_name(at)));
                }
            }
        }
        let answer = reader.peek()?;
        if let Some(error) = refused {
            reader.skip()?;
            return Err(error);
        }
        match answer {
            Frame::Array(n) if n == inside as usize => {
                reader.next()?;
                self.decode(commands, reader)
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
}

/// The error when `MULTI` was refused: the commands after it were on their way already, and any of
/// them that was not refused too ran by itself.
#[cold]
fn without_multi(line: &str, commands: u32, reader: &mut Reader<'_>) -> Result<Error> {
    let mut ran = false;
    for _ in 0..commands {
        ran |= !matches!(reader.peek(), Ok(Frame::Error(_)));
        reader.skip()?;
    }
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

/// One reply, with the command's name in its error.
#[inline]
fn one<R: FromReply>(commands: &Encoded, at: u32, reader: &mut Reader<'_>) -> Result<R> {
    R::from_reply(reader).map_err(|error| error.with_command(commands.inner_name(at)))
}

/// The replies of a batch whose commands all have one type of reply.
pub struct Many<R> {
    count: u32,
    reply: PhantomData<fn() -> R>,
}

impl<R: FromReply> Replies for Many<R> {
    type Reply = Vec<R>;

    fn decode(&self, commands: &Encoded, reader: &mut Reader<'_>) -> Result<Vec<R>> {
        // As many as were sent, so no claim of the server's.
        let mut replies = Vec::with_capacity(self.count as usize);
        for at in 0..self.count {
            replies.push(one(commands, at, reader)?);
        }
        Ok(replies)
    }
}

impl<R> fmt::Debug for Many<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Many").field("count", &self.count).finish()
    }
}

impl<C: IntoCommand> Batch for Vec<C> {
    type Reply = Vec<C::Reply>;
    type Replies = Many<C::Reply>;

    fn encode(self, out: &mut Encoded) -> Self::Replies {
        each(self).encode(out)
    }
}

/// The commands of an iterator as a [`Batch`]; made by [`each`].
#[derive(Debug, Clone)]
pub struct Each<I>(I);

/// A batch of the commands that an iterator makes: each is encoded at once and forgotten, so that
/// a long pipeline costs its bytes and no more.
///
/// ```
/// # alizarin_core::__example!(client => {
/// use alizarin_core::command::each;
/// use alizarin_core::commands::{get, set};
///
/// let keys = ["a", "b", "c"];
/// client.pipeline(each(keys.iter().map(|key| set(key, 7)))).await?;
/// let values: Vec<u32> = client.pipeline(each(keys.iter().map(get))).await?;
/// assert_eq!(values, [7, 7, 7]);
/// # });
/// ```
pub fn each<I: IntoIterator<Item: IntoCommand>>(commands: I) -> Each<I> {
    Each(commands)
}

impl<I: IntoIterator<Item: IntoCommand>> Batch for Each<I> {
    type Reply = Vec<<I::Item as IntoCommand>::Reply>;
    type Replies = Many<<I::Item as IntoCommand>::Reply>;

    fn encode(self, out: &mut Encoded) -> Self::Replies {
        let mut count = 0;
        let commands = self.0.into_iter();
        let (least, _) = commands.size_hint();
        commands.for_each(|command| {
            command.push_to(out);
            if count == 0 {
                out.expect_more(least);
            }
            count += 1;
        });
        Many { count, reply: PhantomData }
    }
}

/// The replies of a batch that is a tuple.
pub struct Fixed<T>(PhantomData<fn() -> T>);

impl<T> fmt::Debug for Fixed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fixed")
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:literal)+))+) => {$(
        impl<$($name: IntoCommand),+> Batch for ($($name,)+) {
            type Reply = ($($name::Reply,)+);
            type Replies = Fixed<($($name::Reply,)+)>;

            #[expect(non_snake_case, reason = "variables have the names of their types")]
            fn encode(self, out: &mut Encoded) -> Self::Replies {
                let ($($name,)+) = self;
                $(out.push(&$name.into_command());)+
                Fixed(PhantomData)
            }
        }

        impl<$($name: FromReply),+> Replies for Fixed<($($name,)+)> {
            type Reply = ($($name,)+);

            fn decode(&self, commands: &Encoded, reader: &mut Reader<'_>) -> Result<Self::Reply> {
                Ok(($(one::<$name>(commands, $at, reader)?,)+))
            }
        }
    )+};
}

tuples! {
    (A 0) (A 0 B 1) (A 0 B 1 C 2) (A 0 B 1 C 2 D 3) (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5) (A 0 B 1 C 2 D 3 E 4 F 5 G 6) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8) (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11)
}
