//! Numbers about groups of documents.

use std::fmt;
use std::future::IntoFuture;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use alizarin_core::resp::Reader;

use super::find::{finish, run};
use super::reduce::{Column, GroupColumn};
use super::scope::index_name;
use super::stream::rows;
use super::{Direction, Filter, GroupBy, Node, RedisRow, Reducer, Reducers};
use crate::model::RedisModel;
use crate::repository::Repository;
use crate::{Command, Error, ErrorKind, FromReply, Result, Value};

/// An aggregation's documents: [`group_by`](Aggregate::group_by) says what is told apart.
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Aggregate<'r, M, E> {
    repository: &'r Repository<M>,
    filter: Filter<M, E>,
}

impl<'r, M: RedisModel, E: Node> Aggregate<'r, M, E> {
    pub(crate) fn new(repository: &'r Repository<M>, filter: Filter<M, E>) -> Self {
        Aggregate { repository, filter }
    }

    /// Groups by a field, or by a tuple of fields; documents without a value are a group, too.
    ///
    /// A list in JSON counts by its first element, one in a hash as a whole.
    pub fn group_by<G: GroupBy<M>>(self, fields: impl FnOnce(M::Fields) -> G) -> Grouped<'r, M, E> {
        let mut columns = Vec::new();
        fields(M::Fields::default()).columns(&mut |GroupColumn(identifier, name)| {
            columns.push(Column { identifier, name });
        });
        Grouped { repository: self.repository, filter: self.filter, columns }
    }

    /// All documents are one group.
    pub fn group_all(self) -> Grouped<'r, M, E> {
        Grouped { repository: self.repository, filter: self.filter, columns: Vec::new() }
    }
}

/// An aggregation's groups: [`reduce`](Grouped::reduce) says what is computed of each.
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Grouped<'r, M, E> {
    repository: &'r Repository<M>,
    filter: Filter<M, E>,
    columns: Vec<Column>,
}

impl<'r, M: RedisModel, E: Node> Grouped<'r, M, E> {
    /// What is computed of each group: a reducer, or a tuple of reducers.
    pub fn reduce<R: Reducers<M>>(
        self,
        reducers: impl FnOnce(M::Fields) -> R,
    ) -> Reduced<'r, M, E> {
        let reducers = reducers(M::Fields::default()).reducers();
        Reduced { grouped: self, reducers }
    }
}

/// An aggregation's columns: [`rows`](Reduced::rows) says what a row becomes.
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Reduced<'r, M, E> {
    grouped: Grouped<'r, M, E>,
    reducers: Vec<Reducer<M>>,
}

impl<'r, M: RedisModel, E: Node> Reduced<'r, M, E> {
    /// Decodes each row into a `T`, whose columns are the names of the group's fields and of the
    /// reducers.
    pub fn rows<T: RedisRow>(self) -> Rows<'r, M, E, T> {
        Rows { reduced: self, sort: Vec::new(), limit: None, timeout: None, row: PhantomData }
    }
}

/// An aggregation that gives rows; awaited as it is, it is [`all`](Rows::all).
///
/// Sends `FT.AGGREGATE` under `DIALECT 2`; every value travels as a `PARAM`.
#[must_use = "an aggregation does nothing until it is awaited"]
pub struct Rows<'r, M, E, T> {
    reduced: Reduced<'r, M, E>,
    sort: Vec<(String, Direction)>,
    limit: Option<usize>,
    timeout: Option<Duration>,
    row: PhantomData<fn() -> T>,
}

impl<M: RedisModel, E: Node, T: RedisRow> Rows<'_, M, E, T> {
    /// Orders the rows by a column; called again, by the next one where the first are equal.
    pub fn sort_by_column(mut self, column: impl Into<String>, direction: Direction) -> Self {
        self.sort.push((column.into(), direction));
        self
    }

    /// Gives at most `limit` rows.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How long the server may take (`TIMEOUT`, in milliseconds); its own limit is 500 ms by
    /// default. Zero is no limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// All rows.
    ///
    /// # Errors
    /// `Usage` when `T` or the order names a column that the aggregation does not have; `Index`
    /// when there is no index; `Value` for a value that cannot be searched for; `Decode`, naming
    /// the column, for a row that does not parse.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn all(self) -> Result<Vec<T>> {
        let command = self.command()?;
        let table: Table<T> = run(self.reduced.grouped.repository, command).await?;
        Ok(table.0)
    }

    /// The command that [`Rows::all`] sends.
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
            command = command.arg("TIMEOUT").arg(timeout);
        }
        finish(&mut command, &query);
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
