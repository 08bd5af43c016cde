//! One pipeline of writes.

use std::fmt;
use std::pin::Pin;

use alizarin_core::command::{Flags, each};
use alizarin_core::resp::{Frame, Reader};

use crate::model::RedisModel;
use crate::repository::failure::explain;
use crate::repository::outcome::Outcome;
use crate::repository::prepare::Prepared;
use crate::repository::{Call, Deletion, Repository, Written};
use crate::{Client, Error, ErrorKind, FromReply, Result, ServerCode};

/// A pipeline is sent when it has grown to this many bytes, however few documents it has.
pub(super) const BYTES: usize = 1 << 20;

/// What is to be done with many documents: implemented for what [`Bulk`](super::Bulk) is made of.
#[diagnostic::on_unimplemented(message = "`{Self}` is no bulk work on documents of `{M}`")]
pub trait Jobs<M: RedisModel>: Send {
    /// Whether a reply of nothing, of zero, or `NotFound` says that there was no such document.
    #[doc(hidden)]
    const FINDS: bool;

    /// The next few of them, at most `most`; none at the end.
    #[doc(hidden)]
    fn next(
        &mut self,
        repository: &Repository<M>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Job<M::Id>>>> + Send;

    /// Called for each of them in order, before the next few are asked for.
    #[doc(hidden)]
    fn settled(&mut self, id: &M::Id, outcome: &Result<Settled>);
}

/// What became of a document that did not fail.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Settled {
    /// There was such a document, or there need not be.
    pub(super) there: bool,
    pub(super) written: Written,
    /// How many documents that refer to it went with it, and how many lost a reference.
    pub(super) cascaded: usize,
    pub(super) unset: usize,
}

impl Settled {
    /// What a deletion did with those that refer to the document, or would do.
    pub(super) fn of(deletion: &Deletion) -> Settled {
        Settled {
            there: deletion.found,
            cascaded: deletion.deleted.len(),
            unset: deletion.unset.len(),
            ..Settled::default()
        }
    }
}

/// What is to be done with one document.
#[doc(hidden)]
#[derive(Debug)]
pub struct Job<I> {
    pub(super) id: I,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    Write(Prepared),
    /// It takes several round trips.
    Steps(Steps),
    /// It would be done, but is not.
    Pretend,
    /// It cannot even be sent.
    Refused(Error),
}

/// What is done in several round trips, when it is asked for.
pub(super) struct Steps(pub(super) Box<dyn FnOnce() -> Stepping + Send + Sync>);

pub(super) type Stepping = Pin<Box<dyn Future<Output = Result<Settled>> + Send>>;

impl fmt::Debug for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Steps")
    }
}

/// A write of one document, by its key.
pub(crate) fn step(key: String, call: Call) -> Job<String> {
    Job { id: key, work: Work::Write(Prepared::Script(Box::new(call))) }
}

/// Sends them in one pipeline; gives of each, in their order, whether there was something to do.
pub(crate) async fn send_in_steps(client: &Client, steps: Vec<Job<String>>) -> Vec<Result<bool>> {
    let page = Page::send(client, &String::clone, steps, true).await;
    let outcomes = page.outcomes.into_iter();
    outcomes.map(|(_, outcome)| outcome.map(|settled| settled.there)).collect()
}

/// A pipeline that was sent.
pub(super) struct Page<I> {
    /// Each document's outcome, in order.
    pub(super) outcomes: Vec<(I, Result<Settled>)>,
    /// The error, when the pipeline as a whole was lost.
    pub(super) lost: Option<Error>,
}

impl<I> Page<I> {
    /// Sends the jobs in one pipeline.
    pub(super) async fn send(
        client: &Client,
        key: &(impl Fn(&I) -> String + Sync),
        jobs: Vec<Job<I>>,
        finds: bool,
    ) -> Page<I> {
        let mut brought = false;
        let writes = jobs.iter().filter_map(|job| match &job.work {
            Work::Write(Prepared::Script(call)) if call.is_apart() => None,
            Work::Write(write) => Some(write),
            Work::Steps(_) | Work::Pretend | Work::Refused(_) => None,
        });
        let commands = writes.clone().map(|write| match write {
            Prepared::Plain(command, _) => command.clone().replying::<Result<Reply>>(),
            Prepared::Script(call) => {
                // The first one brings the source, so that the others find it: sent once more
                // one by one, they would come after later writes of the same document.
                let command = if brought { call.short() } else { call.long() };
                brought = true;
                command.flags(Flags::NONE)
            }
        });
        let (mut replies, lost) = match writes.clone().next() {
            None => (Vec::new().into_iter(), None),
            Some(_) => match client.pipeline(each(commands)).await {
                Ok(replies) => (replies.into_iter(), None),
                Err(error) => (Vec::new().into_iter(), Some(error)),
            },
        };
        let mut outcomes = Vec::with_capacity(jobs.len());
        for Job { id, work } in jobs {
            let outcome = match work {
                Work::Refused(error) => Err(error),
                Work::Steps(steps) => (steps.0)().await,
                Work::Pretend => Ok(Settled { there: true, ..Settled::default() }),
                // It takes several steps. One after another, since a document may come twice.
                Work::Write(Prepared::Script(call)) if call.is_apart() => {
                    let reply = call.run::<Reply>(client).await;
                    let outcome = reply.map(|reply| reply.settled(0));
                    outcome.map_err(|error| explain(error, &key(&id)))
                }
                Work::Write(write) => match replies.next() {
                    Some(Ok(reply)) => Ok(reply.settled(write.fields())),
                    Some(Err(error)) => {
                        let again = again(client, error, write).await;
                        again.map_err(|error| explain(error, &key(&id)))
                    }
                    None => Err(unanswered(lost.as_ref())),
                },
            };
            let outcome = match outcome {
                Ok(settled) => Ok(Settled { there: settled.there || !finds, ..settled }),
                Err(error) if finds && error.kind() == ErrorKind::NotFound => {
                    Ok(Settled::default())
                }
                Err(error) => Err(at_key(error, &key(&id))),
            };
            outcomes.push((id, outcome));
        }
        Page { outcomes, lost }
    }
}

/// What the server refused for the moment, so that it did not run, goes once more: a script that it
/// has forgotten, and whatever came to a primary that is none any longer, or to one that reads its data
/// yet.
#[cold]
async fn again(client: &Client, error: Error, write: Prepared) -> Result<Settled> {
    const PASSING: [ServerCode; 3] =
        [ServerCode::Loading, ServerCode::NoScript, ServerCode::ReadOnly];
    if error.server_code().is_none_or(|code| !PASSING.contains(&code)) {
        return Err(error);
    }
    let fields = write.fields();
    let reply = match write {
        Prepared::Plain(command, _) => client.run(command.replying::<Reply>()).await,
        Prepared::Script(call) => call.run(client).await,
    };
    Ok(reply?.settled(fields))
}

/// The error of a document whose pipeline was lost.
fn unanswered(lost: Option<&Error>) -> Error {
    match lost {
        Some(error) => {
            let copy = Error::new(error.kind(), error.message().to_owned()).with_sent(error.sent());
            match error.command() {
                Some(command) => copy.with_command(command.to_owned()),
                None => copy,
            }
        }
        None => Error::decode("a reply for each document", "fewer"),
    }
}

/// Any reply but an error.
enum Reply {
    Number(usize),
    Nothing,
    Other,
    Written(Written),
}

impl Reply {
    /// What it says of a document, of which so many fields were written.
    fn settled(self, fields: usize) -> Settled {
        match self {
            Reply::Number(number) => {
                let created = fields > 0 && number == fields;
                let written = Written { created, ..Written::default() };
                Settled { there: number > 0, written, ..Settled::default() }
            }
            Reply::Nothing => Settled::default(),
            Reply::Other => Settled { there: true, ..Settled::default() },
            Reply::Written(written) => Settled { there: true, written, ..Settled::default() },
        }
    }
}

impl FromReply for Reply {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Reply> {
        match reader.peek()? {
            Frame::Integer(_) => usize::from_reply(reader).map(Reply::Number),
            Frame::Null => <()>::from_reply(reader).map(|()| Reply::Nothing),
            Frame::Array(_) | Frame::Map(_) => {
                Outcome::from_reply(reader).map(|outcome| Reply::Written(outcome.written))
            }
            _ => <()>::from_reply(reader).map(|()| Reply::Other),
        }
    }
}

/// The same error, naming the document where it does not yet.
fn at_key(error: Error, key: &str) -> Error {
    if error.message().contains(key) {
        return error;
    }
    let message = format!("document `{key}`: {}", error.message());
    reworded(error, message)
}

/// The same error with other words.
pub(super) fn reworded(error: Error, message: String) -> Error {
    let mut named = Error::new(error.kind(), message).with_sent(error.sent());
    if let Some(field) = error.field() {
        named = named.with_field(field);
    }
    if let Some(holder) = error.holder() {
        named = named.with_holder(holder);
    }
    if let Some(referrers) = error.referrers() {
        named = named.with_referrers(referrers.clone());
    }
    named.with_source(error)
}
