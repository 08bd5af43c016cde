//! The scripts, and how their arguments are laid out.

use std::time::Duration;

use alizarin_core::commands::Script;
use alizarin_core::resp::Packed;

use super::Repository;
use super::failure::explain;
use crate::model::{DocumentWriter, ModelId, RedisModel, Storage};
use crate::{Client, Command, Error, ErrorKind, FromReply, Result, ServerCode};

pub(crate) static WRITE: Script = Script::new(include_str!("write.lua"));
pub(crate) static DELETE: Script = Script::new(include_str!("delete.lua"));
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
}

impl Call {
    pub(crate) fn new(script: &'static Script, key: &str) -> Call {
        let mut call = Call { script, keys: Packed::new(), arguments: Packed::new() };
        call.key(key);
        call
    }

    pub(crate) fn key(&mut self, key: &str) {
        self.keys.push(key.as_bytes());
    }

    pub(crate) fn arg(&mut self, argument: impl AsRef<[u8]>) -> &mut Call {
        self.arguments.push(argument.as_ref());
        self
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

impl Expected {
    pub(crate) fn text(&self) -> String {
        match self {
            Expected::Anything => String::new(),
            Expected::Version(version) => format!("v:{version}"),
            Expected::Fingerprint(digest) => format!("f:{digest}"),
        }
    }
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

    fn text(self) -> Result<String> {
        match self {
            Expiry::Keep => Ok("keep".to_owned()),
            Expiry::Clear => Ok("clear".to_owned()),
            Expiry::After(after) => milliseconds(after).map(|millis| millis.to_string()),
        }
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
    }
}

/// The version field as the scripts take it: a hash field, a JSON path, or nothing.
pub(crate) fn version_field<M: RedisModel>() -> String {
    match (M::SCHEMA.version, M::SCHEMA.storage) {
        (None, _) => String::new(),
        (Some(name), Storage::Hash) => name.to_owned(),
        (Some(name), Storage::Json) => json_path([name]),
    }
}

/// `$["a"]["b"]`
pub(crate) fn json_path<'a>(steps: impl IntoIterator<Item = &'a str>) -> String {
    let mut path = "$".to_owned();
    for step in steps {
        path.push('[');
        path.push_str(&json_string(step));
        path.push(']');
    }
    path
}

/// A JSON string with its quotes.
pub(crate) fn json_string(text: &str) -> String {
    // A string cannot fail to serialise.
    serde_json::to_string(text).unwrap_or_default()
}

/// The word for a storage in the scripts.
pub(crate) fn storage_word(storage: Storage) -> &'static str {
    match storage {
        Storage::Hash => "hash",
        Storage::Json => "json",
    }
}

/// The write script with everything before the document.
pub(crate) fn write_call<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    plan: &Plan<'_>,
    fields: &[String],
    part: bool,
) -> Result<Call> {
    let mut call = Call::new(&WRITE, &repository.key(id));
    let mut token = "";
    if let Some((key, value)) = plan.lock {
        call.key(key);
        token = value;
    }
    call.arg(storage_word(M::SCHEMA.storage))
        .arg(match plan.mode {
            Mode::Any => "any",
            Mode::Insert => "insert",
            Mode::Replace => "replace",
        })
        .arg(plan.expected.text())
        .arg(version_field::<M>())
        .arg(token)
        .arg(plan.expiry.text()?);
    let (channel, before, after) = match M::SCHEMA.events {
        true => event::<M>(repository, id, fields),
        false => Default::default(),
    };
    call.arg(channel).arg(before).arg(after).arg(if part { "part" } else { "all" });
    Ok(call)
}

/// The channel, and the `saved` event before and after its version.
fn event<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    fields: &[String],
) -> (String, String, String) {
    let fields: Vec<String> = fields.iter().map(|name| json_string(name)).collect();
    (
        repository.channel(),
        format!("{{\"op\":\"saved\",\"id\":{},\"version\":", json_string(&id_text(id))),
        format!(",\"fields\":[{}]}}", fields.join(",")),
    )
}

pub(crate) fn id_text<I: ModelId>(id: &I) -> String {
    let mut text = String::new();
    id.write_id(&mut text);
    text
}

/// A save, ready to be sent.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// `HSET` or `JSON.SET`.
    Plain(Command<()>),
    Script(Call),
}

impl Prepared {
    /// About how many bytes it sends.
    pub(crate) fn len(&self) -> usize {
        match self {
            Prepared::Plain(command) => command.packed().wire_len(),
            Prepared::Script(call) => call.arguments.wire_len(),
        }
    }
}

/// Lays out the write of a whole document.
pub(crate) fn prepare<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    model: &M,
    plan: &Plan<'_>,
) -> Result<Prepared> {
    if id_text(id).is_empty() {
        return Err(
            Error::new(ErrorKind::Value, "an empty id makes no key").with_field(M::SCHEMA.id)
        );
    }
    let mut writer = DocumentWriter::new(M::SCHEMA.storage);
    writer.document(model)?;
    let script = plan.needs_script::<M>();
    match M::SCHEMA.storage {
        Storage::Hash => {
            let (set, absent) = writer.into_hash();
            if !script && absent.argc() == 0 {
                let mut command = Command::new("HSET").key(repository.key(id));
                command.packed_mut().append(&set);
                return Ok(Prepared::Plain(command));
            }
            let mut call = write_call(repository, id, plan, &[], false)?;
            call.arg(absent.argc().to_string());
            call.arguments.append(&absent);
            call.arguments.append(&set);
            Ok(Prepared::Script(call))
        }
        Storage::Json => {
            let json = writer.into_json();
            if !script {
                let mut command = Command::new("JSON.SET").key(repository.key(id)).arg("$");
                command.packed_mut().push(&json);
                return Ok(Prepared::Plain(command));
            }
            let mut call = write_call(repository, id, plan, &[], false)?;
            call.arg("0").arg(json);
            Ok(Prepared::Script(call))
        }
    }
}

/// Sends a save; gives the new version, where there is one.
pub(crate) async fn send(client: &Client, prepared: Prepared, key: &str) -> Result<Option<u64>> {
    let outcome = match prepared {
        Prepared::Plain(command) => client.run(command).await.map(|()| None),
        Prepared::Script(call) => call.run::<Version>(client).await.map(|version| version.0),
    };
    outcome.map_err(|error| explain(error, key))
}

/// What the write script gives back: digits, or nothing.
#[derive(Debug)]
pub(crate) struct Version(pub(crate) Option<u64>);

impl FromReply for Version {
    fn from_reply(reader: &mut alizarin_core::resp::Reader<'_>) -> Result<Version> {
        let text = String::from_reply(reader)?;
        match text.as_str() {
            "" => Ok(Version(None)),
            digits => match digits.parse() {
                Ok(version) => Ok(Version(Some(version))),
                Err(_) => Err(Error::decode("a version", &format!("{digits:?}"))),
            },
        }
    }
}
