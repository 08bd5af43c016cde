//! Writing many documents in pipelines.

use std::fmt;
use std::pin::Pin;

use alizarin_core::command::Flags;
use alizarin_core::resp::{Frame, Reader};

use super::draft::Draft;
use super::failure::explain;
use super::script::{Call, Expected, Expiry, Mode, Outcome, Plan, Prepared, prepare, send};
use super::{Repository, Written};
use crate::model::RedisModel;
use crate::{Command, Error, FromReply, Result, ServerCode};

/// How many documents one pipeline writes, unless [`SaveAll::batch`] says otherwise.
const BATCH: usize = 500;

/// A pipeline is sent when it has grown to this many bytes, however few documents it has.
const BYTES: usize = 1 << 20;

impl<M: RedisModel> Repository<M> {
    /// Saves many documents, pipelined: each as [`Repository::save`] does, all together not
    /// atomically. Takes `&[M]`, `&Vec<M>`, or any iterator of `&M`; gives how many were saved.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let more = [Account::new(3, "Cem", 0), Account::new(4, "Dora", 70)];
    /// assert_eq!(accounts.save_all(&more).await?, 2);
    /// assert_eq!(accounts.get(&4).await?.map(|dora| dora.cents), Some(70));
    /// # Ok(()) });
    /// ```
    pub fn save_all<'a, I>(&'a self, models: I) -> SaveAll<'a, M, I::IntoIter>
    where
        I: IntoIterator<Item = &'a M>,
    {
        SaveAll { repository: self, models: models.into_iter(), batch: BATCH, progress: None }
    }
}

type Progress<'a> = Box<dyn FnMut(usize) + Send + 'a>;

/// Writes of many documents, from [`Repository::save_all`].
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// # alizarin_samples::accounts(async |accounts| {
/// let new = [Account::new(3, "Cem", 0), Account::new(4, "Dora", 70)];
/// let rich = new.iter().filter(|account| account.cents > 50);
/// assert_eq!(accounts.save_all(rich).await?, 1);
/// # Ok(()) });
/// ```
///
/// # Errors
/// The first failure, as [`Save`](super::Save) gives it, naming the key. Documents of earlier
/// pipelines are written, those of later ones are not, and of the same pipeline any other may be.
///
/// # Cancel safety
/// Dropped before it is done, some documents are written and some are not, each as a whole.
#[must_use = "a save does nothing until it is awaited"]
pub struct SaveAll<'a, M, I> {
    repository: &'a Repository<M>,
    models: I,
    batch: usize,
    progress: Option<Progress<'a>>,
}

impl<'a, M, I> SaveAll<'a, M, I>
where
    M: RedisModel,
    I: Iterator<Item = &'a M> + Send + 'a,
{
    /// How many documents one pipeline writes: 500 by default, at least one. One of more than a
    /// mebibyte is sent sooner.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let more: Vec<Account> = (3..=12).map(|id| Account::new(id, "Cem", 0)).collect();
    /// let mut pipelines = 0;
    /// let save = accounts.save_all(&more).batch(4).on_progress(|_| pipelines += 1);
    /// assert_eq!(save.await?, 10);
    /// assert_eq!(pipelines, 3);
    /// # Ok(()) });
    /// ```
    pub fn batch(mut self, documents: usize) -> Self {
        self.batch = documents.max(1);
        self
    }

    /// Calls `progress` after each pipeline with the number of documents written so far.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin_samples::Account;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let more: Vec<Account> = (3..=12).map(|id| Account::new(id, "Cem", 0)).collect();
    /// let mut written = Vec::new();
    /// accounts.save_all(&more).batch(4).on_progress(|done| written.push(done)).await?;
    /// assert_eq!(written, [4, 8, 10]);
    /// # Ok(()) });
    /// ```
    pub fn on_progress(mut self, progress: impl FnMut(usize) + Send + 'a) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    async fn run(mut self) -> Result<usize> {
        let mut done = 0;
        let mut page = Vec::new();
        let mut bytes = 0;
        loop {
            let next = self.models.next();
            let ended = next.is_none();
            if let Some(model) = next {
                let key = self.repository.key(&model.id());
                let (prepared, draft) = Draft::of(model)
                    .and_then(|draft| {
                        let prepared =
                            prepare(self.repository, &model.id(), draft.model(), &plan::<M>())?;
                        Ok((prepared, draft))
                    })
                    .map_err(|error| at_key(error, &key))?;
                bytes += prepared.len();
                page.push((key, prepared, draft));
            }
            if !page.is_empty() && (ended || page.len() >= self.batch || bytes >= BYTES) {
                let count = page.len();
                send_page(self.repository, std::mem::take(&mut page)).await?;
                bytes = 0;
                done += count;
                if let Some(progress) = &mut self.progress {
                    progress(done);
                }
            }
            if ended {
                return Ok(done);
            }
        }
    }
}

fn plan<M: RedisModel>() -> Plan<'static> {
    Plan {
        mode: Mode::Any,
        expected: Expected::Anything,
        expiry: Expiry::of::<M>(),
        lock: None,
        tell: M::HOOKS,
        edits: false,
    }
}

/// Writes one pipeline; scripts that the server forgot meanwhile go once more, with the source.
async fn send_page<M: RedisModel>(
    repository: &Repository<M>,
    page: Vec<(String, Prepared, Draft<'_, M>)>,
) -> Result<()> {
    let client = repository.client();
    // Of each document its script, or the number of its fields.
    let mut calls: Vec<std::result::Result<Call, usize>> = Vec::with_capacity(page.len());
    let mut drafts = Vec::with_capacity(page.len());
    let mut commands: Vec<Command<Result<Done>>> = Vec::with_capacity(page.len());
    for (key, prepared, draft) in page {
        match prepared {
            Prepared::Plain(command, fields) => {
                commands.push(command.replying());
                calls.push(Err(fields));
            }
            Prepared::Script(call) => {
                // The first one brings the source, so that the others find it: sent once more
                // one by one, they would come after later writes of the same document.
                let first = calls.iter().all(Result::is_err);
                let command = if first { call.long() } else { call.short() };
                commands.push(command.flags(Flags::NONE));
                calls.push(Ok(call));
            }
        }
        drafts.push((key, draft));
    }
    let replies = client.pipeline(commands).await?;
    let mut failure = None;
    for ((reply, call), (key, draft)) in replies.into_iter().zip(calls).zip(&drafts) {
        let outcome = match (reply, call) {
            (Err(error), Ok(call)) if error.server_code() == Some(ServerCode::NoScript) => {
                send(client, Prepared::Script(call), key).await
            }
            (Err(error), _) => Err(explain(error, key)),
            (Ok(Done::Script(written)), _) => Ok(written),
            (Ok(Done::Plain(new)), call) => {
                Ok(Written { created: call.err() == new, ..Written::default() })
            }
        };
        match outcome {
            Ok(written) => draft.written(&written),
            Err(error) => drop(failure.get_or_insert_with(|| at_key(error, key))),
        }
    }
    failure.map_or(Ok(()), Err)
}

/// The reply to one write.
enum Done {
    /// That of `HSET`, the number of new fields, or that of `JSON.SET`.
    Plain(Option<usize>),
    Script(Written),
}

impl FromReply for Done {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Done> {
        match reader.peek()? {
            Frame::Integer(_) => usize::from_reply(reader).map(|new| Done::Plain(Some(new))),
            Frame::Array(_) | Frame::Map(_) => {
                Outcome::from_reply(reader).map(|outcome| Done::Script(outcome.written))
            }
            _ => <()>::from_reply(reader).map(|()| Done::Plain(None)),
        }
    }
}

/// The same error, naming the document where it does not yet.
fn at_key(error: Error, key: &str) -> Error {
    if error.message().contains(key) {
        return error;
    }
    let message = format!("document `{key}`: {}", error.message());
    let mut named = Error::new(error.kind(), message).with_sent(error.sent());
    if let Some(field) = error.field() {
        named = named.with_field(field);
    }
    named.with_source(error)
}

impl<'a, M, I> IntoFuture for SaveAll<'a, M, I>
where
    M: RedisModel,
    I: Iterator<Item = &'a M> + Send + 'a,
{
    type Output = Result<usize>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<usize>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M, I> fmt::Debug for SaveAll<'_, M, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaveAll").field("batch", &self.batch).finish_non_exhaustive()
    }
}
