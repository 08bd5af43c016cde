//! A change of one field that came from somewhere else.

use serde::de::Deserializer;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};

use super::{Assignment, Changes};
use crate::Result;
use crate::model::RedisModel;
use crate::query::{Field, FieldSpec};

/// What is to become of one field: the fields of a struct that derives
/// [`RedisPatch`](derive@crate::RedisPatch) are such.
///
/// With serde, in a struct with `#[serde(default)]`, a member that is absent is `Keep`, one that is
/// null is `Unset`, and any other is `Set`.
///
/// ```
/// # use alizarin::prelude::*;
/// # use alizarin_samples::Account;
/// use alizarin::repository::Patch;
///
/// # alizarin_samples::accounts(async |accounts| {
/// accounts.set(&1, |a| (a.cents.patch(Patch::Set(7)), a.note.patch::<String>(Patch::Unset))).await?;
/// # assert_eq!(accounts.get(&1).await?.map(|ann| (ann.cents, ann.note)), Some((7, None)));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "these are all there are")]
pub enum Patch<T> {
    /// It stays.
    #[default]
    Keep,
    /// It becomes this.
    Set(T),
    /// It is taken out of the document; a `Value` error for a field that is no `Option`.
    Unset,
}

impl<T> Patch<T> {
    /// Whether the field stays: for `#[serde(skip_serializing_if = "Patch::is_keep")]`.
    ///
    /// ```
    /// use alizarin::repository::Patch;
    ///
    /// assert!(Patch::<u32>::default().is_keep());
    /// ```
    pub fn is_keep(&self) -> bool {
        matches!(self, Patch::Keep)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Patch<T>, D::Error> {
        let value = Option::deserialize(deserializer)?;
        Ok(value.map_or(Patch::Unset, Patch::Set))
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Patch::Keep => Err(S::Error::custom(
                "a field that stays has no form: skip it by `skip_serializing_if = \"Patch::is_keep\"`",
            )),
            Patch::Set(value) => serializer.serialize_some(value),
            Patch::Unset => serializer.serialize_none(),
        }
    }
}

/// A stored type that a `Patch<T>` can set: `T` itself, or `Option<T>`.
///
/// ```
/// use alizarin::repository::PatchValue;
///
/// assert_eq!(<Option<u32> as PatchValue<u32>>::of(7), Some(7));
/// assert_eq!(<u32 as PatchValue<u32>>::of(7), 7);
/// ```
#[diagnostic::on_unimplemented(
    message = "a field of `{Self}` cannot be set by a `Patch<{T}>`",
    label = "this is no `Patch` of the field's type",
    note = "a field of type `T` or `Option<T>` takes a `Patch<T>`"
)]
pub trait PatchValue<T> {
    /// The value as it is stored.
    fn of(value: T) -> Self;
}

impl<T> PatchValue<T> for T {
    fn of(value: T) -> T {
        value
    }
}

impl<T> PatchValue<T> for Option<T> {
    fn of(value: T) -> Option<T> {
        Some(value)
    }
}

/// A field and what is to become of it, from [`Field::patch`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// use alizarin::repository::Patch;
///
/// let error = accounts.set(&1, |a| a.cents.patch::<i64>(Patch::Unset)).await.unwrap_err();
/// assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("cents")));
/// # Ok(()) });
/// ```
pub struct Patched<S: FieldSpec> {
    patch: Patch<S::Stored>,
}

impl<S: FieldSpec> std::fmt::Debug for Patched<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.patch {
            Patch::Keep => "Keep",
            Patch::Set(_) => "Set",
            Patch::Unset => "Unset",
        })
    }
}

impl<S: FieldSpec> Field<S> {
    /// The field and what is to become of it, for [`Repository::set`](crate::Repository::set). The
    /// value is one of the field's own type, or of the type inside its `Option`.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// use alizarin::repository::Patch;
    ///
    /// let note: Patch<String> = Patch::Set("gold".into());
    /// accounts.set(&1, |a| (a.note.patch(note), a.cents.patch::<i64>(Patch::Keep))).await?;
    /// # assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(500));
    /// # Ok(()) });
    /// ```
    pub fn patch<T>(self, patch: Patch<T>) -> Patched<S>
    where
        S::Stored: PatchValue<T>,
    {
        let patch = match patch {
            Patch::Keep => Patch::Keep,
            Patch::Set(value) => Patch::Set(S::Stored::of(value)),
            Patch::Unset => Patch::Unset,
        };
        Patched { patch }
    }
}

impl<M, S> Assignment<M> for Patched<S>
where
    M: RedisModel,
    S: FieldSpec<Model = M>,
{
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        match self.patch {
            Patch::Keep => Ok(()),
            Patch::Set(value) => changes.set_value::<S>(&value),
            Patch::Unset => changes.remove::<S>(),
        }
    }
}
