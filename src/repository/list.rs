//! Lists and maps in JSON documents, changed by the server.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;

use alizarin_core::resp::Packed;

use super::script::json_string;
use super::{Assignment, Changes};
use crate::model::{FieldSchema, JsonModel, ListItem, RedisModel, RedisValue, Storage};
use crate::query::{Field, FieldSpec, Operand, field_schema};
use crate::{Error, ErrorKind, Result};

/// A list, or an `Option` of one: what [`Field::push`] and its like can change.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::repository::ListField;
///
/// fn is_list<T: ListField>() {}
/// is_list::<Vec<String>>();
/// is_list::<Option<Vec<u32>>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list",
    note = "`push`, `without` and the like are for `Vec` fields and options of them"
)]
pub trait ListField: RedisValue {}

impl<T: ListItem> ListField for Vec<T> {}
impl<T: ListField> ListField for Option<T> {}

/// A map with text keys, or an `Option` of one: what [`Field::insert_key`] can change.
///
/// ```
/// # use alizarin::prelude::*;
/// use std::collections::BTreeMap;
///
/// use alizarin::repository::MapField;
///
/// fn is_map<T: MapField<Member = u32>>() {}
/// is_map::<Option<BTreeMap<String, u32>>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no map",
    note = "`insert_key` and `remove_key` are for maps with `String` keys"
)]
pub trait MapField: RedisValue {
    /// What the keys stand for.
    type Member: RedisValue;
}

impl<V: RedisValue> MapField for BTreeMap<String, V> {
    type Member = V;
}
impl<V: RedisValue> MapField for HashMap<String, V> {
    type Member = V;
}
impl<T: MapField> MapField for Option<T> {
    type Member = T::Member;
}

/// A change inside a list or map, from [`Field::push`] and its like.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::client(async |client, namespace| {
/// #[derive(RedisModel)]
/// #[redis(json, prefix = "trip")]
/// struct Trip {
///     #[redis(id)]
///     id: u32,
///     stops: Vec<String>,
///     done: bool,
/// }
/// # let trips = client.repository::<Trip>().with_namespace(namespace);
///
/// trips.save(&Trip { id: 1, stops: vec!["Ulm".into()], done: false }).await?;
/// trips.set(&1, |t| (t.stops.push("Bonn"), t.done.to(true))).await?;
/// # assert!(trips.get(&1).await?.is_some_and(|trip| trip.done && trip.stops == ["Ulm", "Bonn"]));
/// # Ok(()) });
/// ```
pub struct Edit<S> {
    how: &'static str,
    /// The values as JSON text.
    items: Result<Packed>,
    at: At,
    field: PhantomData<fn() -> S>,
}

/// What the script is told beside the values.
#[derive(Debug, Clone, Copy)]
enum At {
    /// Where the values are.
    Items,
    /// Where the values are, and the index they are put at.
    Before(usize),
    /// One index.
    Index(usize),
    /// From here to there.
    Range(i64, i64),
}

impl<S> fmt::Debug for Edit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Edit").field(&self.how).finish()
    }
}

impl<S: FieldSpec> Edit<S> {
    fn new(how: &'static str, items: Result<Packed>, at: At) -> Edit<S> {
        Edit { how, items, at, field: PhantomData }
    }

    fn of<V: Operand<S::Value>>(how: &'static str, values: &[V], at: At) -> Edit<S> {
        let mut items = Packed::new();
        let written = values.iter().try_for_each(|value| {
            let mut json = Vec::new();
            value.write(Storage::Json, field_schema::<S>(), &mut json)?;
            items.push(&json);
            Ok(())
        });
        Edit::new(how, written.map(|()| items), at)
    }
}

impl<S: FieldSpec> Field<S> {
    /// Puts a value at the list's end, on the server (`JSON.ARRAPPEND`), for
    /// [`Repository::set`](crate::Repository::set). A list that is not in the document is made.
    ///
    /// A list in a hash is one text to the server: change it by
    /// [`update`](crate::Repository::update).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "trip")]
    /// struct Trip {
    ///     #[redis(id)]
    ///     id: u32,
    ///     stops: Vec<String>,
    /// }
    /// # let trips = client.repository::<Trip>().with_namespace(namespace);
    ///
    /// trips.save(&Trip { id: 1, stops: vec!["Ulm".into()] }).await?;
    /// trips.set(&1, |t| t.stops.push("Bonn")).await?;
    /// let stops = trips.set(&1, |t| t.stops.push_front("Rom")).returning(|t| t.stops).await?;
    /// assert_eq!(stops, ["Rom", "Ulm", "Bonn"]);
    /// # Ok(()) });
    /// ```
    pub fn push<V: Operand<S::Value>>(self, value: V) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        Edit::of("push", &[value], At::Items)
    }

    /// Puts several values at the list's end, in their order; else as [`push`](Field::push).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "draw")]
    /// struct Draw {
    ///     #[redis(id)]
    ///     id: u32,
    ///     balls: Option<Vec<u8>>,
    ///     numbers: Vec<u32>,
    /// }
    /// # let draws = client.repository::<Draw>().with_namespace(namespace);
    ///
    /// draws.save(&Draw { id: 1, balls: None, numbers: vec![1] }).await?;
    /// let numbers = draws.set(&1, |d| d.numbers.push_all([7, 9])).returning(|d| d.numbers);
    /// assert_eq!(numbers.await?, [1, 7, 9]);
    /// # assert_eq!(draws.get(&1).await?.and_then(|draw| draw.balls), None);
    /// # Ok(()) });
    /// ```
    pub fn push_all<V: Operand<S::Value>>(self, values: impl IntoIterator<Item = V>) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        Edit::of("push", &values.into_iter().collect::<Vec<_>>(), At::Items)
    }

    /// Puts a value at the list's front (`JSON.ARRINSERT`); else as [`push`](Field::push).
    pub fn push_front<V: Operand<S::Value>>(self, value: V) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        Edit::of("insert", &[value], At::Before(0))
    }

    /// Puts a value at an index (`JSON.ARRINSERT`), which is at most the list's length, else the
    /// write is a `Value` error; else as [`push`](Field::push).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "trip")]
    /// struct Trip {
    ///     #[redis(id)]
    ///     id: u32,
    ///     stops: Vec<String>,
    /// }
    /// # let trips = client.repository::<Trip>().with_namespace(namespace);
    ///
    /// trips.save(&Trip { id: 1, stops: vec!["Ulm".into(), "Rom".into()] }).await?;
    /// let stops = trips.set(&1, |t| t.stops.insert_at(1, "Bern")).returning(|t| t.stops).await?;
    /// assert_eq!(stops, ["Ulm", "Bern", "Rom"]);
    /// let stops = trips.set(&1, |t| t.stops.remove_at(0)).returning(|t| t.stops).await?;
    /// assert_eq!(stops, ["Bern", "Rom"]);
    /// let error = trips.set(&1, |t| t.stops.remove_at(2)).await.unwrap_err();
    /// assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("stops")));
    /// # Ok(()) });
    /// ```
    pub fn insert_at<V: Operand<S::Value>>(self, index: usize, value: V) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        Edit::of("insert", &[value], At::Before(index))
    }

    /// Takes the value at an index out of the list (`JSON.ARRPOP`); a `Value` error where there is
    /// none. Else as [`push`](Field::push).
    pub fn remove_at(self, index: usize) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        Edit::new("remove", Ok(Packed::new()), At::Index(index))
    }

    /// Takes every value that equals this one out of the list (`JSON.ARRINDEX`, `JSON.ARRPOP`).
    /// Else as [`push`](Field::push).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "trip")]
    /// struct Trip {
    ///     #[redis(id)]
    ///     id: u32,
    ///     stops: Vec<String>,
    /// }
    /// # let trips = client.repository::<Trip>().with_namespace(namespace);
    ///
    /// trips.save(&Trip { id: 1, stops: ["Ulm", "Rom", "Ulm"].map(String::from).into() }).await?;
    /// let stops = trips.set(&1, |t| t.stops.without("Ulm")).returning(|t| t.stops).await?;
    /// assert_eq!(stops, ["Rom"]);
    /// # Ok(()) });
    /// ```
    pub fn without<V: Operand<S::Value>>(self, value: V) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        Edit::of("without", &[value], At::Items)
    }

    /// Keeps only so many values, the first ones (`JSON.ARRTRIM`). Else as [`push`](Field::push).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "draw")]
    /// struct Draw {
    ///     #[redis(id)]
    ///     id: u32,
    ///     numbers: Vec<u32>,
    /// }
    /// # let draws = client.repository::<Draw>().with_namespace(namespace);
    ///
    /// draws.save(&Draw { id: 1, numbers: vec![1, 2, 3, 4] }).await?;
    /// let first = draws.set(&1, |d| d.numbers.keep_first(3)).returning(|d| d.numbers).await?;
    /// let last = draws.set(&1, |d| d.numbers.keep_last(2)).returning(|d| d.numbers).await?;
    /// assert_eq!((first, last), (vec![1, 2, 3], vec![2, 3]));
    /// # Ok(()) });
    /// ```
    pub fn keep_first(self, count: u32) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        // From the first to the one before the first, where none is kept.
        let range = if count == 0 { At::Range(1, 0) } else { At::Range(0, i64::from(count) - 1) };
        Edit::new("trim", Ok(Packed::new()), range)
    }

    /// Keeps only so many values, the last ones (`JSON.ARRTRIM`). Else as [`push`](Field::push).
    pub fn keep_last(self, count: u32) -> Edit<S>
    where
        S::Stored: ListField,
        S::Model: JsonModel,
    {
        let range = if count == 0 { At::Range(1, 0) } else { At::Range(-i64::from(count), -1) };
        Edit::new("trim", Ok(Packed::new()), range)
    }
}

impl<S: FieldSpec> Field<S> {
    /// Sets one key of a map on the server (`JSON.MERGE`), for
    /// [`Repository::set`](crate::Repository::set). A map that is not in the document is made.
    ///
    /// A map in a hash is one text to the server: change it by
    /// [`update`](crate::Repository::update).
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// use std::collections::BTreeMap;
    /// # alizarin_samples::client(async |client, namespace| {
    /// #[derive(RedisModel)]
    /// #[redis(json, prefix = "box")]
    /// struct Parcel {
    ///     #[redis(id)]
    ///     id: u32,
    ///     labels: BTreeMap<String, String>,
    /// }
    /// # let parcels = client.repository::<Parcel>().with_namespace(namespace);
    ///
    /// parcels.save(&Parcel { id: 1, labels: BTreeMap::new() }).await?;
    /// parcels.set(&1, |p| p.labels.insert_key("to", "Ulm".to_owned())).await?;
    /// let label = p_labels(&parcels).await?;
    /// assert_eq!(label, [("to".to_owned(), "Ulm".to_owned())]);
    /// parcels.set(&1, |p| p.labels.remove_key("to")).await?;
    /// assert!(p_labels(&parcels).await?.is_empty());
    /// # async fn p_labels(parcels: &Repository<Parcel>) -> Result<Vec<(String, String)>> {
    /// #     let parcel = parcels.get(&1).await?;
    /// #     Ok(parcel.map(|parcel| parcel.labels.into_iter().collect()).unwrap_or_default())
    /// # }
    /// # Ok(()) });
    /// ```
    #[expect(clippy::needless_pass_by_value, reason = "as `to` and `push` take it")]
    pub fn insert_key<K, V>(self, key: K, value: V) -> Edit<S>
    where
        S::Stored: MapField,
        S::Model: JsonModel,
        K: AsRef<str>,
        V: Operand<<S::Stored as MapField>::Member>,
    {
        let mut json = Vec::new();
        let items = value.write(Storage::Json, field_schema::<S>(), &mut json).and_then(|()| {
            let mut items = entry(key.as_ref());
            keeps_nulls(&json)?;
            items.push(&json);
            Ok(items)
        });
        Edit::new("put", items, At::Items)
    }

    /// Takes one key out of a map; else as [`insert_key`](Field::insert_key).
    pub fn remove_key<K>(self, key: K) -> Edit<S>
    where
        S::Stored: MapField,
        S::Model: JsonModel,
        K: AsRef<str>,
    {
        Edit::new("take", Ok(entry(key.as_ref())), At::Items)
    }
}

fn entry(key: &str) -> Packed {
    let mut items = Packed::new();
    items.push(json_string(key).as_bytes());
    items
}

/// `JSON.MERGE` takes a null in an object for the order to remove the member.
fn keeps_nulls(json: &[u8]) -> Result<()> {
    fn has_null(value: &serde_json::Value) -> bool {
        match value {
            serde_json::Value::Null => true,
            serde_json::Value::Object(members) => members.values().any(has_null),
            _ => false,
        }
    }
    // Text that is no JSON is refused by the server.
    if serde_json::from_slice(json).is_ok_and(|value| has_null(&value)) {
        let message = "a member that is null would be lost; change the map by `update`";
        return Err(Error::new(ErrorKind::Value, message));
    }
    Ok(())
}

impl<M, S> Assignment<M> for Edit<S>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
{
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        let append = |_: &FieldSchema, out: &mut Packed| {
            out.append(&self.items?);
            Ok(())
        };
        changes.edit::<S>(self.how, append, |first, count| {
            let (first, count) = (first.to_owned(), count.to_owned());
            match self.at {
                At::Items => [first, count, String::new()],
                At::Before(index) => [first, count, index.to_string()],
                At::Index(index) => [index.to_string(), String::new(), String::new()],
                At::Range(from, to) => [from.to_string(), to.to_string(), String::new()],
            }
        })
    }
}
