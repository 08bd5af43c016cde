//! How the arguments of the scripts are laid out.

use std::time::{Duration, SystemTime};

use alizarin_core::commands::Script;
use alizarin_core::resp::{Frame, Packed, Reader};
use bytes::Bytes;

pub(crate) use super::call::{
    Call, EXTEND, LOCK, READ, RESERVE, UNIQUE_MEND, UNIQUE_READ, UNIQUE_SWEEP, UNIQUE_VERIFY,
    UNLOCK,
};
use super::call::{DELETE, DELETE_UNIQUE, WRITE, WRITE_MORE, WRITE_UNIQUE};
use super::failure::explain;
use super::unique::{Apart, Change, Constraints};
use super::{Changes, Repository, Written};
use crate::model::{
    DocumentWriter, LimitSchema, ModelId, RedisModel, StampSchema, Storage, WriteSchema, empty_part,
};
pub(crate) use crate::model::{json_path, json_string};
use crate::{Client, Command, Error, ErrorKind, FromReply, Result};

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

/// A save, ready to be sent.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// `HSET` with so many fields, or `JSON.SET`.
    Plain(Command<()>, usize),
    Script(Call),
}

impl Prepared {
    /// About how many bytes it sends.
    pub(crate) fn len(&self) -> usize {
        match self {
            Prepared::Plain(command, _) => command.packed().wire_len(),
            Prepared::Script(call) => call.len(),
        }
    }
}

/// A whole document as the commands take it.
struct Content {
    /// Hash: fields and values.
    set: Packed,
    /// Hash: names of fields that are not there.
    absent: Packed,
    json: Option<Vec<u8>>,
}

impl Content {
    fn of<M: RedisModel>(id: &M::Id, model: &M) -> Result<Content> {
        if let Some(at) = empty_part(id) {
            let field = M::SCHEMA.ids.get(at).copied().unwrap_or_default();
            return Err(Error::new(ErrorKind::Value, "an empty id makes no key").with_field(field));
        }
        let mut writer = DocumentWriter::new(M::SCHEMA.storage);
        writer.document(model)?;
        Ok(match M::SCHEMA.storage {
            Storage::Hash => {
                let (set, absent) = writer.into_hash();
                Content { set, absent, json: None }
            }
            Storage::Json => {
                let json = Some(writer.into_json());
                Content { set: Packed::new(), absent: Packed::new(), json }
            }
        })
    }

    /// What it does to unique fields.
    fn unique(&self, constraints: &Constraints) -> Result<Vec<Change>> {
        match &self.json {
            Some(json) => constraints.of_json(json),
            None => Ok(constraints.of_hash(&self.set)),
        }
    }

    /// Adds the document to the write script.
    fn put_into(&self, call: &mut Call) {
        match &self.json {
            Some(json) => call.section("all", &[json]),
            None => call.section_of("absent", &self.absent).section_of("all", &self.set),
        };
    }
}

/// Lays out the write of a whole document.
pub(crate) fn prepare<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    model: &M,
    plan: &Plan<'_>,
) -> Result<Prepared> {
    let content = Content::of(id, model)?;
    if !plan.needs_script::<M>() {
        let key = repository.key(id);
        match &content.json {
            Some(json) if !plan.tell => {
                let mut command = Command::new("JSON.SET").key(key).arg("$");
                command.packed_mut().push(json);
                return Ok(Prepared::Plain(command, 0));
            }
            None if content.absent.argc() == 0 => {
                let mut command = Command::new("HSET").key(key);
                command.packed_mut().append(&content.set);
                return Ok(Prepared::Plain(command, content.set.argc() / 2));
            }
            _ => {}
        }
    }
    let mut call = write_call(repository, id, plan, &[])?;
    content.put_into(&mut call);
    for limit in M::SCHEMA.writes.limits {
        put_limit(limit, call.limits_mut());
    }
    if let Some(constraints) = Constraints::of(repository) {
        let whole = content.unique(&constraints)?;
        Apart::put_into(&mut call, constraints, repository.key(id), Some(whole), None);
    }
    Ok(Prepared::Script(call))
}

/// Lays out the write of parts of a document that exists; of the whole where it does not and
/// `instead` is given.
pub(crate) fn prepare_part<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    changes: &Changes<M>,
    instead: Option<&M>,
    plan: &Plan<'_>,
) -> Result<Call> {
    let mut call = write_call(repository, id, plan, changes.fields())?;
    changes.write_to(&mut call);
    let constraints = Constraints::of(repository);
    let mut whole = None;
    if let Some(model) = instead {
        let content = Content::of(id, model)?;
        content.put_into(&mut call);
        whole = constraints.as_ref().map(|one| content.unique(one)).transpose()?;
    }
    if let Some(constraints) = constraints {
        let part = changes.unique(&constraints)?;
        Apart::put_into(&mut call, constraints, repository.key(id), whole, Some(part));
    }
    Ok(call)
}

/// Sends a save.
pub(crate) async fn send(client: &Client, prepared: Prepared, key: &str) -> Result<Written> {
    let outcome = match prepared {
        // `JSON.SET` does not say whether the document is new.
        Prepared::Plain(command, 0) => {
            let there = Command::<bool>::new("EXISTS").key(key);
            let both = client.transaction((there, command)).await;
            both.map(|(there, ())| Written { created: !there, ..Written::default() })
        }
        // A hash of this model has its id at least: all fields are new only where it was not there.
        Prepared::Plain(command, fields) => client
            .run(command.replying::<usize>())
            .await
            .map(|new| Written { created: new == fields, ..Written::default() }),
        Prepared::Script(call) => {
            return run_write(client, &call, key).await.map(|out| out.written);
        }
    };
    outcome.map_err(|error| explain(error, key))
}

/// Runs the write script.
pub(crate) async fn run_write(client: &Client, call: &Call, key: &str) -> Result<Outcome> {
    call.run(client).await.map_err(|error| explain(error, key))
}

/// What the write script gives back: names and values.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) written: Written,
    /// Those of the section `returned`.
    pub(crate) values: Vec<Option<Bytes>>,
}

impl FromReply for Outcome {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Outcome> {
        let frame = reader.next()?;
        let (Frame::Array(_) | Frame::Map(_)) = frame else {
            return Err(match frame {
                Frame::Error(line) => Error::server(line),
                frame => Error::decode("what a write did", &frame.describe()),
            });
        };
        let mut out = Outcome::default();
        for _ in 0..frame.children() / 2 {
            match &*String::from_reply(reader)? {
                "created" => out.written.created = bool::from_reply(reader)?,
                "version" => out.written.version = Some(u64::from_reply(reader)?),
                "created_at" => out.written.created_at = Some(time(&String::from_reply(reader)?)?),
                "updated_at" => out.written.updated_at = Some(time(&String::from_reply(reader)?)?),
                "values" => out.values = Vec::from_reply(reader)?,
                _ => reader.skip()?,
            }
        }
        Ok(out)
    }
}

/// A stamp: milliseconds or nanoseconds since 1970, told apart by the unit behind them.
fn time(text: &str) -> Result<SystemTime> {
    let number = |digits: &str| digits.parse::<u64>().ok();
    let since = match text.split_at_checked(text.len().saturating_sub(2)) {
        Some((digits, "ms")) => number(digits).map(Duration::from_millis),
        Some((digits, "ns")) => number(digits).map(Duration::from_nanos),
        _ => None,
    };
    since
        .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
        .ok_or_else(|| Error::decode("a time since 1970", &format!("{text:?}")))
}
