//! Numbers about groups of documents.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use alizarin_core::resp::Reader;

use super::reduce::{Column, GroupColumn};
use super::scope::index_name;
use super::send::{finish, run, whole_milliseconds};
use super::stream::rows;
use super::{Direction, Filter, GroupBy, Node, RedisRow, Reducer, Reducers};
use crate::model::RedisModel;
use crate::repository::Repository;
use crate::{Command, Error, ErrorKind, FromReply, Result, Value};

/// An aggregation's documents: [`group_by`](Aggregate::group_by) says what is told apart. Made by
/// [`Repository::aggregate`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// #[derive(Debug, PartialEq, RedisRow)]
/// struct ByDirector {
///     director: Option<String>,
///     count: u64,
///     avg_rating: f64,
/// }
///
/// let rows: Vec<ByDirector> = films
///     .aggregate(|f| f.year.ge(1979))
///     .group_by(|f| f.director)
///     .reduce(|f| (count(), f.rating.avg()))
///     .rows()
///     .sort_by_column("count", Direction::Descending)
///     .await?;
/// let scott = Some("Ridley Scott".to_owned());
/// assert_eq!(rows[0], ByDirector { director: scott, count: 2, avg_rating: 8.3 });
/// # Ok(()) });
/// ```
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Aggregate<'r, M, E> {
    repository: &'r Repository<M>,
    filter: Filter<M, E>,
}

impl<'r, M: RedisModel, E: Node> Aggregate<'r, M, E> {
    pub(crate) fn new(repository: &'r Repository<M>, filter: Filter<M, E>) -> Self {
        Aggregate { repository, filter }
    }

    /// Groups by a field, or by a tuple of up to six (`GROUPBY`); documents without a value are a
    /// group, too.
    ///
    /// A list in JSON counts by its first element, one in a hash as a whole.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     rating: f64,
    ///     count: u64,
    /// }
    ///
    /// let groups = films.aggregate(|_| everything()).group_by(|f| f.rating).reduce(|_| count());
    /// let rows: Vec<Row> = groups.rows().await?;
    /// assert_eq!(rows.len(), 3);
    /// assert_eq!(rows.iter().find(|row| row.rating == 7.7).map(|row| row.count), Some(2));
    /// # Ok(()) });
    /// ```
    pub fn group_by<G: GroupBy<M>>(self, fields: impl FnOnce(M::Fields) -> G) -> Grouped<'r, M, E> {
        let mut columns = Vec::new();
        fields(M::Fields::default()).columns(&mut |GroupColumn(identifier, name)| {
            columns.push(Column { identifier, name });
        });
        Grouped { repository: self.repository, filter: self.filter, columns }
    }

    /// All documents are one group (`GROUPBY 0`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     max_year: i32,
    /// }
    ///
    /// let all = films.aggregate(|_| everything()).group_all().reduce(|f| f.year.max());
    /// let rows: Vec<Row> = all.rows().await?;
    /// assert_eq!(rows[0].max_year, 1995);
    /// # Ok(()) });
    /// ```
    pub fn group_all(self) -> Grouped<'r, M, E> {
        Grouped { repository: self.repository, filter: self.filter, columns: Vec::new() }
    }
}

/// An aggregation's groups: [`reduce`](Grouped::reduce) says what is computed of each. Made by
/// [`Aggregate::group_by`] and [`Aggregate::group_all`]; the example at [`Aggregate`] has one.
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Grouped<'r, M, E> {
    repository: &'r Repository<M>,
    filter: Filter<M, E>,
    columns: Vec<Column>,
}

impl<'r, M: RedisModel, E: Node> Grouped<'r, M, E> {
    /// What is computed of each group (`REDUCE`): a reducer, a tuple of up to twelve, or a `Vec`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     min_year: i32,
    ///     best: f64,
    /// }
    ///
    /// let eighties = films.aggregate(|f| f.year.between(1980, 1989)).group_all();
    /// let rows: Vec<Row> =
    ///     eighties.reduce(|f| (f.year.min(), f.rating.max().alias("best"))).rows().await?;
    /// assert_eq!((rows[0].min_year, rows[0].best), (1980, 8.1));
    /// # Ok(()) });
    /// ```
    pub fn reduce<R: Reducers<M>>(
        self,
        reducers: impl FnOnce(M::Fields) -> R,
    ) -> Reduced<'r, M, E> {
        let reducers = reducers(M::Fields::default()).reducers();
        Reduced { grouped: self, reducers }
    }
}

/// An aggregation's columns: [`rows`](Reduced::rows) says what a row becomes. Made by
/// [`Grouped::reduce`]; the example at [`Aggregate`] has one.
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Reduced<'r, M, E> {
    grouped: Grouped<'r, M, E>,
    reducers: Vec<Reducer<M>>,
}

impl<'r, M: RedisModel, E: Node> Reduced<'r, M, E> {
    /// Decodes each row into a `T`, whose columns are the names of the group's fields and of the
    /// reducers.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     year: i32,
    ///     #[redis(rename = "count")]
    ///     films: u64,
    /// }
    ///
    /// let years = films.aggregate(|f| f.year.lt(1980)).group_by(|f| f.year).reduce(|_| count());
    /// let rows = years.rows::<Row>().await?;
    /// assert_eq!((rows[0].year, rows[0].films), (1979, 1));
    /// # Ok(()) });
    /// ```
    pub fn rows<T: RedisRow>(self) -> Rows<'r, M, E, T> {
        Rows { reduced: self, sort: Vec::new(), limit: None, timeout: None, row: PhantomData }
    }
}

/// An aggregation that gives rows; awaited as it is, it is [`all`](Rows::all).
///
/// Sends `FT.AGGREGATE` under `DIALECT 2`; every value travels as a `PARAM`. Made by
/// [`Reduced::rows`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// #[derive(RedisRow)]
/// struct Row {
///     director: Option<String>,
/// }
///
/// let directors = films.aggregate(|f| f.rating.gt(8.0)).group_by(|f| f.director);
/// let rows = directors.reduce(|_| count()).rows::<Row>().await?;
/// assert_eq!(rows.len(), 1);
/// assert_eq!(rows[0].director.as_deref(), Some("Ridley Scott"));
/// # Ok(()) });
/// ```
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Rows<'r, M, E, T> {
    reduced: Reduced<'r, M, E>,
    sort: Vec<(String, Direction)>,
    limit: Option<usize>,
    timeout: Option<Duration>,
    row: PhantomData<fn() -> T>,
}

impl<M: RedisModel, E: Node, T: RedisRow> Rows<'_, M, E, T> {
    /// Orders the rows by a column (`SORTBY`); called again, by the next one where the first are
    /// equal. Without it they come in no order.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     count: u64,
    ///     rating: f64,
    /// }
    ///
    /// let groups = films.aggregate(|_| everything()).group_by(|f| f.rating).reduce(|_| count());
    /// let rows: Vec<Row> = groups
    ///     .rows()
    ///     .sort_by_column("count", Direction::Descending)
    ///     .sort_by_column("rating", Direction::Ascending)
    ///     .await?;
    /// let ratings: Vec<f64> = rows.iter().map(|row| row.rating).collect();
    /// assert_eq!(ratings, [7.7, 8.1, 8.5]);
    /// # Ok(()) });
    /// ```
    pub fn sort_by_column(mut self, column: impl Into<String>, direction: Direction) -> Self {
        self.sort.push((column.into(), direction));
        self
    }

    /// Gives at most `limit` rows (`LIMIT`); without it a million.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// # #[derive(RedisRow)]
    /// # struct Row {
    /// #     year: i32,
    /// # }
    /// let years = films.aggregate(|_| everything()).group_by(|f| f.year).reduce(|_| count());
    /// let years = years.rows::<Row>().sort_by_column("year", Direction::Ascending);
    /// let first = years.limit(2).await?;
    /// assert_eq!((first.len(), first[1].year), (2, 1980));
    /// # Ok(()) });
    /// ```
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How long the server may take (`TIMEOUT`, in whole milliseconds); its own limit is 500 ms by
    /// default. It is rounded up; zero is no limit.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::time::Duration;
    /// # use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// # #[derive(RedisRow)]
    /// # struct Row {
    /// #     count: u64,
    /// # }
    /// let all = films.aggregate(|_| everything()).group_all().reduce(|_| count());
    /// let rows = all.rows::<Row>().timeout(Duration::from_secs(2));
    /// # assert!(rows.to_command()?.packed().arguments().any(|argument| argument == b"2000"));
    /// assert_eq!(rows.await?[0].count, 4);
    /// # Ok(()) });
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// All rows, or as many as [`Rows::limit`] says.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     /// The reducer's column is `avg_rating`.
    ///     rating: f64,
    /// }
    ///
    /// let all = films.aggregate(|f| f.year.lt(1990)).group_all().reduce(|f| f.rating.avg());
    /// let error = all.rows::<Row>().all().await.map(|rows| rows[0].rating).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Usage);
    /// assert!(error.to_string().contains("no column `rating`; it has avg_rating"), "{error}");
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` when `T` or the order names a column that the aggregation does not have, when two
    /// columns have one name, and for a model without `index`; `Index` when the index was not
    /// created; `Value`, naming the field, for a value that cannot be searched for; `Decode`,
    /// naming the column, for a row that does not parse; `Timeout` when the server ran out of time
    /// (known under RESP3 only); `Unsupported` when the server has no RediSearch.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn all(self) -> Result<Vec<T>> {
        let command = self.command()?;
        let table: Table<T> = run(self.reduced.grouped.repository, command).await?;
        Ok(table.0)
    }

    /// The command that [`Rows::all`] sends. Nothing is sent.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// # #[derive(RedisRow)]
    /// # struct Row {}
    /// let all = films.aggregate(|f| f.year.lt(1980)).group_all().reduce(|_| count());
    /// let command = all.rows::<Row>().to_command()?;
    /// assert_eq!(command.packed().arguments().nth(2), Some(&b"(@year:[-inf ($p0])"[..]));
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// `Usage` and `Value` as for [`Rows::all`].
    pub fn to_command(&self) -> Result<Command<Value>> {
        self.command()
    }

    fn command<R>(&self) -> Result<Command<R>> {
        self.check_columns()?;
        let Reduced { grouped, reducers } = &self.reduced;
        let query = grouped.filter.render()?;
        let mut command =
            Command::new("FT.AGGREGATE").arg((index_name(grouped.repository)?, query.text()));
        command = self.load(command);
        command = command.arg(("GROUPBY", grouped.columns.len()));
        for column in &grouped.columns {
            command = command.arg(at(&column.name));
        }
        for reducer in reducers {
            let column = reducer.column.as_ref().map(|column| at(&column.name));
            let count = usize::from(column.is_some()) + usize::from(reducer.argument.is_some());
            command = command
                .arg(("REDUCE", reducer.function, count))
                .arg((column, &reducer.argument))
                .arg(("AS", &reducer.alias));
        }
        if !self.sort.is_empty() {
            command = command.arg(("SORTBY", self.sort.len() * 2));
            for (column, direction) in &self.sort {
                command = command.arg((at(column), direction.name()));
            }
        }
        // Without one, the server gives ten rows when it sorts.
        command = command.arg(("LIMIT", 0u32, self.limit.unwrap_or(1_000_000)));
        if let Some(timeout) = self.timeout {
            command = command.arg(("TIMEOUT", whole_milliseconds(timeout)));
        }
        finish(&mut command, &query, "2");
        Ok(command)
    }

    /// Loads values as stored: a sortable field's index holds them in lower case.
    fn load<R>(&self, mut command: Command<R>) -> Command<R> {
        let mut loads: Vec<(&str, &str)> = Vec::new();
        let reduced = self.reduced.reducers.iter().filter_map(|reducer| reducer.column.as_ref());
        for column in self.reduced.grouped.columns.iter().chain(reduced) {
            if let Some(identifier) = &column.identifier {
                let load = (identifier.as_str(), column.name.as_str());
                if !loads.contains(&load) {
                    loads.push(load);
                }
            }
        }
        if !loads.is_empty() {
            command = command.arg(("LOAD", loads.len() * 3));
            for (identifier, name) in loads {
                command = command.arg((identifier, "AS", name));
            }
        }
        command
    }

    fn check_columns(&self) -> Result<()> {
        let groups = self.reduced.grouped.columns.iter().map(|column| column.name.as_str());
        let reducers = self.reduced.reducers.iter().map(|reducer| reducer.alias.as_str());
        let names: Vec<&str> = groups.chain(reducers).collect();
        let twice =
            names.iter().enumerate().find(|(at, name)| names.iter().take(*at).any(|n| n == *name));
        if let Some((_, twice)) = twice {
            let message = format!("two columns are named `{twice}`: give one of them an alias");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        let wanted = T::COLUMNS.iter().copied();
        let sorted = self.sort.iter().map(|(column, _)| column.as_str());
        match wanted.chain(sorted).find(|column| !names.contains(column)) {
            None => Ok(()),
            Some(column) => Err(Error::new(
                ErrorKind::Usage,
                format!("the aggregation has no column `{column}`; it has {}", names.join(", ")),
            )),
        }
    }
}

fn at(name: &str) -> String {
    ["@", name].concat()
}

struct Table<T>(Vec<T>);

impl<T: RedisRow> FromReply for Table<T> {
    fn from_reply(reader: &mut Reader<'_>) -> Result<Table<T>> {
        let mut table = Vec::new();
        rows(reader, |mut row| {
            table.push(T::from_row(&mut row)?);
            Ok(())
        })?;
        Ok(Table(table))
    }
}

impl<'r, M: RedisModel, E: Node + 'r, T: RedisRow + Send + 'r> IntoFuture for Rows<'r, M, E, T> {
    type Output = Result<Vec<T>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Vec<T>>> + Send + 'r>>;

    /// [`Rows::all`].
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}

impl<M, E: Node> fmt::Debug for Aggregate<'_, M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregate").field("filter", &self.filter).finish_non_exhaustive()
    }
}

impl<M, E: Node> fmt::Debug for Grouped<'_, M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        f.debug_struct("Grouped")
            .field("filter", &self.filter)
            .field("columns", &columns)
            .finish_non_exhaustive()
    }
}

impl<M, E: Node> fmt::Debug for Reduced<'_, M, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reduced")
            .field("grouped", &self.grouped)
            .field("reducers", &self.reducers)
            .finish()
    }
}

impl<M, E: Node, T> fmt::Debug for Rows<'_, M, E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows")
            .field("reduced", &self.reduced)
            .field("sort", &self.sort)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
