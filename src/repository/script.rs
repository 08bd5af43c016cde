//! The scripts, and how their arguments are laid out.

use std::time::Duration;

use alizarin_core::commands::Script;
use alizarin_core::resp::Packed;

use super::Repository;
use crate::model::{LimitSchema, ModelId, RedisModel, StampSchema, Storage, WriteSchema};
pub(crate) use crate::model::{json_path, json_string};
use crate::{Client, Command, Error, ErrorKind, FromReply, Result, ServerCode};

/// A script of sections: the shebang, which lets the server refuse a script before it does
/// anything, what all share, and its own part.
macro_rules! sections {
    ($shebang:literal, $($part:literal),+) => {
        Script::new(concat!($shebang, include_str!("lua/sections.lua"), $(include_str!($part)),+))
    };
}

pub(crate) static WRITE: Script = sections!("#!lua\n", "lua/plain.lua", "lua/write.lua");
/// The same for writes that start from what is stored, or have stamps or limits.
pub(crate) static WRITE_MORE: Script = sections!(
    "#!lua\n",
    "lua/numbers.lua",
    "lua/edits.lua",
    "lua/stamps.lua",
    "lua/limits.lua",
    "lua/write.lua"
);
pub(crate) static DELETE: Script = sections!("#!lua flags=allow-oom\n", "lua/delete.lua");
pub(crate) static READ: Script = Script::new(include_str!("read.lua"));
pub(crate) static LOCK: Script = Script::new(include_str!("lock.lua"));
pub(crate) static EXTEND: Script = Script::new(include_str!("extend.lua"));
pub(crate) static UNLOCK: Script = Script::new(include_str!("unlock.lua"));

/// A script with its keys and arguments.
#[derive(Debug)]
pub(crate) struct Call {
    script: &'static Script,
    keys: Packed,
    arguments: Packed,
    /// The section `limit`, which several add to.
    limits: Option<Box<Packed>>,
}

impl Call {
    pub(crate) fn new(script: &'static Script, key: &str) -> Call {
        let mut call = Call { script, keys: Packed::new(), arguments: Packed::new(), limits: None };
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

    /// About how many bytes it sends.
    pub(crate) fn len(&self) -> usize {
        self.arguments.wire_len()
    }

    /// The arguments of the section `limit`, to add some.
    pub(crate) fn limits_mut(&mut self) -> &mut Packed {
        self.limits.get_or_insert_default()
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
        match client.run(self.short()).await {
            Err(error) if error.server_code() == Some(ServerCode::NoScript) => {
                client.run(self.long()).await
            }
            outcome => outcome,
        }
    }
}

/// What has to be so before a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Any,
    Insert,
    Replace,
}

/// What the stored document has to be like before a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Anything,
    Version(u64),
    Fingerprint(String),
}

/// What becomes of the time to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    Keep,
    Clear,
    After(Duration),
}

impl Expiry {
    /// What the model says.
    pub(crate) fn of<M: RedisModel>() -> Expiry {
        M::SCHEMA.ttl.map_or(Expiry::Keep, Expiry::After)
    }

    fn write_to(self, call: &mut Call) -> Result<()> {
        match self {
            Expiry::Keep => {}
            Expiry::Clear => drop(call.section("ttl", &["clear"])),
            Expiry::After(after) => drop(call.section("ttl", &[milliseconds(after)?.to_string()])),
        }
        Ok(())
    }
}

/// A time to live as the server takes it: at least a millisecond.
pub(crate) fn milliseconds(after: Duration) -> Result<i64> {
    // Further away than this, the server's clock overflows.
    const MOST: u128 = i64::MAX as u128 / 2;
    match after.as_millis() {
        0 => Err(Error::new(ErrorKind::Value, "a time to live is at least a millisecond")),
        millis if millis > MOST => {
            Err(Error::new(ErrorKind::Value, format!("a time to live of {after:?} is too long")))
        }
        millis => i64::try_from(millis)
            .map_err(|error| Error::new(ErrorKind::Value, "too long").with_source(error)),
    }
}

/// The same of one field of a hash: the server counts such limits up to the year 4199.
pub(crate) fn field_milliseconds(after: Duration) -> Result<i64> {
    const MOST: i64 = 1_000 * 365 * 86_400_000;
    milliseconds(after).and_then(|millis| match millis {
        ..=MOST => Ok(millis),
        _ => Err(Error::new(ErrorKind::Value, "a field expires within a thousand years")),
    })
}

/// What the write script is told beside the document itself.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) mode: Mode,
    pub(crate) expected: Expected,
    pub(crate) expiry: Expiry,
    /// Lock key and token.
    pub(crate) lock: Option<(&'a str, &'a str)>,
    /// Whether the reply itself has to say if the document is new, which `JSON.SET` does not.
    pub(crate) tell: bool,
    /// Whether something is changed that starts from what is stored.
    pub(crate) edits: bool,
}

impl Plan<'_> {
    /// Whether a plain command does not do.
    pub(crate) fn needs_script<M: RedisModel>(&self) -> bool {
        self.mode != Mode::Any
            || self.expected != Expected::Anything
            || self.expiry != Expiry::Keep
            || self.lock.is_some()
            || M::SCHEMA.version.is_some()
            || M::SCHEMA.events
            || M::SCHEMA.writes != WriteSchema::NONE
    }
}

/// A script with the sections that every write of a document has: the storage, and the version
/// with what it has to be.
pub(crate) fn document_call<M: RedisModel>(
    script: &'static Script,
    key: &str,
    expected: &Expected,
) -> Call {
    let mut call = Call::new(script, key);
    call.section("storage", &[storage_word(M::SCHEMA.storage)]);
    if let Some(name) = M::SCHEMA.version {
        call.section("version", &[place(M::SCHEMA.storage, name)]);
    }
    match expected {
        Expected::Anything => {}
        Expected::Version(version) => drop(call.section("if_version", &[version.to_string()])),
        Expected::Fingerprint(digest) => drop(call.section("if_content", &[digest])),
    }
    call
}

/// The word for a storage in the scripts.
pub(crate) fn storage_word(storage: Storage) -> &'static str {
    match storage {
        Storage::Hash => "hash",
        Storage::Json => "json",
    }
}

/// A field of the model itself as the scripts take it: a hash field or a JSON path.
pub(crate) fn place(storage: Storage, name: &str) -> String {
    match storage {
        Storage::Hash => name.to_owned(),
        Storage::Json => json_path([name]),
    }
}

/// The write script with everything but the document, of which `fields` are written.
pub(crate) fn write_call<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    plan: &Plan<'_>,
    fields: &[String],
) -> Result<Call> {
    let plain = M::SCHEMA.writes == WriteSchema::NONE && !plan.edits;
    let script = if plain { &WRITE } else { &WRITE_MORE };
    let mut call = document_call::<M>(script, &repository.key(id), &plan.expected);
    match plan.mode {
        Mode::Any => {}
        Mode::Insert => drop(call.section("mode", &["insert"])),
        Mode::Replace => drop(call.section("mode", &["replace"])),
    }
    if let Some((key, token)) = plan.lock {
        let number = call.key(key);
        call.section("lock", &[&number.to_string(), token]);
    }
    plan.expiry.write_to(&mut call)?;
    put_stamps::<M>(&mut call);
    if M::SCHEMA.events {
        let names: Vec<String> = fields.iter().map(|name| json_string(name)).collect();
        let id = json_string(&id_text(id));
        let message = format!("{{\"op\":\"saved\",\"id\":{id},\"version\":");
        call.section("event", &[repository.channel(), message, names.join(",")]);
    }
    Ok(call)
}

pub(crate) fn id_text<I: ModelId>(id: &I) -> String {
    let mut text = String::new();
    id.write_id(&mut text);
    text
}

/// Adds how long a field lives, as `limits.lua` takes it.
pub(crate) fn put_limit(limit: &LimitSchema, out: &mut Packed) {
    out.push(limit.field.as_bytes());
    match limit.after {
        Some(after) => out.push_int(after.as_millis()),
        None => out.push(b"keep"),
    }
}

/// Adds the fields that the server stamps.
fn put_stamps<M: RedisModel>(call: &mut Call) {
    let WriteSchema { created_at, updated_at, .. } = M::SCHEMA.writes;
    for (section, stamp) in [("created", created_at), ("updated", updated_at)] {
        if let Some(StampSchema { field, milliseconds, text }) = stamp {
            let unit = if milliseconds { "ms" } else { "ns" };
            let form = if text { "string" } else { "number" };
            call.section(section, &[&place(M::SCHEMA.storage, field), unit, form]);
        }
    }
}
