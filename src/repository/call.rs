//! The scripts themselves, with their keys and arguments.

use std::sync::Arc;

use alizarin_core::commands::Script;
use alizarin_core::resp::Packed;

use super::unique::Apart;
use crate::{Client, Command, FromReply, Result, ServerCode};

/// The text of some of the scripts' parts, one after the other.
macro_rules! lua {
    ($($part:literal)+) => {
        concat!($(include_str!(concat!("lua/", $part, ".lua"))),+)
    };
}

/// What writes know that start from what is stored, or have stamps or limits.
macro_rules! more {
    () => {
        lua!("numbers" "edits" "stamps" "limits")
    };
}

/// A script of sections: the shebang, which lets the server refuse a script before it does
/// anything, what all share, and its own parts.
macro_rules! sections {
    ($shebang:literal, $($part:tt)+) => {
        Script::new(concat!($shebang, lua!("alone" "sections"), $($part)+))
    };
}

/// The same as a function of a script of several.
macro_rules! body {
    ($name:literal, $($part:tt)+) => {
        concat!(
            "function bodies.", $name, "(KEYS, ARGV)\n", lua!("sections"), $($part)+, "end\n"
        )
    };
}

pub(crate) static WRITE: Script = sections!("#!lua\n", lua!("plain" "free" "content" "write"));
/// The same for writes that start from what is stored, or have stamps or limits.
pub(crate) static WRITE_MORE: Script =
    sections!("#!lua\n", more!(), lua!("free" "content" "write"));
/// The same for models with unique fields.
pub(super) static WRITE_UNIQUE: Script =
    sections!("#!lua\n", more!(), lua!("unique" "content" "write"));
pub(super) static DELETE: Script = sections!("#!lua flags=allow-oom\n", lua!("free" "delete"));
pub(super) static DELETE_UNIQUE: Script =
    sections!("#!lua flags=allow-oom\n", lua!("unique" "delete"));
/// The same for documents that refer to one which is deleted, if they still do.
pub(crate) static DELETE_REFERRER: Script =
    sections!("#!lua flags=allow-oom\n", lua!("unique" "refers" "referring" "delete"));
pub(crate) static CHANGE_REFERRER: Script = sections!(
    "#!lua flags=allow-oom\n",
    more!(),
    lua!("unique" "refers" "referring" "drop" "content" "write")
);
/// A document with those that refer to it.
pub(crate) static REFERRED: Script = Script::new(concat!(
    "#!lua flags=allow-oom\n",
    lua!("together" "refers"),
    body!("write", more!(), lua!("unique" "referring" "drop" "content" "deep" "write")),
    body!("delete", lua!("unique" "referring" "delete")),
    lua!("referred"),
));
pub(crate) static UNIQUE_READ: Script =
    sections!("#!lua flags=no-writes,allow-oom\n", lua!("unique" "unique_read"));
pub(crate) static UNIQUE_VERIFY: Script = sections!("#!lua\n", lua!("unique" "unique_verify"));
pub(crate) static UNIQUE_MEND: Script = sections!("#!lua\n", lua!("unique" "unique_mend"));
pub(crate) static UNIQUE_SWEEP: Script =
    sections!("#!lua flags=allow-oom\n", lua!("unique" "unique_sweep"));
/// Several steps, each of which calls its body.
pub(crate) static TRANSACTION: Script = Script::new(concat!(
    "#!lua\n",
    lua!("together"),
    body!("write", more!(), lua!("unique" "content" "deep" "write")),
    body!("delete", lua!("unique" "delete")),
    body!("check", lua!("content" "check")),
    lua!("dump" "command" "transaction"),
));
/// What a key of any type holds, to be compared later.
pub(crate) static WATCH: Script =
    Script::new(concat!("#!lua flags=no-writes,allow-oom\n", lua!("dump" "watch")));
pub(crate) static RESERVE: Script = Script::new(include_str!("reserve.lua"));
pub(crate) static READ: Script = Script::new(include_str!("read.lua"));
pub(crate) static LOCK: Script = Script::new(include_str!("lock.lua"));
pub(crate) static EXTEND: Script = Script::new(include_str!("extend.lua"));
pub(crate) static UNLOCK: Script = Script::new(include_str!("unlock.lua"));

/// A script with its keys and arguments.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    script: &'static Script,
    keys: Packed,
    arguments: Packed,
    /// The section `limit`, which several add to.
    limits: Option<Box<Packed>>,
    /// Reserves in other slots what is unique.
    apart: Option<Arc<Apart>>,
}

impl Call {
    pub(crate) fn new(script: &'static Script, key: &str) -> Call {
        let mut call = Call::without_keys(script);
        call.key(key);
        call
    }

    pub(crate) fn without_keys(script: &'static Script) -> Call {
        let (keys, arguments) = (Packed::new(), Packed::new());
        Call { script, keys, arguments, limits: None, apart: None }
    }

    /// Its keys and arguments.
    pub(crate) fn into_parts(self) -> (Packed, Packed) {
        let Call { keys, mut arguments, limits, .. } = self;
        if let Some(limits) = &limits {
            push_limits(limits, &mut arguments);
        }
        (keys, arguments)
    }

    /// Adds arguments that are ready.
    pub(crate) fn args(&mut self, arguments: &Packed) -> &mut Call {
        self.arguments.append(arguments);
        self
    }

    /// The same for another script of sections, which knows more of them.
    pub(crate) fn with_script(mut self, script: &'static Script) -> Call {
        self.script = script;
        self
    }

    /// Adds a call of sections to a script of several: its sort, how many keys and arguments it has,
    /// and these.
    pub(crate) fn put_call(&mut self, sort: &str, call: Call) {
        let (keys, arguments) = call.into_parts();
        self.arg(sort).arg(keys.argc().to_string()).arg(arguments.argc().to_string());
        self.keys.append(&keys);
        self.arguments.append(&arguments);
    }

    /// Adds a key; gives its number in `KEYS`.
    pub(crate) fn key(&mut self, key: impl AsRef<[u8]>) -> usize {
        self.keys.push(key.as_ref());
        self.keys.argc()
    }

    pub(crate) fn arg(&mut self, argument: impl AsRef<[u8]>) -> &mut Call {
        self.arguments.push(argument.as_ref());
        self
    }

    /// A named section of a script of sections.
    pub(crate) fn section(&mut self, name: &str, arguments: &[impl AsRef<[u8]>]) -> &mut Call {
        self.arguments.push(name.as_bytes());
        self.arguments.push_int(arguments.len());
        arguments.iter().for_each(|argument| self.arguments.push(argument.as_ref()));
        self
    }

    /// The same, with arguments that are ready; none make no section.
    pub(crate) fn section_of(&mut self, name: &str, arguments: &Packed) -> &mut Call {
        if arguments.argc() > 0 {
            self.arguments.push(name.as_bytes());
            self.arguments.push_int(arguments.argc());
            self.arguments.append(arguments);
        }
        self
    }

    /// The arguments of the section `limit`, to add some.
    pub(crate) fn limits_mut(&mut self) -> &mut Packed {
        self.limits.get_or_insert_default()
    }

    /// Lets it run by steps, since what it has to reserve lies in other slots.
    pub(super) fn set_apart(&mut self, apart: Apart) {
        self.apart = Some(Arc::new(apart));
    }

    /// Whether it takes several steps.
    pub(crate) fn is_apart(&self) -> bool {
        self.apart.is_some()
    }

    /// About how many bytes it sends.
    pub(super) fn len(&self) -> usize {
        self.arguments.wire_len()
    }

    /// By the digest, which the server may not know.
    pub(crate) fn short<R>(&self) -> Command<R> {
        self.command("EVALSHA", self.script.digest())
    }

    /// With the whole source.
    pub(crate) fn long<R>(&self) -> Command<R> {
        self.command("EVAL", self.script.source())
    }

    fn command<R>(&self, name: &str, script: &str) -> Command<R> {
        let mut command = Command::new(name).arg(script).arg(self.keys.argc());
        for key in self.keys.arguments() {
            command.packed_mut().push_key(key);
        }
        command.packed_mut().append(&self.arguments);
        if let Some(limits) = &self.limits {
            push_limits(limits, command.packed_mut());
        }
        command
    }

    /// Runs it: by the digest first; the server's refusal of that proves that nothing ran.
    pub(crate) async fn run<R: FromReply>(&self, client: &Client) -> Result<R> {
        match &self.apart {
            Some(apart) => Box::pin(apart.write(client, self)).await,
            None => self.run_once(client).await,
        }
    }

    /// Runs it as it is, in one step.
    pub(super) async fn run_once<R: FromReply>(&self, client: &Client) -> Result<R> {
        match client.run(self.short()).await {
            Err(error) if error.server_code() == Some(ServerCode::NoScript) => {
                client.run(self.long()).await
            }
            outcome => outcome,
        }
    }
}

/// Adds the section `limit`.
fn push_limits(limits: &Packed, out: &mut Packed) {
    out.push(b"limit");
    out.push_int(limits.argc());
    out.append(limits);
}
