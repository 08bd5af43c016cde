//! Searching: a filter, an order, and how many.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use super::hits::{Hits, Keys};
use super::scope::index_name;
use super::send::{finish, load, run, whole_milliseconds};
use super::stream::Documents;
use super::{Filter, Node, Order, Page, filter};
use crate::model::RedisModel;
use crate::repository::{Repository, Take, Whole, dialect, is_found_exactly, write_return};
use crate::{Command, Error, ErrorKind, FromReply, Result, Value};

/// What [`Find::all`] gives at most, unless [`Find::limit`] says otherwise.
pub(super) const CAP: usize = 10_000;

/// A search for documents: options first, then [`all`](Find::all), [`first`](Find::first),
/// [`one`](Find::one), [`count`](Find::count), [`page`](Find::page), [`ids`](Find::ids) or
/// [`stream`](Find::stream). Awaited as it is, it is `all`.
///
/// Sends `FT.SEARCH` under `DIALECT 2`; every value travels as a `PARAM`. Made by
/// [`Repository::find`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// let scott = films.find(|f| f.director.eq("Ridley Scott")).sort_by(|f| f.year.desc()).await?;
/// assert_eq!(scott[0].title, "Blade Runner");
/// # Ok(()) });
/// ```
///
/// # Cancel safety
/// It only reads: dropping the future loses nothing.
#[must_use = "a search does nothing until it is awaited"]
pub struct Find<'r, M, E, T = Whole<M>> {
    repository: &'r Repository<M>,
    filter: Filter<M, E>,
    pub(super) order: Option<Order<M>>,
    pub(super) offset: usize,
    pub(super) limit: Option<usize>,
    timeout: Option<Duration>,
    take: PhantomData<fn() -> T>,
}

impl<'r, M: RedisModel, E: Node> Find<'r, M, E> {
    pub(crate) fn new(repository: &'r Repository<M>, filter: Filter<M, E>) -> Find<'r, M, E> {
        let take = PhantomData;
        Find { repository, filter, order: None, offset: 0, limit: None, timeout: None, take }
    }
}

impl<'r, M: RedisModel, E: Node, T: Take<Model = M>> Find<'r, M, E, T> {
    pub(crate) fn repository(&self) -> &'r Repository<M> {
        self.repository
    }

    /// The same search, with another filter and something else of each document.
    pub(super) fn with_parts<F, U>(
        self,
        filter: impl FnOnce(Filter<M, E>) -> Filter<M, F>,
    ) -> Find<'r, M, F, U> {
        Find {
            repository: self.repository,
            filter: filter(self.filter),
            order: self.order,
            offset: self.offset,
            limit: self.limit,
            timeout: self.timeout,
            take: PhantomData,
        }
    }

    /// Both the filter so far and this one have to hold.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let find = films.find(|f| f.year.lt(1990)).and(|f| f.rating.gt(8.0));
    /// assert_eq!(find.count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn and<F: Node>(
        self,
        filter: impl FnOnce(M::Fields) -> Filter<M, F>,
    ) -> Find<'r, M, filter::And<E, F>, T> {
        self.with_parts(|before| before & filter(M::Fields::default()))
    }

    /// Orders the results by a sortable field (`SORTBY`); without it they come by relevance. The
    /// last call counts.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let best = films.find(|f| f.year.lt(1990)).sort_by(|f| f.rating.desc()).first().await?;
    /// assert_eq!(best.map(|film| film.title).as_deref(), Some("Alien"));
    /// # Ok(()) });
    /// ```
    pub fn sort_by(mut self, order: impl FnOnce(M::Fields) -> Order<M>) -> Self {
        self.order = Some(order(M::Fields::default()));
        self
    }

    /// Gives at most `limit` documents (`LIMIT`); 10,000 by default, and more matches are an error
    /// then. The server refuses more than its `MAXSEARCHRESULTS`, 1,000,000 by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let oldest = films.find(|f| f.rating.gt(5)).sort_by(|f| f.year.asc()).limit(2);
    /// assert_eq!(oldest.ids().await?, [1, 2]);
    /// # Ok(()) });
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Leaves out the first `offset` results (`LIMIT`); none by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let later = films.find(|f| f.rating.gt(5)).sort_by(|f| f.year.asc()).offset(3);
    /// assert_eq!(later.ids().await?, [4]);
    /// # Ok(()) });
    /// ```
    pub fn offset(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }

    /// How long the server may search (`TIMEOUT`, in whole milliseconds); its own limit is 500 ms
    /// by default. It is rounded up; zero is no limit. [`Find::explain`] does not send it.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # alizarin_samples::films(async |films| {
    /// let old = films.find(|f| f.year.lt(1980)).timeout(Duration::from_secs(2));
    /// # assert!(old.to_command()?.packed().arguments().any(|argument| argument == b"2000"));
    /// assert_eq!(old.count().await?, 1);
    /// # Ok(()) });
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// All matching documents: 10,000 at most unless [`Find::limit`] was called. Those that expired
    /// or were deleted while the server searched are left out.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let found = films.find(|f| f.genres.has("science fiction")).all().await?;
    /// assert_eq!(found.len(), 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `TooMany` when more match; `Index` when the index was not created; `Value`, naming the
    /// field, for a value that cannot be searched for; `Decode` for a document that does not parse;
    /// `Timeout` when the server ran out of time (known under RESP3 only); `Usage` for a model
    /// without `index`, and for a filter that is wrong whatever the data (a fuzzy distance of 4);
    /// `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// It only reads: dropping the future loses nothing.
    pub async fn all(self) -> Result<Vec<T::Item>> {
        let hits = self.search(self.offset, self.limit.unwrap_or(CAP)).await?;
        self.check_cap(hits.total)?;
        Ok(hits.items.into_iter().map(|(item, _)| item).collect())
    }

    /// The first matching document, if any, whatever the limit.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let newest = films.find(|f| f.rating.gt(8.0)).sort_by(|f| f.year.desc()).first().await?;
    /// assert_eq!(newest.map(|film| film.year), Some(1982));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`], without `TooMany`.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn first(self) -> Result<Option<T::Item>> {
        let mut offset = self.offset;
        loop {
            let hits = self.search(offset, 1).await?;
            if let Some((item, _)) = hits.items.into_iter().next() {
                return Ok(Some(item));
            }
            // A hit that expired between the match and its loading is passed over.
            if hits.dropped == 0 {
                return Ok(None);
            }
            offset += hits.dropped;
        }
    }

    /// The only matching document, whatever the limit. At most two are sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.title.matches("apollo")).one().await?.year, 1995);
    /// let error = films.find(|f| f.year.gt(1979)).one().await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TooMany);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `NotFound` when none matches, `TooMany` when several do; else as [`Find::all`].
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn one(self) -> Result<T::Item> {
        let hits = self.search(self.offset, 2).await?;
        let mut items = hits.items.into_iter();
        match (items.next(), items.next()) {
            (Some((item, _)), None) => Ok(item),
            (None, _) => Err(Error::new(
                ErrorKind::NotFound,
                format!("no {} matches the filter", M::SCHEMA.name),
            )),
            (Some(_), Some(_)) => Err(Error::new(
                ErrorKind::TooMany,
                format!("{} of {} match the filter, not one", hits.total, M::SCHEMA.name),
            )),
        }
    }

    /// How many documents match, whatever limit and offset; none is sent (`NOCONTENT`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// assert_eq!(films.find(|f| f.year.between(1980, 1989)).limit(1).count().await?, 2);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`], without `TooMany` and `Decode`.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn count(self) -> Result<u64> {
        let keys: Keys = self.run(self.command(true, 0, 0)?).await?;
        Ok(keys.total)
    }

    /// The page `number`, counted from 0, of `size` documents; it replaces limit and offset.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let second = films.find(|f| f.rating.gt(5)).sort_by(|f| f.year.asc()).page(1, 3).await?;
    /// assert_eq!(second.items[0].title, "Apollo 13");
    /// assert_eq!(second.total, 4);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`], without `TooMany`; `Usage` for pages of no size.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn page(self, number: usize, size: usize) -> Result<Page<T::Item>> {
        if size == 0 {
            return Err(Error::new(ErrorKind::Usage, "a page needs a size of 1 or more"));
        }
        let hits = self.search(number.saturating_mul(size), size).await?;
        Ok(Page {
            items: hits.items.into_iter().map(|(item, _)| item).collect(),
            total: hits.total,
            number,
            size,
            dropped: hits.dropped,
        })
    }

    /// The matching documents' ids; the documents are not sent (`NOCONTENT`). The cap is that of
    /// [`Find::all`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let scott = films.find(|f| f.director.eq("Ridley Scott")).sort_by(|f| f.year.asc());
    /// assert_eq!(scott.ids().await?, [1, 3]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`]; `Decode` is for a key that holds no id of the model.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn ids(self) -> Result<Vec<M::Id>> {
        let found: Keys =
            self.run(self.command(true, self.offset, self.limit.unwrap_or(CAP))?).await?;
        self.check_cap(found.total)?;
        let ids = found.keys.iter().map(|key| {
            let name = || format!("{:?}", String::from_utf8_lossy(key));
            let id = self.repository.id_in_index(key);
            id.ok_or_else(|| Error::decode("a key of this model", &name()))
        });
        ids.collect()
    }

    /// All matching documents one by one, in constant memory and in no order, however many
    /// (`FT.AGGREGATE` with a cursor, then `HGETALL` or `JSON.GET`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let mut found = films.find(|f| f.year.lt(1990)).stream()?;
    /// let mut titles = Vec::new();
    /// while let Some(film) = found.next().await {
    ///     titles.push(film?.title);
    /// }
    /// assert_eq!(titles.len(), 3);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` when an order was asked for, and for a model without `index`; `Value` for a value
    /// that cannot be searched for. What the server says comes as an element of the stream.
    pub fn stream(self) -> Result<Documents<T::Item>> {
        if self.order.is_some() {
            return Err(Error::new(
                ErrorKind::Usage,
                "a stream has no order: use `all` with a limit, or `page`",
            ));
        }
        let query = self.filter.render()?;
        let timeout = self.timeout.map(whole_milliseconds);
        Documents::new::<M, T>(self.repository, &query, timeout, (self.offset, self.limit))
    }

    /// How the server understands the query (`FT.EXPLAIN`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let plan = films.find(|f| f.year.lt(1980) | f.title.prefix("air")).explain().await?;
    /// assert!(plan.starts_with("UNION {"), "{plan}");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As [`Find::all`], without `TooMany` and `Decode`.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn explain(self) -> Result<String> {
        let query = self.filter.render()?;
        let mut command =
            Command::new("FT.EXPLAIN").arg(index_name(self.repository)?).arg(query.text());
        finish(&mut command, &query, dialect::<T>());
        self.run(command).await
    }

    /// The command that [`Find::all`] sends first. Nothing is sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// let command = films.find(|f| f.year.lt(1980)).to_command()?;
    /// let text = command.packed().arguments().nth(2);
    /// assert_eq!(text, Some(&b"(@year:[-inf ($p0])"[..]));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Value` for a value that cannot be searched for, `Usage` for a model without an index.
    pub fn to_command(&self) -> Result<Command<Value>> {
        self.command(!is_found_exactly::<T>(), self.offset, self.limit.unwrap_or(CAP))
    }

    fn command<R>(&self, keys_only: bool, offset: usize, limit: usize) -> Result<Command<R>> {
        let query = self.filter.render()?;
        let mut command =
            Command::new("FT.SEARCH").arg(index_name(self.repository)?).arg(query.text());
        if keys_only {
            command = command.arg("NOCONTENT");
        } else {
            write_return::<T>(command.packed_mut(), None);
        }
        if let Some(order) = &self.order {
            command = command.arg(("SORTBY", (order.attribute)(), order.direction.name()));
        }
        command = command.arg(("LIMIT", offset, limit));
        if let Some(timeout) = self.timeout {
            command = command.arg(("TIMEOUT", whole_milliseconds(timeout)));
        }
        finish(&mut command, &query, dialect::<T>());
        Ok(command)
    }

    pub(super) async fn search(&self, offset: usize, limit: usize) -> Result<Hits<T>> {
        if is_found_exactly::<T>() {
            return self.run(self.command(false, offset, limit)?).await;
        }
        let keys: Keys = self.run(self.command(true, offset, limit)?).await?;
        load(self.repository.client(), keys, Vec::new()).await
    }

    async fn run<R: FromReply>(&self, command: Command<R>) -> Result<R> {
        run(self.repository, command).await
    }

    /// More matches than the caller knows of are an error, not a silent cut.
    fn check_cap(&self, total: u64) -> Result<()> {
        let reach = self.offset.saturating_add(CAP);
        if self.limit.is_some() || total <= reach as u64 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::TooMany,
            format!(
                "{total} documents match, and without a limit {CAP} are given at most: narrow the \
                 filter, set `limit`, or use `page` or `stream`"
            ),
        ))
    }
}

impl<'r, M: RedisModel, E: Node + 'r, T: Take<Model = M>> IntoFuture for Find<'r, M, E, T> {
    type Output = Result<Vec<T::Item>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'r>>;

    /// [`Find::all`].
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}

impl<M, E: Node, T> fmt::Debug for Find<'_, M, E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Find")
            .field("filter", &self.filter)
            .field("order", &self.order)
            .field("offset", &self.offset)
            .field("limit", &self.limit)
            .finish()
    }
}
