//! What an aggregation computes for each group.

use std::fmt;
use std::marker::PhantomData;

use super::{Field, FieldSpec, IsNumeric, attribute_name, field_schema};
use crate::index::push_step;
use crate::model::{IndexKind, RedisModel, Storage};

/// A column an aggregation groups by or reduces: where it lies in the document, and its name.
pub(crate) struct Column {
    /// What `LOAD` needs to give the value as stored, which a sortable field's index does not.
    pub(crate) identifier: Option<String>,
    pub(crate) name: String,
}

impl Column {
    pub(crate) fn of<S: FieldSpec>() -> Column {
        let field = field_schema::<S>();
        let indexed = !field.attributes.is_empty();
        let numeric = matches!(field.kind(), Some(IndexKind::Numeric));
        let identifier = (!numeric || !indexed).then(identifier::<S>);
        Column { identifier, name: attribute_name::<S>() }
    }
}

/// Where the field lies: dotted in a hash, a path in JSON.
fn identifier<S: FieldSpec>() -> String {
    let storage = S::Model::SCHEMA.storage;
    let mut path = String::from(if storage == Storage::Json { "$" } else { "" });
    S::walk(&mut |step| push_step(&mut path, step, storage));
    path
}

/// One computed column: made by [`count`] and the reducing methods of fields, named by
/// [`alias`](Reducer::alias).
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::Reducer;
/// use alizarin_samples::{Film, FilmFields};
///
/// let mean: Reducer<Film> = FilmFields::default().rating.avg().alias("mean");
/// assert_eq!(format!("{mean:?}"), "AVG(rating) AS mean");
/// ```
pub struct Reducer<M> {
    pub(crate) function: &'static str,
    pub(crate) column: Option<Column>,
    pub(crate) argument: Option<String>,
    pub(crate) alias: String,
    model: PhantomData<fn() -> M>,
}

impl<M> Reducer<M> {
    /// Names the column (`AS`).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     films: u64,
    /// }
    ///
    /// let all = films.aggregate(|f| f.year.lt(1990)).group_all();
    /// let rows: Vec<Row> = all.reduce(|_| count().alias("films")).rows().await?;
    /// assert_eq!(rows[0].films, 3);
    /// # Ok(()) });
    /// ```
    pub fn alias(mut self, name: impl Into<String>) -> Self {
        self.alias = name.into();
        self
    }
}

impl<M> fmt::Debug for Reducer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.as_ref().map_or("", |column| column.name.as_str());
        write!(f, "{}({column}) AS {}", self.function, self.alias)
    }
}

/// How many documents the group has (`COUNT`); the column is `count` unless it gets an alias.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// #[derive(RedisRow)]
/// struct Row {
///     count: u64,
/// }
///
/// let all = films.aggregate(|f| f.year.lt(1990)).group_all().reduce(|_| count());
/// let rows: Vec<Row> = all.rows().await?;
/// assert_eq!(rows[0].count, 3);
/// # Ok(()) });
/// ```
pub fn count<M>() -> Reducer<M> {
    let alias = "count".to_owned();
    Reducer { function: "COUNT", column: None, argument: None, alias, model: PhantomData }
}

fn reducer<S: FieldSpec>(function: &'static str, word: &str) -> Reducer<S::Model> {
    let column = Column::of::<S>();
    let alias = [word, "_", &column.name].concat();
    Reducer { function, column: Some(column), argument: None, alias, model: PhantomData }
}

impl<S: FieldSpec> Field<S> {
    /// The group's mean (`AVG`), `avg_{field}` by default; the server gives 0, or `nan`, for a
    /// group without any value.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     avg_rating: f64,
    /// }
    ///
    /// let all = films.aggregate(|f| f.year.le(1980)).group_all().reduce(|f| f.rating.avg());
    /// let rows: Vec<Row> = all.rows().await?;
    /// assert_eq!(rows[0].avg_rating, 8.1);
    /// # Ok(()) });
    /// ```
    pub fn avg(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("AVG", "avg")
    }

    /// The group's sum (`SUM`), `sum_{field}` by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::cafes(async |cafes| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     sum_seats: u32,
    /// }
    ///
    /// let vienna = cafes.aggregate(|c| c.address.city.eq("Vienna")).group_all();
    /// let rows: Vec<Row> = vienna.reduce(|c| c.seats.sum()).rows().await?;
    /// assert_eq!(rows[0].sum_seats, 320);
    /// # Ok(()) });
    /// ```
    pub fn sum(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("SUM", "sum")
    }

    /// The group's smallest value (`MIN`), `min_{field}` by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     min_year: i32,
    /// }
    ///
    /// let good = films.aggregate(|f| f.rating.lt(8.0)).group_all().reduce(|f| f.year.min());
    /// let rows: Vec<Row> = good.rows().await?;
    /// assert_eq!(rows[0].min_year, 1980);
    /// # Ok(()) });
    /// ```
    pub fn min(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("MIN", "min")
    }

    /// The group's largest value (`MAX`), `max_{field}` by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     max_rating: f64,
    /// }
    ///
    /// let new = films.aggregate(|f| f.year.gt(1980)).group_all().reduce(|f| f.rating.max());
    /// let rows: Vec<Row> = new.rows().await?;
    /// assert_eq!(rows[0].max_rating, 8.1);
    /// # Ok(()) });
    /// ```
    pub fn max(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("MAX", "max")
    }

    /// The standard deviation (`STDDEV`), `stddev_{field}` by default; the group counts as a
    /// sample of a population.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     stddev_year: f64,
    /// }
    ///
    /// let old = films.aggregate(|f| f.year.le(1980)).group_all().reduce(|f| f.year.stddev());
    /// let rows: Vec<Row> = old.rows().await?;
    /// assert!((rows[0].stddev_year - 0.5_f64.sqrt()).abs() < 1e-6);
    /// # Ok(()) });
    /// ```
    pub fn stddev(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("STDDEV", "stddev")
    }

    /// The value below which the share `q`, from 0 to 1, of the group lies (`QUANTILE`),
    /// `quantile_{field}` by default: 0.5 is the median.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     median: i32,
    /// }
    ///
    /// let eighties = films.aggregate(|f| f.year.lt(1990)).group_all();
    /// let rows: Vec<Row> =
    ///     eighties.reduce(|f| f.year.quantile(0.5).alias("median")).rows().await?;
    /// assert_eq!(rows[0].median, 1980);
    /// # Ok(()) });
    /// ```
    pub fn quantile(self, q: f64) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        Reducer { argument: Some(q.to_string()), ..reducer::<S>("QUANTILE", "quantile") }
    }

    /// How many different values the group has (`COUNT_DISTINCT`), `count_distinct_{field}` by
    /// default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # use alizarin::query::everything;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     count_distinct_rating: u64,
    /// }
    ///
    /// let all = films.aggregate(|_| everything()).group_all();
    /// let rows: Vec<Row> = all.reduce(|f| f.rating.count_distinct()).rows().await?;
    /// assert_eq!(rows[0].count_distinct_rating, 3);
    /// # Ok(()) });
    /// ```
    pub fn count_distinct(self) -> Reducer<S::Model> {
        reducer::<S>("COUNT_DISTINCT", "count_distinct")
    }

    /// One of the group's values (`FIRST_VALUE`), `first_{field}` by default.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     first_title: String,
    /// }
    ///
    /// let years = films.aggregate(|f| f.year.lt(1980)).group_by(|f| f.year);
    /// let rows: Vec<Row> = years.reduce(|f| f.title.first()).rows().await?;
    /// assert_eq!(rows[0].first_title, "Alien");
    /// # Ok(()) });
    /// ```
    pub fn first(self) -> Reducer<S::Model> {
        reducer::<S>("FIRST_VALUE", "first")
    }

    /// The group's different values (`TOLIST`), `list_{field}` by default: a `Vec` in the row.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// #[derive(RedisRow)]
    /// struct Row {
    ///     list_title: Vec<String>,
    /// }
    ///
    /// let scott = films.aggregate(|f| f.director.eq("Ridley Scott")).group_by(|f| f.director);
    /// let mut rows: Vec<Row> = scott.reduce(|f| f.title.to_list()).rows().await?;
    /// rows[0].list_title.sort();
    /// assert_eq!(rows[0].list_title, ["Alien", "Blade Runner"]);
    /// # Ok(()) });
    /// ```
    pub fn to_list(self) -> Reducer<S::Model> {
        reducer::<S>("TOLIST", "list")
    }
}

/// The fields to group by: one field, or a tuple of up to six.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin::query::everything;
/// # alizarin_samples::films(async |films| {
/// #[derive(RedisRow)]
/// struct Row {
///     director: Option<String>,
///     rating: f64,
/// }
///
/// let groups = films.aggregate(|_| everything()).group_by(|f| (f.director, f.rating));
/// let rows: Vec<Row> = groups.reduce(|_| count()).rows().await?;
/// assert!(rows.iter().any(|row| row.director.is_none() && row.rating == 7.7));
/// # Ok(()) });
/// ```
pub trait GroupBy<M> {
    /// The columns in order.
    #[doc(hidden)]
    fn columns(self, add: &mut dyn FnMut(GroupColumn));
}

/// A column to group by. [`GroupBy`] gives these; programs do not make them.
#[derive(Debug)]
pub struct GroupColumn(pub(crate) Option<String>, pub(crate) String);

impl<S: FieldSpec> GroupBy<S::Model> for Field<S> {
    fn columns(self, add: &mut dyn FnMut(GroupColumn)) {
        let column = Column::of::<S>();
        add(GroupColumn(column.identifier, column.name));
    }
}

/// The computed columns: one reducer, a tuple of up to twelve, or a `Vec`.
///
/// A `Vec` serves where the columns are known at run time only.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// # #[derive(RedisRow)]
/// # struct Row {
/// #     min_year: i32,
/// # }
/// let with_count = false;
/// let old = films.aggregate(|f| f.year.lt(1990)).group_all().reduce(|f| {
///     let mut columns = vec![f.year.min(), f.year.max()];
///     columns.extend(with_count.then(count));
///     columns
/// });
/// let rows: Vec<Row> = old.rows().await?;
/// assert_eq!(rows[0].min_year, 1979);
/// # Ok(()) });
/// ```
pub trait Reducers<M> {
    /// The reducers in order.
    #[doc(hidden)]
    fn reducers(self) -> Vec<Reducer<M>>;
}

impl<M> Reducers<M> for Reducer<M> {
    fn reducers(self) -> Vec<Reducer<M>> {
        vec![self]
    }
}

impl<M> Reducers<M> for Vec<Reducer<M>> {
    fn reducers(self) -> Vec<Reducer<M>> {
        self
    }
}

macro_rules! of_model {
    ($name:ident) => { Reducer<M> };
}

macro_rules! reducers {
    ($(($($name:ident)+))+) => {$(
        impl<M> Reducers<M> for ($(of_model!($name),)+) {
            #[expect(non_snake_case, reason = "variables have the names of their types")]
            fn reducers(self) -> Vec<Reducer<M>> {
                let ($($name,)+) = self;
                vec![$($name),+]
            }
        }
    )+};
}

reducers! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J) (A B C D E F G H I J K) (A B C D E F G H I J K L)
}

macro_rules! groups {
    ($(($($name:ident)+))+) => {$(
        impl<Model, $($name: GroupBy<Model>),+> GroupBy<Model> for ($($name,)+) {
            #[expect(non_snake_case, reason = "variables have the names of their types")]
            fn columns(self, add: &mut dyn FnMut(GroupColumn)) {
                let ($($name,)+) = self;
                $($name.columns(add);)+
            }
        }
    )+};
}

groups! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }
