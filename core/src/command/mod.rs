//! One request: its arguments, what is known of it, and the type of its reply.

mod batch;
mod check;
mod encoded;
mod flags;
mod name;
mod slot;

pub use batch::{Batch, Each, Fixed, Many, Replies, each};
pub(crate) use check::{check, is_blocking, may_fire};
pub use encoded::Encoded;
pub use flags::Flags;
pub(crate) use flags::pack;
pub(crate) use name::{Name, named};
pub(crate) use slot::SLOTS;
pub use slot::slot;

use std::fmt;
use std::marker::PhantomData;

use crate::error::Result;
use crate::resp::{FromReply, Packed, Reader, ToArgs};

/// A command that is ready to be sent, and whose reply decodes into `R`.
///
/// `X` is what it runs on: `()` for a command that stands alone and can be pushed into a pipeline
/// or transaction, `&Client` for one that `.await` runs at once. Nothing is sent before that.
///
/// ```
/// use alizarin_core::{Command, command::Flags};
/// let usage = Command::<Option<u64>>::new("MEMORY").arg("USAGE").key("movie:1").flags(Flags::READ);
/// assert_eq!(usage.packed().first_key(), Some(&b"movie:1"[..]));
/// ```
#[must_use = "a command does nothing until it is awaited or pushed into a batch"]
pub struct Command<R, X = ()> {
    packed: Packed,
    flags: Flags,
    reply: PhantomData<fn() -> R>,
    target: X,
}

/// The same command once more, for whatever sends it more than once.
impl<R, X: Clone> Clone for Command<R, X> {
    fn clone(&self) -> Self {
        Command {
            packed: self.packed.clone(),
            flags: self.flags,
            reply: PhantomData,
            target: self.target.clone(),
        }
    }
}

impl<R> Command<R> {
    /// A command by its name; a name of two words is two arguments (`new("CONFIG").arg("GET")`).
    pub fn new(name: &str) -> Command<R> {
        let mut packed = Packed::new();
        packed.push(name.as_bytes());
        Command { packed, flags: Flags::of(name), reply: PhantomData, target: () }
    }

    /// A command of arguments that are encoded already.
    pub(crate) fn from_packed(packed: Packed) -> Command<R> {
        let flags = Flags::of(&packed.name());
        Command { packed, flags, reply: PhantomData, target: () }
    }

    /// A command with a name that is known when the program is compiled.
    #[inline]
    pub(crate) fn named(name: &'static Name) -> Command<R> {
        let packed = Packed::named(&name.wire, name.len);
        Command { packed, flags: name.flags, reply: PhantomData, target: () }
    }

    /// The same command, to run on `target` when awaited.
    #[inline]
    pub fn on<X>(self, target: X) -> Command<R, X> {
        Command { packed: self.packed, flags: self.flags, reply: PhantomData, target }
    }
}

impl<R, X> Command<R, X> {
    /// Adds one or several arguments. A large one (32 KiB or more) travels without being copied
    /// when it is owned, or is a `Bytes`; when it is borrowed it is copied once.
    #[inline]
    pub fn arg(mut self, value: impl ToArgs) -> Self {
        value.into_args(&mut self.packed);
        self
    }

    /// Adds one or several keys; the first key of a command decides which node of a cluster it
    /// is sent to.
    #[inline]
    pub fn key(mut self, key: impl ToArgs) -> Self {
        key.write_keys(&mut self.packed);
        self
    }

    /// Replaces what is known of the command: whether it writes, blocks, may be repeated. What
    /// is known as [`Flags::SESSION`] by its name stays so.
    #[inline]
    pub fn flags(mut self, flags: Flags) -> Self {
        self.set_flags(flags);
        self
    }

    #[inline]
    pub(crate) fn set_flags(&mut self, flags: Flags) {
        self.flags = self.flags.corrected(flags);
    }

    /// What is known of the command.
    #[inline]
    pub fn known_flags(&self) -> Flags {
        self.flags
    }

    /// The arguments, and what is known of the command.
    pub(crate) fn into_parts(self) -> (Packed, Flags) {
        (self.packed, self.flags)
    }

    /// The same command with another type of reply.
    #[inline]
    pub fn replying<S>(self) -> Command<S, X> {
        Command { packed: self.packed, flags: self.flags, reply: PhantomData, target: self.target }
    }

    /// The encoded arguments.
    #[inline]
    pub fn packed(&self) -> &Packed {
        &self.packed
    }

    /// The encoded arguments, for additions.
    #[inline]
    pub fn packed_mut(&mut self) -> &mut Packed {
        &mut self.packed
    }

    /// The command apart from what it runs on.
    #[inline]
    pub fn detach(self) -> (Command<R>, X) {
        let Command { packed, flags, target, .. } = self;
        (Command { packed, flags, reply: PhantomData, target: () }, target)
    }
}

impl<R: FromReply, X> Command<R, X> {
    /// Decodes a reply to this command; an error names the command.
    ///
    /// # Errors
    /// As [`FromReply::from_reply`].
    pub fn decode(&self, reader: &mut Reader<'_>) -> Result<R> {
        R::from_reply(reader).map_err(|error| error.with_command(self.packed.name()))
    }
}

impl<R, X> fmt::Debug for Command<R, X> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("packed", &self.packed).field("flags", &self.flags).finish()
    }
}

/// Whatever stands for one command: a [`Command`], or a builder with options.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no command that could be put together with others",
    label = "this is no command by itself",
    note = "commands of the module `commands` and of `Command::new(..)` can be put into pipelines and transactions; a client's own, `client.incr(..)`, run at once"
)]
pub trait IntoCommand {
    /// The type of the reply.
    type Reply: FromReply;

    /// The finished command.
    fn into_command(self) -> Command<Self::Reply>;

    /// Appends the finished command to a batch.
    #[doc(hidden)]
    #[inline]
    fn push_to(self, out: &mut Encoded)
    where
        Self: Sized,
    {
        out.push(&self.into_command());
    }
}

impl<R: FromReply> IntoCommand for Command<R> {
    type Reply = R;

    #[inline]
    fn into_command(self) -> Command<R> {
        self
    }

    #[inline]
    fn push_to(self, out: &mut Encoded) {
        out.push(&self);
    }
}
