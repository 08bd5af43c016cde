//! Results without end: a cursor's keys, each page's documents in one pipeline.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use alizarin_core::resp::{Frame, Reader};
use futures_core::Stream;

use super::QueryWriter;
use super::find::finish;
use super::hits::warnings;
use super::row::{Cell, Row};
use super::scope::{explain, index_name};
use crate::model::RedisModel;
use crate::repository::{Repository, load_page};
use crate::{Client, Command, Error, FromReply, Result, Value};

/// How many keys a page has.
const PAGE: usize = 500;

/// Documents one by one, from [`Find::stream`](super::Find::stream): a `Stream`, and usable
/// without one by [`Documents::next`].
///
/// No more than 500 documents are held at a time. A document that was there at the beginning and
/// does not change in between comes exactly once; one that is deleted in between may be left out.
/// Dropping it gives the server's cursor back.
#[must_use = "a stream does nothing until it is polled"]
pub struct Documents<M> {
    client: Client,
    index: String,
    next: Next,
    fetch: Option<Fetch<M>>,
    ready: VecDeque<M>,
    skip: usize,
    left: Option<usize>,
}

enum Next {
    Begin(Command<Cursor>),
    Read(u64),
    Done,
}

type Fetch<M> = Pin<Box<dyn Future<Output = Result<Fetched<M>>> + Send>>;

struct Fetched<M> {
    documents: Vec<M>,
    cursor: u64,
    /// How many of `Find::offset` this page used up.
    skipped: usize,
}

impl<M: RedisModel> Documents<M> {
    pub(crate) fn new(
        repository: &Repository<M>,
        query: &QueryWriter,
        timeout: Option<u64>,
        (offset, limit): (usize, Option<usize>),
    ) -> Result<Documents<M>> {
        let index = index_name(repository)?;
        let mut command = Command::new("FT.AGGREGATE").arg((index.as_str(), query.text())).arg((
            "LOAD",
            1u32,
            "@__key",
            "WITHCURSOR",
            "COUNT",
            PAGE,
        ));
        if let Some(timeout) = timeout {
            command = command.arg(("TIMEOUT", timeout));
        }
        finish(&mut command, query);
        Ok(Documents {
            client: repository.client().steady(),
            index,
            next: Next::Begin(command),
            fetch: None,
            ready: VecDeque::new(),
            skip: offset,
            left: limit,
        })
    }

    /// The next document; `None` at the end.
    ///
    /// # Errors
    /// As [`Find::all`](super::Find::all), without `TooMany`; after an error it ends.
    ///
    /// # Cancel safety
    /// No document is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<M>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The future of the next page, when there is one.
    fn begin(&mut self) -> Option<Fetch<M>> {
        let (command, cursor) = match std::mem::replace(&mut self.next, Next::Done) {
            Next::Begin(command) => (command, 0),
            Next::Read(cursor) => {
                let read = ("READ", self.index.as_str(), cursor, "COUNT", PAGE);
                (Command::new("FT.CURSOR").arg(read), cursor)
            }
            Next::Done => return None,
        };
        let (client, index, skip) = (self.client.clone(), self.index.clone(), self.skip);
        Some(Box::pin(async move {
            let mut guard = Cursored { client: &client, index: &index, cursor };
            let page = client.run(command).await.map_err(|error| explain(error, &index))?;
            guard.cursor = page.cursor;
            let skipped = skip.min(page.keys.len());
            let keys = page.keys.get(skipped..).unwrap_or_default();
            // Those that are gone are left out.
            let documents = load_page(&client, keys).await?.into_iter().flatten().collect();
            let cursor = guard.keep();
            Ok(Fetched { documents, cursor, skipped })
        }))
    }
}

/// Gives a cursor back to the server when its page could not be had, or nobody waits for it.
struct Cursored<'a> {
    client: &'a Client,
    index: &'a str,
    cursor: u64,
}

impl Cursored<'_> {
    fn keep(mut self) -> u64 {
        std::mem::take(&mut self.cursor)
    }
}

impl Drop for Cursored<'_> {
    fn drop(&mut self) {
        give_back(self.client, self.index, self.cursor);
    }
}

fn give_back(client: &Client, index: &str, cursor: u64) {
    if cursor != 0 {
        client.fire(Command::<Value>::new("FT.CURSOR").arg(("DEL", index, cursor)));
    }
}

/// A page of keys, and the cursor for those after it.
struct Cursor {
    keys: Vec<Vec<u8>>,
    cursor: u64,
}

impl FromReply for Cursor {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Cursor> {
        match reader.next()? {
            Frame::Array(2) => {}
            Frame::Error(line) => return Err(Error::server(line)),
            frame => return Err(Error::decode("a page and a cursor", &frame.describe())),
        }
        let mut keys = Vec::new();
        rows(reader, |row| {
            if let Some(Cell::Bytes(key)) = row.cell("__key") {
                keys.push(key.to_vec());
            }
            Ok(())
        })?;
        Ok(Cursor { keys, cursor: u64::from_reply(reader)? })
    }
}

/// Calls `each` with every row of an aggregation's reply, in the shapes of both protocols.
pub(crate) fn rows<'a>(
    reader: &mut Reader<'a>,
    mut each: impl FnMut(Row<'a>) -> Result<()>,
) -> Result<()> {
    match reader.next()? {
        Frame::Array(count) if count > 0 => {
            reader.skip()?;
            for _ in 1..count {
                each(Row::read(reader)?)?;
            }
            Ok(())
        }
        Frame::Map(count) => {
            for _ in 0..count {
                match String::from_reply(reader)?.as_str() {
                    "results" => {
                        let results = reader.next()?.children();
                        for _ in 0..results {
                            each(row(reader)?)?;
                        }
                    }
                    "warning" | "warnings" => warnings(reader)?,
                    _ => reader.skip()?,
                }
            }
            Ok(())
        }
        Frame::Error(line) => Err(Error::server(line)),
        frame => Err(Error::decode("rows", &frame.describe())),
    }
}

/// One of RESP3's results.
fn row<'a>(reader: &mut Reader<'a>) -> Result<Row<'a>> {
    let mut found = None;
    let count = match reader.next()? {
        Frame::Map(count) => count,
        frame => return Err(Error::decode("a row", &frame.describe())),
    };
    for _ in 0..count {
        match String::from_reply(reader)?.as_str() {
            "extra_attributes" => found = Some(Row::read(reader)?),
            _ => reader.skip()?,
        }
    }
    found.ok_or_else(|| Error::decode("a row's columns", "none"))
}

impl<M: RedisModel> Stream for Documents<M> {
    type Item = Result<M>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        loop {
            if self.left == Some(0) {
                self.release();
                return Poll::Ready(None);
            }
            if let Some(document) = self.ready.pop_front() {
                self.left = self.left.map(|left| left - 1);
                return Poll::Ready(Some(Ok(document)));
            }
            if self.fetch.is_none() {
                self.fetch = self.begin();
            }
            let Some(fetch) = &mut self.fetch else { return Poll::Ready(None) };
            let outcome = ready!(fetch.as_mut().poll(context));
            self.fetch = None;
            match outcome {
                Ok(page) => {
                    self.skip -= page.skipped;
                    self.ready.extend(page.documents);
                    self.next = match page.cursor {
                        0 => Next::Done,
                        cursor => Next::Read(cursor),
                    };
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// Nothing in it refers to itself.
impl<M> Unpin for Documents<M> {}

impl<M> Documents<M> {
    /// Gives the cursor back, where one is held.
    fn release(&mut self) {
        if let Next::Read(cursor) = std::mem::replace(&mut self.next, Next::Done) {
            give_back(&self.client, &self.index, cursor);
        }
    }
}

impl<M> Drop for Documents<M> {
    fn drop(&mut self) {
        self.release();
    }
}

impl<M> fmt::Debug for Documents<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents")
            .field("index", &self.index)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
