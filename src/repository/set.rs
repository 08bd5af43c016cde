//! Writing single fields.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;

use alizarin_core::resp::Packed;

use super::Repository;
use super::failure::explain;
use super::save::{Written, check_versioned};
use super::script::{Expected, Expiry, Mode, Plan, json_path, write_call};
use crate::model::{FieldSchema, RedisModel, RedisValue, Storage};
use crate::query::{Field, FieldPath, FieldSpec, Operand, To};
use crate::{Error, ErrorKind, Result};

impl<M: RedisModel> Repository<M> {
    /// Writes single fields of a document that exists, one or a tuple of up to six, in one round
    /// trip (a script with `HSET` and `HDEL`, or `JSON.MSET` and `JSON.DEL`).
    ///
    /// The version is counted up and the event published as by a save; the time to live stays.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// accounts.set(&1, |a| a.cents.to(450)).await?;
    /// accounts.set(&1, |a| (a.cents.to(400), a.note.to("gold"))).await?;
    /// let ann = accounts.get(&1).await?.expect("an account of Ann");
    /// assert_eq!((ann.cents, ann.note.as_deref(), ann.version), (400, Some("gold"), 3));
    /// # Ok(()) });
    /// ```
    pub fn set<'a, A: Assignment<M>>(
        &'a self,
        id: &'a M::Id,
        fields: impl FnOnce(M::Fields) -> A,
    ) -> Set<'a, M> {
        let mut changes = Changes::default();
        let outcome = fields(M::Fields::default()).assign_to(&mut changes);
        Set {
            repository: self,
            id,
            changes: outcome.map(|()| changes),
            expected: Expected::Anything,
        }
    }
}

/// A change of single fields, from [`Repository::set`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let error = accounts.set(&99, |a| a.cents.to(0)).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// let error = accounts.set(&1, |a| a.version.to(7)).await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Usage, Some("version")));
/// # Ok(()) });
/// ```
///
/// # Errors
/// `NotFound` when there is no document, or a nested struct that should be changed is not there;
/// `Value`, naming the field, for a value that cannot be stored; `Usage` for the id, the version,
/// one field twice, or a field in a list of structs; `Conflict` with
/// [`if_version`](Set::if_version), and `Usage` on a model without a version; `Server(WrongType)`
/// when the key holds something else; `Server(NoPerm)` when the user may not write it or publish
/// its event; `Unsupported` when the server has no RedisJSON. In all these cases nothing is
/// written.
///
/// # Cancel safety
/// Dropped before it is done, either all fields are changed or none.
#[must_use = "a change does nothing until it is awaited"]
pub struct Set<'a, M: RedisModel> {
    repository: &'a Repository<M>,
    id: &'a M::Id,
    changes: Result<Changes>,
    expected: Expected,
}

impl<M: RedisModel> Set<'_, M> {
    /// Writes only when the stored document has this version; else `Conflict`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// assert_eq!(accounts.set(&1, |a| a.cents.to(0)).if_version(1).await?.version, Some(2));
    /// let late = accounts.set(&1, |a| a.cents.to(9)).if_version(1).await.unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Conflict);
    /// # Ok(()) });
    /// ```
    pub fn if_version(mut self, version: u64) -> Self {
        self.expected = Expected::Version(version);
        self
    }

    async fn run(self) -> Result<Written> {
        let changes = self.changes?;
        check_versioned::<M>(&self.expected)?;
        let plan =
            Plan { mode: Mode::Replace, expected: self.expected, expiry: Expiry::Keep, lock: None };
        let mut call = write_call(self.repository, self.id, &plan, &changes.names)?;
        call.section("part", &[""; 0])
            .section_of("set", &changes.set)
            .section_of("unset", &changes.removed);
        let key = self.repository.key(self.id);
        call.run(self.repository.client()).await.map_err(|error| explain(error, &key))
    }
}

impl<'a, M: RedisModel> IntoFuture for Set<'a, M> {
    type Output = Result<Written>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Written>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: RedisModel> fmt::Debug for Set<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Set")
            .field("key", &self.repository.key(self.id))
            .field("fields", &self.changes.as_ref().map(|changes| &changes.names).ok())
            .finish()
    }
}

/// Changes of fields, in the form that the write script takes. Not for use by hand.
#[derive(Debug, Default)]
pub struct Changes {
    /// The fields' dotted names.
    names: Vec<String>,
    /// Name, parent or nothing, value …; names are dotted in a hash, paths in JSON.
    set: Packed,
    /// Name, parent or nothing …
    removed: Packed,
}

impl Changes {
    fn assign<S: FieldSpec>(
        &mut self,
        write: impl FnOnce(Storage, &FieldSchema, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let place = self.place::<S>()?;
        let storage = <S::Model as RedisModel>::SCHEMA.storage;
        let mut value = Vec::new();
        write(storage, place.field, &mut value).map_err(|error| error.with_field(&place.name))?;
        place.put_into(&mut self.set, storage);
        self.set.push(&value);
        self.names.push(place.name);
        Ok(())
    }

    fn remove<S: FieldSpec>(&mut self) -> Result<()> {
        let place = self.place::<S>()?;
        place.put_into(&mut self.removed, <S::Model as RedisModel>::SCHEMA.storage);
        self.names.push(place.name);
        Ok(())
    }

    /// Where a field is stored; refuses those that `set` may not touch.
    fn place<S: FieldPath>(&self) -> Result<Place> {
        let mut steps = Vec::new();
        let mut field = None;
        let mut in_list = false;
        S::walk(&mut |step| {
            if !step.nested.is_some_and(|nested| nested.flat) {
                steps.push(step.name);
            }
            in_list |= step.nested.is_some_and(|nested| nested.many);
            field = Some(step);
        });
        let name = steps.join(".");
        let schema = <S::Model as RedisModel>::SCHEMA;
        let refused = if in_list {
            "it stands in a list of structs; change it by `update`"
        } else if schema.ids.contains(&name.as_str()) {
            "the id of a document cannot be changed"
        } else if schema.version == Some(name.as_str()) {
            "the version is counted by the server"
        } else if self.names.contains(&name) {
            "it is set twice"
        } else {
            match field {
                Some(field) => return Ok(Place { name, steps, field }),
                None => "it has no place in the document",
            }
        };
        Err(Error::new(ErrorKind::Usage, refused).with_field(&name))
    }
}

struct Place {
    name: String,
    steps: Vec<&'static str>,
    field: &'static FieldSchema,
}

impl Place {
    /// Its name, and that of the struct it is in, as the write script takes them.
    fn put_into(&self, out: &mut Packed, storage: Storage) {
        let name = |steps: &[&str]| match (storage, steps) {
            (_, []) => String::new(),
            (Storage::Hash, steps) => steps.join("."),
            (Storage::Json, steps) => json_path(steps.iter().copied()),
        };
        let parents = self.steps.len().saturating_sub(1);
        out.push(name(&self.steps).as_bytes());
        out.push(name(self.steps.get(..parents).unwrap_or_default()).as_bytes());
    }
}

/// A change of a field (`m.rating.to(8.1)`, `m.tags.to_value(tags)`, `m.note.clear()`), or a tuple
/// of up to six.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::repository::Assignment;
/// # use alizarin_samples::{Account, AccountFields};
/// # alizarin_samples::accounts(async |accounts| {
/// fn empty(account: AccountFields) -> impl Assignment<Account> {
///     (account.cents.to(0), account.note.clear())
/// }
///
/// accounts.set(&1, empty).await?;
/// # assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(0));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no change of fields of `{M}`",
    note = "the closure of `set` gives `m.field.to(value)`, `m.field.clear()`, or a tuple of these"
)]
pub trait Assignment<M> {
    /// Notes the change.
    ///
    /// # Errors
    /// `Value` or `Usage`, naming the field.
    #[doc(hidden)]
    fn assign_to(self, changes: &mut Changes) -> Result<()>;
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<M, $($name: Assignment<M>),+> Assignment<M> for ($($name,)+) {
            #[expect(non_snake_case, reason = "named as their types")]
            fn assign_to(self, changes: &mut Changes) -> Result<()> {
                let ($($name,)+) = self;
                $($name.assign_to(changes)?;)+
                Ok(())
            }
        }
    )+};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

impl<M, S, V> Assignment<M> for To<S, V>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
    V: Operand<S::Value>,
{
    fn assign_to(self, changes: &mut Changes) -> Result<()> {
        changes.assign::<S>(|storage, field, out| {
            if S::Stored::MANY || S::Stored::MAP {
                let message = "a list or map is set as a whole: by `to_value`";
                return Err(Error::new(ErrorKind::Usage, message));
            }
            self.value.write(storage, field, out)
        })
    }
}

/// A field and its whole new value, from [`Field::to_value`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let note: Option<String> = None;
/// accounts.set(&1, |a| (a.cents.to_value(7), a.note.to_value(note))).await?;
/// # assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(7));
/// # Ok(()) });
/// ```
#[derive(Debug)]
pub struct ToValue<S: FieldSpec> {
    value: S::Stored,
}

/// A field to be removed, from [`Field::clear`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// # accounts.set(&1, |a| a.note.to("gold")).await?;
/// accounts.set(&1, |a| (a.cents.to(0), a.note.clear())).await?;
/// assert_eq!(accounts.get(&1).await?.and_then(|ann| ann.note), None);
/// # Ok(()) });
/// ```
pub struct Clear<S>(PhantomData<fn() -> S>);

impl<S> fmt::Debug for Clear<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clear")
    }
}

impl<S: FieldSpec> Field<S> {
    /// The field and a value of its own type, for [`Repository::set`]: lists and maps as a whole,
    /// options that may be `None`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.set(&1, |f| f.genres.to_value(vec!["horror".into(), "thriller".into()])).await?;
    /// assert_eq!(films.find(|f| f.genres.has("thriller")).count().await?, 1);
    /// # Ok(()) });
    /// ```
    pub fn to_value(self, value: S::Stored) -> ToValue<S> {
        ToValue { value }
    }
}

impl<S, T> Field<S>
where
    S: FieldSpec<Stored = Option<T>>,
    T: RedisValue,
{
    /// Takes an optional field out of the document, for [`Repository::set`].
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::films(async |films| {
    /// films.set(&1, |f| f.director.clear()).await?;
    /// assert_eq!(films.find(|f| f.director.is_missing()).count().await?, 2);
    /// # Ok(()) });
    /// ```
    pub fn clear(self) -> Clear<S> {
        Clear(PhantomData)
    }
}

impl<M, S> Assignment<M> for ToValue<S>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
{
    fn assign_to(self, changes: &mut Changes) -> Result<()> {
        if self.value.is_absent() {
            return changes.remove::<S>();
        }
        changes.assign::<S>(|storage, field, out| match storage {
            Storage::Hash => self.value.to_hash(field, out),
            Storage::Json => self.value.to_json(field, out),
        })
    }
}

impl<M, S> Assignment<M> for Clear<S>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
{
    fn assign_to(self, changes: &mut Changes) -> Result<()> {
        changes.remove::<S>()
    }
}
