//! Conditions that the index cannot answer, checked here.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::find::CAP;
use super::stream::Documents;
use super::{Find, Node};
use crate::model::RedisModel;
use crate::{Error, ErrorKind, Result};

/// How many documents are read at once where there is an order.
const PAGE: usize = 500;

impl<'r, M: RedisModel, E: Node> Find<'r, M, E> {
    /// Keeps the documents that `keep` is true of. They are read whole and looked at here, so the
    /// filter should leave few; limit and offset count what is kept.
    ///
    /// It is how several conditions are put to **one** element of a list of structs. The index has
    /// each field's values of the whole list together, so a filter alone may be met by two
    /// different elements:
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// #[derive(Debug, Clone, PartialEq, RedisModel)]
    /// #[redis(json, prefix = "order", index)]
    /// struct Order {
    ///     #[redis(id)]
    ///     id: u32,
    ///     #[redis(nested)]
    ///     lines: Vec<Line>,
    /// }
    ///
    /// #[derive(Debug, Clone, PartialEq, RedisNested)]
    /// struct Line {
    ///     #[redis(tag)]
    ///     article: String,
    ///     #[redis(numeric)]
    ///     count: u32,
    /// }
    ///
    /// # alizarin_samples::client(async |client, namespace| {
    /// # let orders = client.repository::<Order>().with_namespace(namespace);
    /// # orders.index().sync().await?;
    /// let line = |article: &str, count| Line { article: article.into(), count };
    /// orders.save(&Order { id: 1, lines: vec![line("pen", 1), line("ink", 9)] }).await?;
    /// orders.save(&Order { id: 2, lines: vec![line("pen", 7)] }).await?;
    ///
    /// let some_of_each = orders.find(|o| o.lines.article.has("pen") & o.lines.count.gt(5));
    /// assert_eq!(some_of_each.count().await?, 2);
    ///
    /// let many_pens = orders
    ///     .find(|o| o.lines.article.has("pen") & o.lines.count.gt(5))
    ///     .keep(|order| order.lines.iter().any(|line| line.article == "pen" && line.count > 5));
    /// assert_eq!(many_pens.first().await?.map(|order| order.id), Some(2));
    /// # Ok(()) });
    /// ```
    pub fn keep<P>(self, keep: P) -> Kept<'r, M, E, P>
    where
        P: Fn(&M) -> bool + Send,
    {
        Kept { find: self, keep }
    }
}

/// A search whose results are looked at once more, from [`Find::keep`]. Awaited as it is, it is
/// [`all`](Kept::all).
///
/// Without an order it reads by a cursor (`FT.AGGREGATE`), 500 documents at a time; with one by
/// pages (`FT.SEARCH`), and a document that comes or goes meanwhile may be left out or come twice.
///
/// # Cancel safety
/// It only reads: dropping the future loses nothing.
#[must_use = "a search does nothing until it is awaited"]
pub struct Kept<'r, M, E, P> {
    find: Find<'r, M, E>,
    keep: P,
}

impl<M: RedisModel, E: Node, P: Fn(&M) -> bool + Send> Kept<'_, M, E, P> {
    /// All that are kept: 10,000 at most unless [`Find::limit`] was called.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let short = films
    ///     .find(|f| f.year.lt(1990))
    ///     .sort_by(|f| f.year.desc())
    ///     .keep(|film| film.title.len() < 10);
    /// let titles: Vec<_> = short.all().await?.into_iter().map(|film| film.title).collect();
    /// assert_eq!(titles, ["Airplane!", "Alien"]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`]; `TooMany` when more are kept.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn all(self) -> Result<Vec<M>> {
        let limit = self.find.limit;
        let mut skip = self.find.offset;
        let mut kept = Vec::new();
        let mut too_many = false;
        if limit == Some(0) {
            return Ok(kept);
        }
        self.each(|document| {
            if skip > 0 {
                skip -= 1;
                return true;
            }
            too_many = limit.is_none() && kept.len() == CAP;
            if !too_many {
                kept.push(document);
            }
            !too_many && Some(kept.len()) != limit
        })
        .await?;
        if too_many {
            let message = format!(
                "more than {CAP} documents are kept: narrow the filter, set `limit`, or use `stream`"
            );
            return Err(Error::new(ErrorKind::TooMany, message));
        }
        Ok(kept)
    }

    /// The first that is kept, whatever the limit.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let found = films.find(|f| f.year.gt(1900)).keep(|film| film.title.ends_with('!'));
    /// assert_eq!(found.first().await?.map(|film| film.year), Some(1980));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`], without `TooMany`.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn first(mut self) -> Result<Option<M>> {
        self.find.limit = Some(1);
        Ok(self.all().await?.pop())
    }

    /// How many are kept, whatever limit and offset: each is read.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let found = films.find(|f| f.year.lt(1990)).keep(|film| film.title.len() < 10);
    /// assert_eq!(found.count().await?, 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`], without `TooMany`.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn count(mut self) -> Result<u64> {
        let mut count = 0;
        self.find.order = None;
        self.each(|_| {
            count += 1;
            true
        })
        .await?;
        Ok(count)
    }

    /// Those that are kept one by one, in constant memory and in no order.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let mut short = films.find(|f| f.year.lt(1990)).keep(|film| film.title.len() < 6).stream()?;
    /// assert_eq!(short.next().await.transpose()?.map(|film| film.title).as_deref(), Some("Alien"));
    /// assert!(short.next().await.is_none());
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::stream`].
    pub fn stream(mut self) -> Result<KeptDocuments<M, P>> {
        let (skip, left) = (std::mem::take(&mut self.find.offset), self.find.limit.take());
        Ok(KeptDocuments { documents: self.find.stream()?, keep: self.keep, skip, left })
    }

    /// Calls `each` with what is kept until it gives `false`.
    async fn each(mut self, mut each: impl FnMut(M) -> bool) -> Result<()> {
        (self.find.offset, self.find.limit) = (0, None);
        if self.find.order.is_none() {
            let mut documents = self.find.stream()?;
            while let Some(document) = documents.next().await {
                let document = document?;
                if (self.keep)(&document) && !each(document) {
                    break;
                }
            }
            return Ok(());
        }
        let mut offset = 0;
        loop {
            let hits = self.find.search(offset, PAGE).await?;
            let read = hits.items.len() + hits.dropped;
            for (document, _) in hits.items {
                if (self.keep)(&document) && !each(document) {
                    return Ok(());
                }
            }
            if read < PAGE {
                return Ok(());
            }
            offset += read;
        }
    }
}

impl<'r, M, E, P> IntoFuture for Kept<'r, M, E, P>
where
    M: RedisModel,
    E: Node + 'r,
    P: Fn(&M) -> bool + Send + 'r,
{
    type Output = Result<Vec<M>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Vec<M>>> + Send + 'r>>;

    /// [`Kept::all`].
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}

impl<M, E: Node, P> fmt::Debug for Kept<'_, M, E, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("find", &self.find).finish_non_exhaustive()
    }
}

/// Documents one by one, from [`Kept::stream`]: a `Stream`, and usable without one by
/// [`KeptDocuments::next`].
#[must_use = "a stream does nothing until it is polled"]
pub struct KeptDocuments<M, P> {
    documents: Documents<M>,
    keep: P,
    skip: usize,
    left: Option<usize>,
}

impl<M: RedisModel, P: Fn(&M) -> bool> KeptDocuments<M, P> {
    /// The next document that is kept; `None` at the end.
    ///
    /// # Errors
    /// As [`Find::all`], without `TooMany`; after an error it ends.
    ///
    /// # Cancel safety
    /// No document is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<M>> {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        loop {
            if self.left == Some(0) {
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut self.documents).poll_next(context)) {
                Some(Ok(document)) if !(self.keep)(&document) => {}
                Some(Ok(_)) if self.skip > 0 => self.skip -= 1,
                Some(Ok(document)) => {
                    self.left = self.left.map(|left| left - 1);
                    return Poll::Ready(Some(Ok(document)));
                }
                other => return Poll::Ready(other),
            }
        }
    }
}

/// Nothing in it refers to itself.
impl<M, P> Unpin for KeptDocuments<M, P> {}

impl<M: RedisModel, P: Fn(&M) -> bool> Stream for KeptDocuments<M, P> {
    type Item = Result<M>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        self.poll(context)
    }
}

impl<M, P> fmt::Debug for KeptDocuments<M, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptDocuments").field("documents", &self.documents).finish_non_exhaustive()
    }
}
