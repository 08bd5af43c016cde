//! What a write gives back of the document.

use std::fmt;
use std::pin::Pin;

use alizarin_core::resp::Packed;
use bytes::Bytes;

use super::Set;
use super::changes::script_name;
use crate::model::{RedisModel, RedisValue, Storage, missing};
use crate::query::{Field, FieldSpec, field_schema};
use crate::{Error, Result};

/// Fields whose values a write gives back: one, or a tuple of up to six.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let set = accounts.set(&1, |a| a.cents.add(1));
/// let (cents, owner, version) = set.returning(|a| (a.cents, a.owner, a.version)).await?;
/// assert_eq!((cents, owner.as_str(), version), (501, "Ann", 2));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no field of `{M}`, nor a tuple of fields",
    note = "the closure of `returning` gives `m.field`, or `(m.field, m.other)`"
)]
pub trait Returned<M> {
    /// Their types.
    type Values: Send;

    /// Adds the names.
    #[doc(hidden)]
    fn names(out: &mut Packed);

    /// Takes the values, which come in the same order.
    ///
    /// # Errors
    /// `Decode` for a value that is none of the field's.
    #[doc(hidden)]
    fn read(values: &mut std::vec::IntoIter<Option<Bytes>>) -> Result<Self::Values>;
}

impl<M: RedisModel, S: FieldSpec<Model = M, Stored: Send>> Returned<M> for Field<S> {
    type Values = S::Stored;

    fn names(out: &mut Packed) {
        out.push(script_name::<S>().as_bytes());
    }

    fn read(values: &mut std::vec::IntoIter<Option<Bytes>>) -> Result<S::Stored> {
        let field = field_schema::<S>();
        let value = values.next().flatten();
        let value = match M::SCHEMA.storage {
            Storage::Hash => value.map(|bytes| S::Stored::from_hash(&bytes, field)),
            Storage::Json => value.as_deref().and_then(one_of).map(|json| {
                let json = std::str::from_utf8(json)
                    .map_err(|error| Error::decode("JSON", "other bytes").with_source(error))?;
                S::Stored::from_json(json, field)
            }),
        };
        match value {
            Some(value) => value.map_err(|error| error.with_field(field.name)),
            None => S::Stored::absent().ok_or_else(|| missing(field)),
        }
    }
}

/// What stands between the brackets of a path's one result.
fn one_of(json: &[u8]) -> Option<&[u8]> {
    let inner = json.strip_prefix(b"[")?.strip_suffix(b"]")?;
    (!inner.is_empty()).then_some(inner)
}

macro_rules! tuples {
    ($(($($name:ident)+))+) => {$(
        impl<M, $($name: Returned<M>),+> Returned<M> for ($($name,)+) {
            type Values = ($($name::Values,)+);

            fn names(out: &mut Packed) {
                $($name::names(out);)+
            }

            fn read(values: &mut std::vec::IntoIter<Option<Bytes>>) -> Result<Self::Values> {
                Ok(($($name::read(values)?,)+))
            }
        }
    )+};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) }

impl<'a, M: RedisModel> Set<'a, M> {
    /// Gives back the values that these fields have after the write, in the same round trip: a
    /// field or a tuple of fields, of any model field whether it was written or not.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let cents = accounts.set(&1, |a| a.cents.add(-100)).returning(|a| a.cents).await?;
    /// assert_eq!(cents, 400);
    /// # Ok(()) });
    /// ```
    pub fn returning<R: Returned<M>>(
        self,
        _fields: impl FnOnce(M::Fields) -> R,
    ) -> SetReturning<'a, M, R> {
        SetReturning { set: self, fields: std::marker::PhantomData }
    }
}

/// A change that gives back values, from [`Set::returning`].
///
/// # Errors
/// As [`Set`]; and `Decode`, after the write, for a stored value that is none of its field's type.
///
/// # Cancel safety
/// As [`Set`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// let note = accounts.set(&1, |a| a.note.to("gold")).returning(|a| a.note).await?;
/// assert_eq!(note.as_deref(), Some("gold"));
/// # Ok(()) });
/// ```
#[must_use = "a change does nothing until it is awaited"]
pub struct SetReturning<'a, M: RedisModel, R> {
    pub(super) set: Set<'a, M>,
    fields: std::marker::PhantomData<fn() -> R>,
}

impl<'a, M: RedisModel, R: Returned<M> + 'a> IntoFuture for SetReturning<'a, M, R> {
    type Output = Result<R::Values>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<R::Values>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut names = Packed::new();
            R::names(&mut names);
            let outcome = self.set.send(&names).await?;
            R::read(&mut outcome.values.into_iter())
        })
    }
}

impl<M: RedisModel, R> fmt::Debug for SetReturning<'_, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SetReturning").field(&self.set).finish()
    }
}
