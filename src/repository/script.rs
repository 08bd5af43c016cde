//! How the arguments of the scripts are laid out.

use std::time::Duration;

use alizarin_core::commands::Script;
use alizarin_core::resp::Packed;

use super::Repository;
pub(crate) use super::call::{
    Call, EXTEND, LOCK, READ, RESERVE, TRANSACTION, UNIQUE_MEND, UNIQUE_READ, UNIQUE_SWEEP,
    UNIQUE_VERIFY, UNLOCK, WATCH,
};
use super::call::{DELETE, DELETE_UNIQUE, WRITE, WRITE_MORE, WRITE_UNIQUE};
use super::unique::{Apart, Constraints};
use crate::model::{LimitSchema, ModelId, RedisModel, StampSchema, Storage, WriteSchema};
pub(crate) use crate::model::{json_path, json_string};
use crate::{Error, ErrorKind, Result};

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
            || !M::SCHEMA.unique.is_empty()
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

/// The script that deletes a document.
pub(crate) fn delete_call<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    expected: &Expected,
) -> Call {
    let key = repository.key(id);
    let Some(constraints) = Constraints::of(repository) else {
        return document_call::<M>(&DELETE, &key, expected);
    };
    let mut call = document_call::<M>(&DELETE_UNIQUE, &key, expected);
    let whole = constraints.none();
    Apart::put_into(&mut call, constraints, key, Some(whole), None);
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
    let script = match plain {
        _ if !M::SCHEMA.unique.is_empty() => &WRITE_UNIQUE,
        true => &WRITE,
        false => &WRITE_MORE,
    };
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
