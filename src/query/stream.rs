//! Results without end: a cursor's keys, each page's documents in one pipeline.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use alizarin_core::resp::{Frame, Reader};
use futures_core::Stream;

use super::QueryWriter;
use super::cursor::KeyPages;
use super::hits::warnings;
use super::row::Row;
use super::scope::index_name;
use crate::model::RedisModel;
use crate::repository::{Repository, Take, load_page};
use crate::{Client, Error, FromReply, Result};

/// Documents one by one, from [`Find::stream`](super::Find::stream): a `Stream`, and usable
/// without one by [`Documents::next`].
///
/// No more than 500 documents are held at a time. A document that was there at the beginning and
/// does not change in between comes exactly once; one that is deleted in between may be left out.
/// Dropping it gives the server's cursor back.
#[must_use = "a stream does nothing until it is polled"]
pub struct Documents<M> {
    index: String,
    /// `None` while a page is fetched, and at the end.
    pages: Option<KeyPages>,
    load: Load<M>,
    fetch: Option<Fetch<M>>,
    ready: VecDeque<M>,
    skip: usize,
    left: Option<usize>,
}

/// Reads the documents of these keys.
type Load<M> = fn(Client, Vec<Vec<u8>>) -> Loading<M>;

type Loading<M> = Pin<Box<dyn Future<Output = Result<Vec<Option<M>>>> + Send>>;

type Fetch<M> = Pin<Box<dyn Future<Output = Result<Fetched<M>>> + Send>>;

struct Fetched<M> {
    documents: Vec<M>,
    /// What gives the next page; `None` at the end.
    pages: Option<KeyPages>,
    /// How many of `Find::offset` this page used up.
    skipped: usize,
}

impl<I: Send + 'static> Documents<I> {
    pub(crate) fn new<M: RedisModel, T: Take<Model = M, Item = I>>(
        repository: &Repository<M>,
        query: &QueryWriter,
        timeout: Option<u64>,
        (offset, limit): (usize, Option<usize>),
    ) -> Result<Documents<I>> {
        Ok(Documents {
            index: index_name(repository)?,
            pages: Some(KeyPages::new(repository, query, timeout)?),
            load: |client, keys| Box::pin(async move { load_page::<T>(&client, &keys).await }),
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
    pub async fn next(&mut self) -> Option<Result<I>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The future of the next page, when there may be one.
    fn begin(&mut self) -> Option<Fetch<I>> {
        let (mut pages, skip, load) = (self.pages.take()?, self.skip, self.load);
        Some(Box::pin(async move {
            let Some(keys) = pages.next().await? else {
                return Ok(Fetched { documents: Vec::new(), pages: None, skipped: 0 });
            };
            let skipped = skip.min(keys.len());
            let keys = keys.into_iter().skip(skipped).collect();
            // Those that are gone are left out.
            let documents = load(pages.client().clone(), keys).await?.into_iter().flatten();
            let documents = documents.collect();
            Ok(Fetched { documents, pages: Some(pages), skipped })
        }))
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

impl<M: Send + 'static> Stream for Documents<M> {
    type Item = Result<M>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        loop {
            if self.left == Some(0) {
                self.pages = None;
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
                    self.pages = page.pages;
                }
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

/// Nothing in it refers to itself.
impl<M> Unpin for Documents<M> {}

impl<M> fmt::Debug for Documents<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents")
            .field("index", &self.index)
            .field("ready", &self.ready.len())
            .finish_non_exhaustive()
    }
}
