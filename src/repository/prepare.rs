//! Writes laid out: plain commands where they do, else the script, and sent.

use alizarin_core::resp::Packed;

use super::failure::explain;
use super::outcome::Outcome;
use super::script::{Call, Plan, put_limit, write_call};
use super::unique::{Apart, Change, Constraints};
use super::{Changes, Repository, Written};
use crate::model::{
    DocumentWriter, ModelId as _, RedisModel, Storage, StoredValue, empty_part, json,
};
use crate::{Client, Command, Error, ErrorKind, Result};

/// A save, ready to be sent.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// `HSET` with so many fields, or `JSON.SET`.
    Plain(Command<()>, usize),
    /// In a box: it is larger by far, and rarer where many are held.
    Script(Box<Call>),
}

impl Prepared {
    /// How many fields of a hash a plain write sets.
    pub(crate) fn fields(&self) -> usize {
        match self {
            Prepared::Plain(_, fields) => *fields,
            Prepared::Script(_) => 0,
        }
    }

    /// About how many bytes it sends.
    pub(crate) fn len(&self) -> usize {
        match self {
            Prepared::Plain(command, _) => command.packed().wire_len(),
            Prepared::Script(call) => call.len(),
        }
    }
}

/// A whole document as the commands take it.
pub(super) struct Content {
    /// Hash: fields and values.
    set: Packed,
    /// Hash: names of fields that are not there.
    absent: Packed,
    json: Option<Vec<u8>>,
}

impl Content {
    pub(super) fn of<M: RedisModel>(id: &M::Id, model: &M) -> Result<Content> {
        if let Some(at) = empty_part(id) {
            let field = M::SCHEMA.ids.get(at).copied().unwrap_or_default();
            return Err(Error::new(ErrorKind::Value, "an empty id makes no key").with_field(field));
        }
        if M::KEYED {
            check_keyed::<M>(id)?;
        }
        let mut writer = DocumentWriter::new(M::SCHEMA.storage);
        writer.document(model)?;
        if M::KEYED && M::SCHEMA.storage == Storage::Hash && writer.len() == 0 {
            let message = "a hash without a field is not there: give one of them a value";
            return Err(Error::new(ErrorKind::Value, message));
        }
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

    /// The document again, made of what is to be written.
    pub(super) fn read<M: RedisModel>(&self) -> Result<M> {
        let mut partial = M::Partial::default();
        match &self.json {
            Some(text) => json::<M>(&mut partial, text)?,
            None => {
                let mut arguments = self.set.arguments();
                while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
                    M::accept(&mut partial, name, StoredValue::Hash(value))?;
                }
            }
        }
        M::finish(partial)
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

/// Refuses an id that the key would not give back.
fn check_keyed<M: RedisModel>(id: &M::Id) -> Result<()> {
    let (mut text, first) = (String::new(), M::SCHEMA.key.first().copied().unwrap_or_default());
    id.write_id(&mut text);
    if text.contains(first) {
        let message =
            format!("the key keeps the id: it cannot hold {first:?}, the key's beginning");
        let field = M::SCHEMA.ids.first().copied().unwrap_or_default();
        return Err(Error::new(ErrorKind::Value, message).with_field(field));
    }
    Ok(())
}

/// Lays out the write of a whole document. Fields `gone` of a hash are removed besides.
pub(crate) fn prepare<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    model: &M,
    plan: &Plan<'_>,
    gone: &[Vec<u8>],
) -> Result<Prepared> {
    let mut content = Content::of(id, model)?;
    gone.iter().for_each(|name| content.absent.push(name));
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
    scripted(repository, id, &content, plan).map(|call| Prepared::Script(Box::new(call)))
}

/// Lays out the write of a whole document by the script.
pub(super) fn scripted<M: RedisModel>(
    repository: &Repository<M>,
    id: &M::Id,
    content: &Content,
    plan: &Plan<'_>,
) -> Result<Call> {
    let mut call = write_call(repository, id, plan, &[])?;
    content.put_into(&mut call);
    for limit in M::SCHEMA.writes.limits {
        put_limit(limit, call.limits_mut());
    }
    if let Some(constraints) = Constraints::of(repository) {
        let whole = content.unique(&constraints)?;
        Apart::put_into(&mut call, constraints, repository.key(id), Some(whole), None);
    }
    Ok(call)
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
