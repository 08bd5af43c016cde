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
        let indexed = field.attribute.is_some();
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
pub struct Reducer<M> {
    pub(crate) function: &'static str,
    pub(crate) column: Option<Column>,
    pub(crate) argument: Option<String>,
    pub(crate) alias: String,
    model: PhantomData<fn() -> M>,
}

impl<M> Reducer<M> {
    /// The column's name.
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
    pub fn avg(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("AVG", "avg")
    }

    /// The group's sum (`SUM`), `sum_{field}` by default.
    pub fn sum(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("SUM", "sum")
    }

    /// The group's smallest value (`MIN`), `min_{field}` by default.
    pub fn min(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("MIN", "min")
    }

    /// The group's largest value (`MAX`), `max_{field}` by default.
    pub fn max(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("MAX", "max")
    }

    /// The group's standard deviation (`STDDEV`), `stddev_{field}` by default.
    pub fn stddev(self) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        reducer::<S>("STDDEV", "stddev")
    }

    /// The value below which the share `q`, from 0 to 1, of the group lies (`QUANTILE`),
    /// `quantile_{field}` by default: 0.5 is the median.
    pub fn quantile(self, q: f64) -> Reducer<S::Model>
    where
        S: IsNumeric,
    {
        Reducer { argument: Some(q.to_string()), ..reducer::<S>("QUANTILE", "quantile") }
    }

    /// How many different values the group has (`COUNT_DISTINCT`), `count_distinct_{field}` by
    /// default.
    pub fn count_distinct(self) -> Reducer<S::Model> {
        reducer::<S>("COUNT_DISTINCT", "count_distinct")
    }

    /// One of the group's values (`FIRST_VALUE`), `first_{field}` by default.
    pub fn first(self) -> Reducer<S::Model> {
        reducer::<S>("FIRST_VALUE", "first")
    }

    /// The group's different values (`TOLIST`), `list_{field}` by default: a `Vec` in the row.
    pub fn to_list(self) -> Reducer<S::Model> {
        reducer::<S>("TOLIST", "list")
    }
}

/// The fields to group by: one field, or a tuple of up to six.
pub trait GroupBy<M> {
    /// The columns in order.
    #[doc(hidden)]
    fn columns(self, add: &mut dyn FnMut(GroupColumn));
}

/// A column to group by.
#[derive(Debug)]
pub struct GroupColumn(pub(crate) Option<String>, pub(crate) String);

impl<S: FieldSpec> GroupBy<S::Model> for Field<S> {
    fn columns(self, add: &mut dyn FnMut(GroupColumn)) {
        let column = Column::of::<S>();
        add(GroupColumn(column.identifier, column.name));
    }
}

/// The computed columns: one reducer, or a tuple of up to twelve.
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
            #[allow(non_snake_case)]
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
            #[allow(non_snake_case)]
            fn columns(self, add: &mut dyn FnMut(GroupColumn)) {
                let ($($name,)+) = self;
                $($name.columns(add);)+
            }
        }
    )+};
}

groups! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }
