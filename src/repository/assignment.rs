//! What can be changed of a document: the values that the closure of `set` gives.

use std::fmt;
use std::marker::PhantomData;

use super::Changes;
use crate::model::{RedisModel, RedisValue};
use crate::query::{Field, FieldSpec, Operand, To};
use crate::{Error, ErrorKind, Result};

/// A change of a field (`m.rating.to(8.1)`, `m.tags.to_value(tags)`, `m.note.clear()`,
/// `m.votes.add(1)`), or several: a tuple of up to six, a list, an `Option` (of which `None` changes
/// nothing), [`Changes`], or a struct that derives [`RedisPatch`](derive@crate::RedisPatch).
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
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()>;
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<M, $($name: Assignment<M>),+> Assignment<M> for ($($name,)+) {
            #[expect(non_snake_case, reason = "named as their types")]
            fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
                let ($($name,)+) = self;
                $($name.assign_to(changes)?;)+
                Ok(())
            }
        }
    )+};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

impl<M> Assignment<M> for () {
    fn assign_to(self, _: &mut Changes<M>) -> Result<()> {
        Ok(())
    }
}

impl<M, A: Assignment<M>> Assignment<M> for Option<A> {
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        self.map_or(Ok(()), |change| change.assign_to(changes))
    }
}

impl<M, A: Assignment<M>> Assignment<M> for Vec<A> {
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        self.into_iter().try_for_each(|change| change.assign_to(changes))
    }
}

impl<M: RedisModel> Assignment<M> for Changes<M> {
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        changes.append(&self)
    }
}

impl<M, S, V> Assignment<M> for To<S, V>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
    V: Operand<S::Value>,
{
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
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
    /// The field and a value of its own type, for [`Repository::set`](crate::Repository::set): lists and maps as a whole,
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
    /// Takes an optional field out of the document, for [`Repository::set`](crate::Repository::set).
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
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        changes.set_value::<S>(&self.value)
    }
}

impl<M, S> Assignment<M> for Clear<S>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
{
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        changes.remove::<S>()
    }
}
