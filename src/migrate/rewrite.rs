//! Documents of an old struct become those of a new one, one by one, while others write too.

use std::pin::Pin;

use alizarin_core::command::{Flags, each};

use super::content::{Content, Found};
use crate::model::{DocumentWriter, RedisModel, Storage};
use crate::repository::draft::Draft;
use crate::repository::outcome::Outcome;
use crate::repository::prepare::{Prepared, prepare, send};
use crate::repository::scan::page_of_keys;
use crate::repository::script::{Call, Expected, Expiry, Mode, Plan, READ, storage_word};
use crate::repository::{Repositories, Repository, explain};
use crate::{Client, Command, Error, ErrorKind, Result, ServerCode};

/// About how many keys one page looks at.
const PAGE: usize = 100;

/// How often a document that others write too is tried.
const ATTEMPTS: u32 = 16;

type Convert<A, B> = Box<dyn Fn(A) -> Result<B> + Send + Sync>;
type Test<O> = Box<dyn Fn(&O) -> bool + Send + Sync>;

/// Whose documents they are.
#[derive(Debug)]
pub(crate) struct Place<'c> {
    pub(crate) client: &'c Client,
    pub(crate) namespace: &'c str,
}

/// What a page of documents came to.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Where the next one begins; `None` at the end.
    pub(crate) cursor: Option<String>,
    pub(crate) seen: u64,
    /// Rewritten, or what would be.
    pub(crate) changed: u64,
    pub(crate) failures: Vec<(String, Error)>,
}

pub(crate) type Pages<'a> = Pin<Box<dyn Future<Output = Result<Page>> + Send + 'a>>;

/// A rewriting of documents, whatever their structs are.
pub(crate) trait Rewriter: Send + Sync {
    /// Refuses what cannot be done in place.
    fn check(&self) -> Result<()>;

    fn can_undo(&self) -> bool;

    /// Looks at one page of documents, and rewrites those of the other form.
    fn page<'a>(&'a self, at: Place<'a>, cursor: &'a str, undo: bool, dry: bool) -> Pages<'a>;
}

/// From `O` to `N`.
pub(crate) struct Rewriting<O, N> {
    pub(crate) forth: Convert<O, N>,
    pub(crate) back: Option<Convert<N, O>>,
    /// Which documents that read as `O` are old; without it those that do not read as `N`.
    pub(crate) when: Option<Test<O>>,
}

/// What a document is.
enum Form<O, N> {
    Old(O),
    New(N),
}

impl<O: RedisModel, N: RedisModel> Rewriting<O, N> {
    fn form(&self, content: &Content) -> Result<Form<O, N>> {
        match &self.when {
            Some(when) => match content.read::<O>() {
                Ok(old) if when(&old) => Ok(Form::Old(old)),
                _ => content.read().map(Form::New),
            },
            None => match content.read::<N>() {
                Ok(new) => Ok(Form::New(new)),
                Err(error) => content.read().map(Form::Old).map_err(|_| error),
            },
        }
    }

    /// The converted document where it has to be one.
    fn forth(&self, content: &Content) -> Result<Option<N>> {
        match self.form(content)? {
            Form::Old(old) => (self.forth)(old).map(Some),
            Form::New(_) => Ok(None),
        }
    }

    fn back(&self, content: &Content) -> Result<Option<O>> {
        match (self.form(content)?, &self.back) {
            (Form::New(new), Some(back)) => back(new).map(Some),
            _ => Ok(None),
        }
    }

    async fn pages(&self, at: Place<'_>, cursor: &str, undo: bool, dry: bool) -> Result<Page> {
        if undo {
            let is_old = |content: &Content| matches!(self.form(content), Ok(Form::Old(_)));
            return page::<N, O>(&at, cursor, dry, &|content| self.back(content), &is_old).await;
        }
        let is_new = |content: &Content| matches!(self.form(content), Ok(Form::New(_)));
        page::<O, N>(&at, cursor, dry, &|content| self.forth(content), &is_new).await
    }
}

impl<O: RedisModel, N: RedisModel> Rewriter for Rewriting<O, N> {
    fn check(&self) -> Result<()> {
        let (old, new) = (O::SCHEMA, N::SCHEMA);
        if (old.key, old.storage) == (new.key, new.storage) {
            return Ok(());
        }
        let message = format!(
            "{} and {} have not the same keys and storage: documents are rewritten where they are",
            old.name, new.name
        );
        Err(Error::new(ErrorKind::Usage, message))
    }

    fn can_undo(&self) -> bool {
        self.back.is_some()
    }

    fn page<'a>(&'a self, at: Place<'a>, cursor: &'a str, undo: bool, dry: bool) -> Pages<'a> {
        Box::pin(self.pages(at, cursor, undo, dry))
    }
}

/// Gives the document that a content becomes; `None` where it is one already.
type Change<'a, B> = &'a (dyn Fn(&Content) -> Result<Option<B>> + Send + Sync);
/// Whether a content is what it should become.
type Done<'a> = &'a (dyn Fn(&Content) -> bool + Send + Sync);

/// Rewrites the documents of one page that were `A`s as `B`s.
async fn page<A: RedisModel, B: RedisModel>(
    at: &Place<'_>,
    cursor: &str,
    dry: bool,
    change: Change<'_, B>,
    done: Done<'_>,
) -> Result<Page> {
    let repository: Repository<B> = at.client.repository().with_namespace(at.namespace);
    let (next, keys) = page_of_keys(&repository, cursor, PAGE).await?;
    let mut page = Page { cursor: (next != "0").then_some(next), ..Page::default() };
    page.seen = keys.len() as u64;
    // Most documents of most pages are what they should be: these are only read.
    let reads = keys.iter().map(|(key, _)| read(B::SCHEMA.storage, key));
    let found = at.client.pipeline(each(reads)).await?;
    let mut old = Vec::new();
    for (found, (key, id)) in found.into_iter().zip(keys) {
        let changed = found.map_err(|error| explain(error, &key)).and_then(|found| match found.0 {
            Some(content) => change(&content),
            None => Ok(None),
        });
        match changed {
            Ok(Some(_)) => old.push((key, id)),
            Ok(None) => {}
            Err(error) => page.failures.push((key, error)),
        }
    }
    if dry {
        page.changed = old.len() as u64;
        return Ok(page);
    }
    let contents = marked(at.client, B::SCHEMA.storage, &old).await?;
    let mut calls = Vec::new();
    for ((key, id), content) in old.into_iter().zip(contents) {
        match content.and_then(|marked| rewritten::<A, B>(&repository, &id, marked, change, done)) {
            Ok(Some(call)) => calls.push((key, id, call)),
            Ok(None) => {}
            Err(error) => page.failures.push((key, error)),
        }
    }
    let written = at.client.pipeline(scripts(calls.iter().map(|(_, _, call)| call))).await?;
    for (written, (key, id, call)) in written.into_iter().zip(calls) {
        let outcome: Result<Outcome> = written;
        let outcome = match outcome.map(|outcome| outcome.written) {
            Err(error) if error.server_code() == Some(ServerCode::NoScript) => {
                send(at.client, Prepared::Script(Box::new(call)), &key).await
            }
            outcome => outcome.map_err(|error| explain(error, &key)),
        };
        let outcome = match outcome {
            Ok(_) => Ok(true),
            // Somebody wrote in between: what he wrote is what counts now.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                again::<A, B>(&repository, &key, &id, change, done).await
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(changed) => page.changed += u64::from(changed),
            Err(error) => page.failures.push((key, error)),
        }
    }
    Ok(page)
}

/// One document that others write too; says whether it was rewritten.
async fn again<A: RedisModel, B: RedisModel>(
    repository: &Repository<B>,
    key: &str,
    id: &B::Id,
    change: Change<'_, B>,
    done: Done<'_>,
) -> Result<bool> {
    let client = repository.client();
    for attempt in 1.. {
        let mut call = Call::new(&READ, key);
        call.arg(storage_word(B::SCHEMA.storage));
        let marked: Option<(String, Found)> =
            call.run(client).await.map_err(|error| explain(error, key))?;
        let Some(call) = rewritten::<A, B>(repository, id, marked, change, done)? else {
            return Ok(false);
        };
        match send(client, Prepared::Script(Box::new(call)), key).await {
            Ok(_) => return Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => {
                client.pause(crate::repository::update::pause(attempt)).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// The write that replaces a document's content by what becomes of it, if it is still that.
fn rewritten<A: RedisModel, B: RedisModel>(
    repository: &Repository<B>,
    id: &B::Id,
    marked: Option<(String, Found)>,
    change: Change<'_, B>,
    done: Done<'_>,
) -> Result<Option<Call>> {
    let Some((fingerprint, Found(Some(content)))) = marked else { return Ok(None) };
    let Some(model) = change(&content)? else { return Ok(None) };
    let draft = Draft::of(&model)?;
    let model = draft.model();
    if *model.id() != *id {
        let message = "a document's id cannot change: its key would be another one";
        return Err(Error::new(ErrorKind::Usage, message).with_field(&B::SCHEMA.ids.join(", ")));
    }
    let mut writer = DocumentWriter::new(B::SCHEMA.storage);
    writer.document(model)?;
    let (gone, becomes) = match B::SCHEMA.storage {
        Storage::Hash => {
            let (set, _) = writer.into_hash();
            let gone = content.left_over::<A>(&set);
            let becomes = content.with(&gone, &set);
            (gone, becomes)
        }
        Storage::Json => (Vec::new(), Content::Json(writer.into_json())),
    };
    // Otherwise it would be rewritten again and again.
    if !done(&becomes) {
        let message = format!(
            "what it becomes still reads as {}: say by `when` which documents are old",
            A::SCHEMA.name
        );
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let expected = Expected::Fingerprint(fingerprint);
    let plan = Plan {
        mode: Mode::Replace,
        expected,
        expiry: Expiry::Keep,
        lock: None,
        tell: false,
        edits: false,
    };
    match prepare(repository, id, model, &plan, &gone)? {
        Prepared::Script(call) => Ok(Some(*call)),
        Prepared::Plain(..) => Ok(None),
    }
}

fn read(storage: Storage, key: &str) -> Command<Result<Found>> {
    match storage {
        Storage::Hash => Command::new("HGETALL").key(key),
        Storage::Json => Command::new("JSON.GET").key(key),
    }
}

type Marked = Result<Option<(String, Found)>>;

/// The contents with their fingerprints, in one pipeline.
async fn marked<I>(client: &Client, storage: Storage, keys: &[(String, I)]) -> Result<Vec<Marked>> {
    let calls: Vec<Call> = keys
        .iter()
        .map(|(key, _)| {
            let mut call = Call::new(&READ, key);
            call.arg(storage_word(storage));
            call
        })
        .collect();
    let replies: Vec<Marked> = client.pipeline(scripts(&calls)).await?;
    let mut contents = Vec::with_capacity(replies.len());
    for ((reply, call), (key, _)) in replies.into_iter().zip(&calls).zip(keys) {
        let content = match reply {
            Err(error) if error.server_code() == Some(ServerCode::NoScript) => {
                call.run(client).await
            }
            content => content,
        };
        contents.push(content.map_err(|error| explain(error, key)));
    }
    Ok(contents)
}

/// Calls as a pipeline: the first one brings the source, so that the others find it.
fn scripts<'c, R>(calls: impl IntoIterator<Item = &'c Call>) -> Vec<Command<Result<R>>> {
    let command = |(at, call): (usize, &Call)| {
        let command = if at == 0 { call.long() } else { call.short() };
        command.flags(Flags::NONE)
    };
    calls.into_iter().enumerate().map(command).collect()
}
