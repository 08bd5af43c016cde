//! Numbers that the server adds to.

use std::fmt;
use std::marker::PhantomData;

use super::{Assignment, Changes};
use crate::model::{RedisModel, RedisValue, Storage};
use crate::query::{Field, FieldSpec, field_schema};
use crate::{Error, ErrorKind, Result};

/// A number, or an `Option` of one: what [`Field::add`] can change.
///
/// ```
/// # use alizarin::prelude::*;
/// use alizarin::query::{Field, FieldSpec};
/// use alizarin::repository::{Addend, Assignment, Number};
/// # use alizarin_samples::Account;
///
/// fn twice<S>(field: Field<S>, count: i32) -> impl Assignment<S::Model>
/// where
///     S: FieldSpec<Stored: Number>,
///     i32: Addend<S::Value>,
/// {
///     field.add(count * 2)
/// }
/// # alizarin_samples::accounts(async |accounts| {
/// accounts.set(&1, |a| twice(a.cents, 5)).await?;
/// assert_eq!(accounts.get(&1).await?.map(|ann| ann.cents), Some(510));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number that the server could add to",
    note = "whole numbers, floats, and options of them can be added to; change others by `update`"
)]
pub trait Number: RedisValue {
    /// How the script adds, and between which numbers the sum has to be.
    #[doc(hidden)]
    const RULE: (&'static str, &'static str);
}

impl<T: Number> Number for Option<T> {
    const RULE: (&'static str, &'static str) = T::RULE;
}

macro_rules! whole {
    ($($type:ident $least:literal $most:literal;)+) => {$(
        impl Number for $type {
            const RULE: (&'static str, &'static str) = ("add", concat!($least, " ", $most));
        }

        impl sealed::Summand for $type {
            fn text(self) -> Option<String> {
                Some(itoa::Buffer::new().format(self).to_owned())
            }
        }
    )+};
}

whole! {
    i8 "-128" "127";
    i16 "-32768" "32767";
    i32 "-2147483648" "2147483647";
    i64 "-9223372036854775808" "9223372036854775807";
    i128 "-170141183460469231731687303715884105728" "170141183460469231731687303715884105727";
    u8 "0" "255";
    u16 "0" "65535";
    u32 "0" "4294967295";
    u64 "0" "18446744073709551615";
    u128 "0" "340282366920938463463374607431768211455";
    isize "-9223372036854775808" "9223372036854775807";
    usize "0" "18446744073709551615";
}

macro_rules! floats {
    ($($type:ident $most:literal;)+) => {$(
        impl Number for $type {
            const RULE: (&'static str, &'static str) = ("add_float", $most);
        }

        impl sealed::Summand for $type {
            fn text(self) -> Option<String> {
                self.is_finite().then(|| self.to_string())
            }
        }
    )+};
}

floats! {
    f32 "3.4028234663852886e38";
    f64 "1.7976931348623157e308";
}

mod sealed {
    /// A number as decimal text; `None` for what is no number.
    pub trait Summand: Send {
        fn text(self) -> Option<String>;
    }
}

/// What can be added to a `T`: any whole number to a whole number, so that `-1` can be added to a
/// `u32`; any number to a float. Only numbers implement it.
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::films(async |films| {
/// films.set(&1, |f| (f.year.add(-1), f.rating.add(0.25))).await?;
/// let film = films.get(&1).await?.expect("the first film");
/// assert_eq!((film.year, film.rating), (1978, 8.75));
/// # Ok(()) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be added to a field of `{T}`",
    label = "this is no number that a `{T}` takes"
)]
pub trait Addend<T>: sealed::Summand {}

macro_rules! addends {
    ($($type:ident)+; $all:tt) => { $(addends! { @ $type $all })+ };
    (@ $type:ident ($($other:ident)+)) => { $(impl Addend<$type> for $other {})+ };
}

addends! {
    i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize;
    (i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize)
}
addends! { f32 f64; (f32 f64 i8 i16 i32 i64 u8 u16 u32 u64) }

/// A field and what is added to it, from [`Field::add`].
///
/// ```
/// # use alizarin::prelude::*;
/// # alizarin_samples::accounts(async |accounts| {
/// accounts.set(&1, |a| (a.cents.add(-500), a.note.to("spent"))).await?;
/// let ann = accounts.get(&1).await?;
/// assert_eq!(ann.map(|ann| ann.cents), Some(0));
/// # Ok(()) });
/// ```
pub struct Add<S> {
    addend: Option<String>,
    field: PhantomData<fn() -> S>,
}

impl<S> fmt::Debug for Add<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Add")
    }
}

impl<S: FieldSpec> Field<S> {
    /// Adds to a number on the server, for [`Repository::set`](crate::Repository::set): no update
    /// of others is lost, and none starts again.
    ///
    /// Whole numbers are added exactly, also beyond 2^53. A field that is not in the document
    /// counts as 0. A sum that the field's type cannot hold is a `Value` error, and nothing is
    /// written.
    ///
    /// ```
    /// # use alizarin::prelude::*;
    /// # alizarin_samples::accounts(async |accounts| {
    /// let cents = accounts.set(&1, |a| a.cents.add(25)).returning(|a| a.cents).await?;
    /// assert_eq!(cents, 525);
    /// let error = accounts.set(&1, |a| a.cents.add(i64::MAX)).await.unwrap_err();
    /// assert_eq!((error.kind(), error.field()), (ErrorKind::Value, Some("cents")));
    /// # Ok(()) });
    /// ```
    #[expect(clippy::should_implement_trait, reason = "it makes a change, and no sum")]
    pub fn add<V>(self, value: V) -> Add<S>
    where
        S::Stored: Number,
        V: Addend<S::Value>,
    {
        Add { addend: value.text(), field: PhantomData }
    }
}

impl<M, S> Assignment<M> for Add<S>
where
    M: RedisModel,
    S: FieldSpec<Model = M, Stored: Number>,
{
    fn assign_to(self, changes: &mut Changes<M>) -> Result<()> {
        let Some(addend) = self.addend else {
            let error = Error::new(ErrorKind::Value, "what is no finite number cannot be added");
            return Err(error.with_field(field_schema::<S>().name));
        };
        let (how, limits) = S::Stored::RULE;
        let form = if is_text::<S>() { "string" } else { "number" };
        let limits = narrowed::<S>(how, limits);
        changes.edit::<S>(how, |_, _| Ok(()), |_, _| [addend, limits.into(), form.into()])
    }
}

/// What a NUMERIC index finds exactly is less than what a whole number holds.
fn narrowed<S: FieldSpec>(how: &str, limits: &'static str) -> &'static str {
    let numeric = matches!(field_schema::<S>().kind(), Some(crate::model::IndexKind::Numeric));
    match limits.split_once(' ') {
        Some((least, most)) if numeric && how == "add" && most.len() > 10 => match least {
            "0" => "0 9007199254740992",
            _ => "-9007199254740992 9007199254740992",
        },
        _ => limits,
    }
}

/// Whether the number is a string in JSON, as with a TAG index.
fn is_text<S: FieldSpec<Stored: Number>>() -> bool {
    let field = field_schema::<S>();
    let wide = S::Stored::RULE.1.len() > 41;
    let numeric = matches!(field.kind(), Some(crate::model::IndexKind::Numeric));
    <S::Model as RedisModel>::SCHEMA.storage == Storage::Json
        && (field.tag_separator().is_some() || wide && !numeric)
}
