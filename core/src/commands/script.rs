//! Lua scripts: sent by their digest, in full when the server does not have them.

use std::borrow::Borrow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use crate::client::Client;
use crate::client::Execute;
use crate::command::{Command, Flags, IntoCommand};
use crate::error::{Result, ServerCode};
use crate::resp::{FromReply, Packed, ToArgs};

/// A Lua script that the server runs as one step.
///
/// It lives in a `static`; its digest is computed once. Keys and arguments are added to
/// [`Script::invoke`].
///
/// ```
/// # alizarin_core::__example!(client => {
/// use alizarin_core::commands::Script;
///
/// static TAKE: Script = Script::new(
///     "local left = tonumber(redis.call('GET', KEYS[1]) or '0')
///      if left < tonumber(ARGV[1]) then return false end
///      return redis.call('DECRBY', KEYS[1], ARGV[1])",
/// );
/// client.set("stock", 5).await?;
/// let left: Option<i64> = TAKE.invoke().key("stock").arg(2).run(&client).await?;
/// assert_eq!(left, Some(3));
/// # });
/// ```
pub struct Script {
    source: &'static str,
    digest: OnceLock<String>,
}

impl Script {
    /// A script by its source. Text from users never belongs into it: give that as arguments.
    pub const fn new(source: &'static str) -> Script {
        Script { source, digest: OnceLock::new() }
    }

    /// The source.
    pub fn source(&self) -> &'static str {
        self.source
    }

    /// The SHA-1 digest of the source, in hexadecimal, by which the server knows it.
    pub fn digest(&self) -> &str {
        self.digest.get_or_init(|| sha1_smol::Sha1::from(self.source).digest().to_string())
    }

    /// A call of the script, without keys and arguments yet.
    pub fn invoke<R>(&'static self) -> Invoke<R> {
        Invoke {
            script: self,
            keys: Packed::new(),
            arguments: Packed::new(),
            flags: Flags::NONE,
            reply: std::marker::PhantomData,
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("digest", &self.digest()).finish()
    }
}

/// A call of a [`Script`].
///
/// In a pipeline or transaction it travels with the whole source (`EVAL`): there an unknown
/// digest could not be mended in time.
#[must_use = "a script does nothing until it is run or pushed into a batch"]
pub struct Invoke<R> {
    script: &'static Script,
    keys: Packed,
    arguments: Packed,
    flags: Flags,
    reply: std::marker::PhantomData<fn() -> R>,
}

impl<R> Invoke<R> {
    /// Adds one or several keys (`KEYS`).
    pub fn key(mut self, key: impl ToArgs) -> Self {
        key.write_keys(&mut self.keys);
        self
    }

    /// Adds one or several arguments (`ARGV`).
    pub fn arg(mut self, value: impl ToArgs) -> Self {
        value.into_args(&mut self.arguments);
        self
    }

    /// Says what is known of the script: whether it writes, or may be repeated.
    pub fn flags(mut self, flags: Flags) -> Self {
        self.flags = flags;
        self
    }

    fn command(&self, name: &str, script: &str) -> Command<R> {
        let mut command = Command::new(name).arg(script).arg(self.keys.argc());
        for key in self.keys.arguments() {
            command.packed_mut().push_key(key);
        }
        command.packed_mut().append(&self.arguments);
        command.flags(self.flags)
    }
}

impl<R: FromReply> Invoke<R> {
    /// Runs the script: by its digest (`EVALSHA`), and if the server does not know that, with its
    /// source (`EVAL`). The first refusal proves that nothing ran.
    pub fn run<C: Borrow<Client> + Clone>(self, client: C) -> RunScript<R, C> {
        let attempt = Execute::new(client.clone(), self.command("EVALSHA", self.script.digest()));
        RunScript { attempt, call: Some((self, client)) }
    }
}

impl<R: FromReply> IntoCommand for Invoke<R> {
    type Reply = R;

    fn into_command(self) -> Command<R> {
        self.command("EVAL", self.script.source)
    }
}

impl<R> fmt::Debug for Invoke<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoke").field("script", self.script).finish_non_exhaustive()
    }
}

/// A script on its way.
///
/// # Cancel safety
/// As [`Execute`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
pub struct RunScript<R: FromReply, C: Borrow<Client>> {
    attempt: Execute<Command<R>, C>,
    /// What the second attempt needs.
    call: Option<(Invoke<R>, C)>,
}

impl<R: FromReply, C: Borrow<Client>> Unpin for RunScript<R, C> {}

impl<R: FromReply, C: Borrow<Client>> Future for RunScript<R, C> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<R>> {
        let this = self.get_mut();
        loop {
            let outcome = match Pin::new(&mut this.attempt).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(outcome) => outcome,
            };
            match outcome {
                Err(error) if error.server_code() == Some(ServerCode::NoScript) => {
                    let Some((call, client)) = this.call.take() else {
                        return Poll::Ready(Err(error));
                    };
                    this.attempt = Execute::new(client, call.into_command());
                }
                outcome => return Poll::Ready(outcome),
            }
        }
    }
}
