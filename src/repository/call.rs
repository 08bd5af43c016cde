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
        Script::new(concat!($shebang, include_str!("lua/sections.lua"), $(include_str!($part)),+))
    };
}

pub(crate) static WRITE: Script =
    sections!("#!lua\n", "lua/plain.lua", "lua/free.lua", "lua/write.lua");
/// The same for writes that start from what is stored, or have stamps or limits.
pub(crate) static WRITE_MORE: Script = sections!(
    "#!lua\n",
    "lua/numbers.lua",
    "lua/edits.lua",
    "lua/stamps.lua",
    "lua/limits.lua",
    "lua/free.lua",
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
    "lua/write.lua"
);
pub(super) static DELETE: Script =
    sections!("#!lua flags=allow-oom\n", "lua/free.lua", "lua/delete.lua");
pub(super) static DELETE_UNIQUE: Script =
    sections!("#!lua flags=allow-oom\n", "lua/unique.lua", "lua/delete.lua");
pub(crate) static UNIQUE_READ: Script =
    sections!("#!lua flags=no-writes,allow-oom\n", "lua/unique.lua", "lua/unique_read.lua");
pub(crate) static UNIQUE_VERIFY: Script =
    sections!("#!lua\n", "lua/unique.lua", "lua/unique_verify.lua");
pub(crate) static UNIQUE_MEND: Script =
    sections!("#!lua\n", "lua/unique.lua", "lua/unique_mend.lua");
pub(crate) static UNIQUE_SWEEP: Script =
    sections!("#!lua flags=allow-oom\n", "lua/unique.lua", "lua/unique_sweep.lua");
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
        let mut call = Call {
            script,
            keys: Packed::new(),
            arguments: Packed::new(),
            limits: None,
            apart: None,
        };
        call.key(key);
        call
    }

    /// Adds a key; gives its number in `KEYS`.
    pub(crate) fn key(&mut self, key: &str) -> usize {
        self.keys.push(key.as_bytes());
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
    pub(super) fn is_apart(&self) -> bool {
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
            command.packed_mut().push(b"limit");
            command.packed_mut().push_int(limits.argc());
            command.packed_mut().append(limits);
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
