//! The scripts themselves, with their keys and arguments.

use std::sync::Arc;

use alizarin_core::commands::Script;
use alizarin_core::resp::Packed;

use super::unique::Apart;
use crate::{Client, Command, FromReply, Result, ServerCode};

/// A script of sections: the shebang, which lets the server refuse a script before it does
/// anything, what all share, and its own part.
macro_rules! sections {
    ($shebang:literal, $($part:literal),+) => {
        Script::new(concat!(
            $shebang,
            include_str!("lua/alone.lua"),
            include_str!("lua/sections.lua"),
            $(include_str!($part)),+
        ))
    };
}

pub(crate) static WRITE: Script =
    sections!("#!lua\n", "lua/plain.lua", "lua/free.lua", "lua/content.lua", "lua/write.lua");
/// The same for writes that start from what is stored, or have stamps or limits.
pub(crate) static WRITE_MORE: Script = sections!(
    "#!lua\n",
    "lua/numbers.lua",
    "lua/edits.lua",
    "lua/stamps.lua",
    "lua/limits.lua",
    "lua/free.lua",
    "lua/content.lua",
    "lua/write.lua"
);
/// The same for models with unique fields.
pub(super) static WRITE_UNIQUE: Script = sections!(
    "#!lua\n",
    "lua/numbers.lua",
    "lua/edits.lua",
    "lua/stamps.lua",
    "lua/limits.lua",
    "lua/unique.lua",
    "lua/content.lua",
    "lua/write.lua"
);
pub(super) static DELETE: Script =
    sections!("#!lua flags=allow-oom\n", "lua/free.lua", "lua/delete.lua");
pub(super) static DELETE_UNIQUE: Script =
    sections!("#!lua flags=allow-oom\n", "lua/unique.lua", "lua/delete.lua");
/// The same for documents that refer to one which is deleted, if they still do.
pub(crate) static DELETE_REFERRER: Script = sections!(
    "#!lua flags=allow-oom\n",
    "lua/unique.lua",
    "lua/refers.lua",
    "lua/referring.lua",
    "lua/delete.lua"
);
pub(crate) static CHANGE_REFERRER: Script = sections!(
    "#!lua flags=allow-oom\n",
    "lua/numbers.lua",
    "lua/edits.lua",
    "lua/stamps.lua",
    "lua/limits.lua",
    "lua/unique.lua",
    "lua/refers.lua",
    "lua/referring.lua",
    "lua/drop.lua",
    "lua/content.lua",
    "lua/write.lua"
);
/// A document with those that refer to it: the same scripts as functions of one.
pub(crate) static REFERRED: Script = Script::new(concat!(
    "#!lua flags=allow-oom\n",
    include_str!("lua/together.lua"),
    include_str!("lua/refers.lua"),
    "function bodies.write(KEYS, ARGV)\n",
    include_str!("lua/sections.lua"),
    include_str!("lua/numbers.lua"),
    include_str!("lua/edits.lua"),
    include_str!("lua/stamps.lua"),
    include_str!("lua/limits.lua"),
    include_str!("lua/unique.lua"),
    include_str!("lua/referring.lua"),
    include_str!("lua/drop.lua"),
    include_str!("lua/content.lua"),
    include_str!("lua/deep.lua"),
    include_str!("lua/write.lua"),
    "end\nfunction bodies.delete(KEYS, ARGV)\n",
    include_str!("lua/sections.lua"),
    include_str!("lua/unique.lua"),
    include_str!("lua/referring.lua"),
    include_str!("lua/delete.lua"),
    "end\n",
    include_str!("lua/referred.lua"),
));
pub(crate) static UNIQUE_READ: Script =
    sections!("#!lua flags=no-writes,allow-oom\n", "lua/unique.lua", "lua/unique_read.lua");
pub(crate) static UNIQUE_VERIFY: Script =
    sections!("#!lua\n", "lua/unique.lua", "lua/unique_verify.lua");
pub(crate) static UNIQUE_MEND: Script =
    sections!("#!lua\n", "lua/unique.lua", "lua/unique_mend.lua");
pub(crate) static UNIQUE_SWEEP: Script =
    sections!("#!lua flags=allow-oom\n", "lua/unique.lua", "lua/unique_sweep.lua");
/// The same scripts as functions of one, each of which is called once for each of its steps.
pub(crate) static TRANSACTION: Script = Script::new(concat!(
    "#!lua\n",
    include_str!("lua/together.lua"),
    "function bodies.write(KEYS, ARGV)\n",
    include_str!("lua/sections.lua"),
    include_str!("lua/numbers.lua"),
    include_str!("lua/edits.lua"),
    include_str!("lua/stamps.lua"),
    include_str!("lua/limits.lua"),
    include_str!("lua/unique.lua"),
    include_str!("lua/content.lua"),
    include_str!("lua/deep.lua"),
    include_str!("lua/write.lua"),
    "end\nfunction bodies.delete(KEYS, ARGV)\n",
    include_str!("lua/sections.lua"),
    include_str!("lua/unique.lua"),
    include_str!("lua/delete.lua"),
    "end\nfunction bodies.check(KEYS, ARGV)\n",
    include_str!("lua/sections.lua"),
    include_str!("lua/content.lua"),
    include_str!("lua/check.lua"),
    "end\n",
    include_str!("lua/dump.lua"),
    include_str!("lua/command.lua"),
    include_str!("lua/transaction.lua"),
));
/// What a key of any type holds, to be compared later.
pub(crate) static WATCH: Script = Script::new(concat!(
    "#!lua flags=no-writes,allow-oom\n",
    include_str!("lua/dump.lua"),
    include_str!("lua/watch.lua"),
));
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
